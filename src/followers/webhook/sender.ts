/** Sends messages to the address of a webhook: makes the body, keeps to the rate, signs, and says what became of it. */
import type { OutgoingHttpHeaders } from 'node:http';
import { readAddress } from './address.ts';
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
  sends(message: Message): boolean;
  /** Waits until the rate allows it. Throws `target_away`, and when the signal aborts. */
  send(message: Message, signal: AbortSignal): Promise<Outcome>;
  close(): void;
}

export function createSender(settings: SenderSettings, version: string): Sender {
  const address = readAddress(settings.url);
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
    sends(message) {
      const made = bodyOf(message);
      return 'body' in made && made.body !== '';
    },
    async send(message, signal) {
      const made = bodyOf(message);
      if ('fault' in made) return { is: 'refused', reason: made.fault };
      if (made.body === '') return { is: 'nothing_to_send' };
      await rate.wait(signal);
      const [id, body] = [safeId(message.id), Buffer.from(made.body)];
      const reason = judge(await poster.post(body, () => headersOf(id, body, made.type), signal), address.origin, hide);
      return reason === null ? { is: 'taken' } : { is: 'refused', reason };
    },
    close: () => { poster.close(); },
  };
}
