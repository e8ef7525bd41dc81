/**
 * Stands between ffmpeg and an RTSP camera, within this machine. ffmpeg 5.1 takes any certificate over rtsps, sends the
 * password wherever it is redirected, and asks a name again that was checked; so the relay connects, logs in and follows
 * redirects, and ffmpeg never hears of user, password, host or path. What the camera sends goes through unchanged.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { LookoutError } from '../../errors.ts';
import { linked } from '../../lib/linked.ts';
import { bytesOf, createReader, headerOf, statusOf, withHeader, type Message } from '../../lib/rtsp-messages.ts';
import { hiderOf } from '../../lib/secrets.ts';
import type { StreamSpec } from '../../types.ts';
import { expectPlace, uriOf, type StreamPlace } from '../../words/stream-place.ts';
import type { Authorize } from '../network/authentication.ts';
import { dialInWords, type Caution } from '../network/dial.ts';
import type { Passage } from '../network/passage.ts';
import { challengesOf, createLogin } from './login.ts';
import { createRedirects } from './redirects.ts';

/** ffmpeg's goodbye may still be on its way, and the camera's answer to it. */
const GOODBYE_MS = 300;

/** A request of ffmpeg's that waits for its answer. */
interface Asked {
  readonly request: Message;
  readonly sequence: string;
  readonly tries: number;
}

/** Throws `stream_connect` and `forbidden_address`. */
export async function openRelay({ url, options: { tls } }: Pick<StreamSpec, 'url' | 'options'>, bounds: Caution['bounds'], signal: AbortSignal): Promise<Passage> {
  const hide = hiderOf(url);
  const first = expectPlace(url);
  const login = createLogin(first, hide);
  const redirected = createRedirects(hide);
  const life = linked(signal);
  const reached = (place: StreamPlace): Promise<Socket> => dialInWords(place, { bounds, tls }, hide, life.signal);
  let target = first;
  let camera = await reached(target);
  let client: Socket | null = null;
  let authorize: Authorize | null = null;
  let failure: LookoutError | null = null;
  let playing = false;
  let moving = false;
  let sequence = 0;
  const asked = new Map<string, Asked>();
  /** What ffmpeg opens. */
  let entrance = '';
  const server = createServer({ noDelay: true });

  function fail(error: LookoutError): void {
    failure ??= error;
    client?.destroy();
  }

  /** ffmpeg's request as the camera is to read it. */
  function send(one: Asked): void {
    sequence += 1;
    asked.set(String(sequence), one);
    const [method = '', uri = ''] = one.request.start.split(' ');
    const meant = uri === entrance || uri.startsWith(`${entrance}/`) ? uriOf(target) + uri.slice(entrance.length) : uri;
    const numbered = withHeader({ ...one.request, start: `${method} ${meant} RTSP/1.0` }, 'CSeq', String(sequence));
    camera.write(bytesOf(withHeader(numbered, 'Authorization', authorize?.(method, meant) ?? null)));
  }

  function askedBy(answer: Message): Asked | null {
    const number = headerOf(answer, 'cseq') ?? '';
    // Some do not count.
    const [oldest = ''] = asked.keys();
    const known = asked.has(number) ? number : oldest;
    const one = asked.get(known) ?? null;
    asked.delete(known);
    return one;
  }

  function answered(answer: Message): void {
    const status = statusOf(answer);
    if (Number.isNaN(status)) {
      // It asks something itself, which ffmpeg answers.
      client?.write(bytesOf(answer));
      return;
    }
    const one = askedBy(answer);
    // ffmpeg would take it for the answer to what it asks next.
    if (!one) return;
    const [method = ''] = one.request.start.split(' ');
    const location = headerOf(answer, 'location');
    if (status === 401 && retried(answer, one)) return;
    if (status >= 300 && status < 400 && location !== undefined) {
      void follow(location, one).catch((error: unknown) => { fail(error as LookoutError); });
      return;
    }
    // ffmpeg would try again, without a login: cameras count that.
    let told = withHeader(withHeader(answer, 'CSeq', one.sequence), 'WWW-Authenticate', null);
    // What a camera leaves out is what it was asked for, which is not what ffmpeg asked.
    if (method === 'DESCRIBE' && status === 200 && headerOf(answer, 'content-base') === undefined) told = withHeader(told, 'Content-Base', headerOf(answer, 'content-location') ?? uriOf(target));
    if (method === 'SETUP') told = withSource(told);
    client?.write(bytesOf(told));
    if (method === 'PLAY' && status === 200) playing = true;
  }

  /** Whether the request was sent once more, with a login. */
  function retried(answer: Message, one: Asked): boolean {
    const how = one.tries > 0 ? null : login.answer(challengesOf(answer), target);
    if (!how) return false;
    if (how instanceof LookoutError) {
      failure ??= how;
      return false;
    }
    authorize = how;
    send({ ...one, tries: 1 });
    return true;
  }

  async function follow(location: string, one: Asked): Promise<void> {
    target = redirected(location, target);
    authorize = null;
    asked.clear();
    // Many close their connection with such an answer, and some have but one.
    moving = true;
    camera.destroy();
    camera = await reached(target);
    moving = false;
    listen();
    send({ ...one, tries: 0 });
  }

  function listen(): void {
    const own = camera;
    let legible = true;
    /** As it was before what has come now. */
    let before = playing;
    const read = createReader({
      packet(bytes, start, end) {
        if (!before) client?.write(bytes.subarray(start, end));
      },
      message(message) {
        if (before) noted(message);
        else answered(message);
      },
      illegible(why) { throw new Error(`its answer ${why}`); },
    });
    const whileOurs = (act: () => void) => (): void => { if (own === camera && !moving) act(); };
    own.on('error', whileOurs(() => { client?.resetAndDestroy(); })).on('end', whileOurs(() => { client?.end(); })).on('close', whileOurs(() => { client?.destroy(); }));
    own.on('data', (bytes: Buffer) => {
      // Of a camera that plays, answers are read for new challenges alone.
      if (playing) {
        if (client?.write(bytes) === false) own.pause();
        if (!legible) return;
      }
      try {
        before = playing;
        read(bytes);
      } catch (error) {
        legible = false;
        if (!playing) fail(new LookoutError('stream_codec', `the camera speaks no RTSP: ${(error as Error).message}`));
      }
    });
  }

  /** An answer that ffmpeg has got: where its challenge is a new one, the next request answers it. */
  function noted(answer: Message): void {
    const how = askedBy(answer) && statusOf(answer) === 401 ? login.answer(challengesOf(answer), target) : null;
    if (typeof how === 'function') authorize = how;
  }

  function serve(socket: Socket): void {
    const read = createReader({
      packet(bytes, start, end) {
        if (socket === client) camera.write(bytes.subarray(start, end));
      },
      message(message) {
        if (socket !== client && !admits(socket, message)) return;
        if (/^RTSP\//.test(message.start)) camera.write(bytesOf(message));
        else send({ request: message, sequence: headerOf(message, 'cseq') ?? '0', tries: 0 });
      },
      illegible(why) { throw new Error(`its answer ${why}`); },
    });
    socket.on('error', () => undefined).on('data', (bytes: Buffer) => {
      try {
        read(bytes);
      } catch {
        // Not ffmpeg.
        socket.destroy();
      }
    });
  }

  function admits(socket: Socket, { start }: Message): boolean {
    if (client || start.split(' ')[1]?.startsWith(entrance) !== true) {
      socket.destroy();
      return false;
    }
    client = socket;
    server.close();
    socket.on('drain', () => { camera.resume(); }).on('end', () => { camera.end(); }).on('close', () => { camera.end(); });
    return true;
  }

  /** UDP packets come from the camera, and reports on them go there. */
  function withSource(answer: Message): Message {
    const transport = headerOf(answer, 'transport');
    if (transport === undefined || !/server_port=/i.test(transport)) return answer;
    if (bounds === null && /source=/i.test(transport)) return answer;
    // Of several ffmpeg takes the first, and of what that says twice the last.
    const [first = ''] = transport.split(',');
    return withHeader(answer, 'Transport', `${first};source=${camera.remoteAddress ?? ''}`);
  }

  server.on('connection', serve).listen(0, '127.0.0.1');
  await once(server, 'listening').catch((error: unknown) => {
    camera.destroy();
    throw error;
  });
  // Whoever else on this machine finds the port does not know what to ask for.
  entrance = `rtsp://127.0.0.1:${(server.address() as AddressInfo).port}/${randomBytes(16).toString('hex')}`;
  listen();

  return {
    url: entrance,
    failure: () => failure,
    async close() {
      life.abort();
      server.close();
      const gone = (socket: Socket): Promise<unknown> => Promise.race([socket.closed ? null : once(socket, 'close').catch(() => undefined), sleep(GOODBYE_MS)]);
      if (client) await gone(client);
      camera.end();
      await gone(camera);
      camera.destroy();
      client?.destroy();
    },
  };
}
