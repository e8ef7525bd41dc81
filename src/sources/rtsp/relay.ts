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
import { decoded, hiderOf } from '../../lib/secrets.ts';
import type { StreamSpec } from '../../types.ts';
import { expectPlace, placeOf, uriOf, type StreamPlace } from '../../words/stream-place.ts';
import { answerTo, parseChallenges, type Authorize, type Credentials } from '../network/authentication.ts';
import { dialInWords, type Caution } from '../network/dial.ts';
import type { Passage } from '../network/passage.ts';
import { bytesOf, createReader, headerOf, headersOf, withHeader, type Message } from './messages.ts';

const MOST_REDIRECTS = 5;
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
  const credentials = credentialsOf(first.login);
  const life = linked(signal);
  const connected = (place: StreamPlace): Promise<Socket> => dialInWords(place, { bounds, tls }, hide, life.signal);
  let target = first;
  let camera = await connected(target);
  let client: Socket | null = null;
  let authorize: Authorize | null = null;
  let failure: LookoutError | null = null;
  let redirects = 0;
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

  /** Credentials are for the place that they were written for, or for that same host once it asks for TLS. */
  const trusts = (): boolean => target.hostname.toLowerCase() === first.hostname.toLowerCase()
    && ((target.port === first.port && target.scheme === first.scheme) || (target.scheme === 'rtsps' && first.scheme === 'rtsp'));

  /** ffmpeg's request as the camera is to read it. */
  function send(one: Asked): void {
    sequence += 1;
    asked.set(String(sequence), one);
    const [method = '', uri = ''] = one.request.start.split(' ');
    const meant = uri === entrance || uri.startsWith(`${entrance}/`) ? uriOf(target) + uri.slice(entrance.length) : uri;
    const numbered = withHeader({ ...one.request, start: `${method} ${meant} RTSP/1.0` }, 'CSeq', String(sequence));
    camera.write(bytesOf(withHeader(numbered, 'Authorization', trusts() ? authorize?.(method, meant) ?? null : null)));
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
    const status = Number(/^RTSP\/\S+ +(\d{3})/.exec(answer.start)?.[1] ?? NaN);
    // It asks something itself, which ffmpeg answers.
    const one = Number.isNaN(status) ? null : askedBy(answer);
    if (!one) {
      client?.write(bytesOf(answer));
      return;
    }
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
    const challenges = headersOf(answer, 'www-authenticate').join(', ');
    if (!credentials || one.tries > 0) return false;
    if (!trusts()) {
      failure ??= new LookoutError('stream_auth', `the camera sends us on to ${target.scheme}://${target.hostname}:${target.port}, which wants a login; the one of the camera's address is for ${hide(first.hostname)} alone: write the other address with its own`);
      return false;
    }
    authorize = answerTo(challenges, credentials);
    if (authorize) {
      send({ ...one, tries: 1 });
      return true;
    }
    const wanted = parseChallenges(challenges).map(({ scheme, fields }) => `${scheme} ${fields.get('algorithm') ?? ''}${fields.has('qop') ? ` with ${fields.get('qop') ?? ''}` : ''}`.trim()).join(', ');
    failure ??= new LookoutError('stream_auth', `the camera wants a login (${hide(wanted) || 'of no kind'}) that Lookout cannot do, so that the user name and password may be right: let the camera offer digest, or basic`);
    return false;
  }

  async function follow(location: string, one: Asked): Promise<void> {
    const next = placeOf(location);
    redirects += 1;
    if (redirects > MOST_REDIRECTS) throw new LookoutError('stream_connect', `the camera sends us on and on: more than ${MOST_REDIRECTS} redirects`);
    if (!next || !/^rtsps?$/.test(next.scheme) || (target.scheme === 'rtsps' && next.scheme === 'rtsp')) {
      throw new LookoutError('forbidden_scheme', `the camera sends us on to ${next ? `an address of the scheme ${hide(next.scheme)}` : 'what is no RTSP address'}, which is not followed`);
    }
    target = { ...next, login: '' };
    authorize = null;
    asked.clear();
    // Many close their connection with such an answer, and some have but one.
    moving = true;
    camera.destroy();
    camera = await connected(target);
    moving = false;
    listen();
    send({ ...one, tries: 0 });
  }

  function listen(): void {
    const own = camera;
    const read = createReader();
    let legible = true;
    const whileOurs = (act: () => void) => (): void => { if (own === camera && !moving) act(); };
    own.on('error', whileOurs(() => { client?.resetAndDestroy(); })).on('end', whileOurs(() => { client?.end(); })).on('close', whileOurs(() => { client?.destroy(); }));
    own.on('data', (bytes: Buffer) => {
      // Of a camera that plays, answers are read for new challenges alone.
      if (playing) {
        if (client?.write(bytes) === false) own.pause();
        if (!legible) return;
      }
      try {
        const before = playing;
        for (const piece of read(bytes)) {
          if ('message' in piece) {
            if (before) noted(piece.message);
            else answered(piece.message);
          } else if (!before) client?.write(piece.packet);
        }
      } catch (error) {
        legible = false;
        if (!playing) fail(new LookoutError('stream_codec', `the camera speaks no RTSP: ${(error as Error).message}`));
      }
    });
  }

  /** An answer that ffmpeg has got: where its challenge is a new one, the next request answers it. */
  function noted(answer: Message): void {
    const one = askedBy(answer);
    if (one && credentials && trusts() && /^RTSP\/\S+ +401/.test(answer.start)) authorize = answerTo(headersOf(answer, 'www-authenticate').join(', '), credentials);
  }

  function serve(socket: Socket): void {
    const read = createReader();
    socket.on('error', () => undefined).on('data', (bytes: Buffer) => {
      try {
        for (const piece of read(bytes)) {
          if ('packet' in piece) {
            if (socket === client) camera.write(piece.packet);
          } else if (socket === client || admits(socket, piece.message)) {
            if (/^RTSP\//.test(piece.message.start)) camera.write(bytesOf(piece.message));
            else send({ request: piece.message, sequence: headerOf(piece.message, 'cseq') ?? '0', tries: 0 });
          }
        }
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
    const source = camera.remoteAddress ?? '';
    if (bounds === null && /source=/i.test(transport)) return answer;
    return withHeader(answer, 'Transport', `${transport.replace(/;source=[^;,]*/gi, '')};source=${source}`);
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

/** Throws where it would end the line that it stands in. */
export function credentialsOf(login: string): Credentials | null {
  if (/[\r\n]/.test(decoded(login))) throw new LookoutError('stream_auth', 'the user name or password holds a line break, which no login can');
  const at = login.indexOf(':');
  return login === '' ? null : { user: decoded(at < 0 ? login : login.slice(0, at)), password: at < 0 ? '' : decoded(login.slice(at + 1)) };
}
