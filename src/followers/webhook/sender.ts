/** Sends messages to the address of a webhook: makes the body, keeps to the rate, signs, and says what became of it. */
import type { OutgoingHttpHeaders } from 'node:http';
import { pictureAddress, readAddress } from './address.ts';
import { judge } from './answer.ts';
import { bodyMaker, type BodySettings } from './body.ts';
import { safeId } from './headers.ts';
import { hiderFor } from './hide.ts';
import type { Message } from './message.ts';
import { createPoster } from './post.ts';
import { createRate } from './rate.ts';
import { keysOf, signatureOf } from './signature.ts';

export interface SenderSettings extends BodySettings {
  readonly url: string;
  readonly picture_url: string | null;
  readonly secret: string | null;
  readonly old_secret: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly per_minute: number | null;
  readonly timeout_seconds: number;
}

export type Outcome = { readonly is: 'taken' | 'nothing_to_send' } | { readonly is: 'refused'; readonly reason: string };

export interface Sender {
  /** All of its address that may be shown. */
  readonly origin: string;
  /** Whether there is something to send of it. */
  sends(message: Message): Promise<boolean>;
  /** Waits until the rate allows it. Throws `target_away`, and when the signal aborts. */
  send(message: Message, signal: AbortSignal): Promise<Outcome>;
  close(): void;
}

/** Whether anything is sent does not hang on what the picture shows, and to put megabytes into a body takes its time. */
const STAND_IN = new Uint8Array(1);

export function createSender(settings: SenderSettings, version: string): Sender {
  const address = readAddress(settings.url);
  const ofPictures = pictureAddress(settings.url, settings.picture_url);
  const hide = hiderFor(settings);
  const bodyOf = bodyMaker(settings);
  const keys = keysOf(settings);
  const poster = createPoster(address, settings.timeout_seconds, hide);
  const rate = createRate(settings.per_minute);

  function headersOf(id: string, body: Uint8Array, type: string): OutgoingHttpHeaders {
    // Of the try, not of the message: receivers refuse what was signed long ago.
    const timestamp = String(Math.floor(Date.now() / 1000));
    return {
      'user-agent': `Lookout/${version}`, ...settings.headers, 'content-type': type, 'webhook-id': id, 'webhook-timestamp': timestamp,
      ...(keys.length > 0 && { 'webhook-signature': signatureOf(keys, id, timestamp, body) }),
    };
  }

  return {
    origin: address.origin,
    async sends(message) {
      const made = await bodyOf({ ...message, picture: message.picture && STAND_IN });
      return 'body' in made && made.body.length > 0;
    },
    async send(message, signal) {
      const made = await bodyOf(message);
      if ('fault' in made) return { is: 'refused', reason: made.fault };
      if (made.body.length === 0) return { is: 'nothing_to_send' };
      await rate.wait(signal);
      const [id, to] = [safeId(message.id), message.picture === null ? address.url : ofPictures];
      const reason = judge(await poster.post(to, made.body, () => headersOf(id, made.body, made.type), signal), address.origin, hide);
      return reason === null ? { is: 'taken' } : { is: 'refused', reason };
    },
    close: () => { poster.close(); },
  };
}
