/**
 * The way from ffmpeg to an RTSP camera. The relay is safe with every camera, but every byte of the video passes it; so a
 * plain camera is asked first, and where nothing speaks against it ffmpeg goes there alone. Not to a stranger's, which
 * might answer ffmpeg otherwise: ffmpeg goes wherever it is sent on to.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { LookoutError } from '../../errors.ts';
import { linked } from '../../lib/linked.ts';
import { bytesOf, createReader, headersOf, statusOf, type Message } from '../../lib/rtsp-messages.ts';
import type { StreamSpec } from '../../types.ts';
import { placeOf, uriOf, type StreamPlace } from '../../words/stream-place.ts';
import { allowsAuth, answerTo, parseChallenges, type Credentials } from '../network/authentication.ts';
import { dial, type Caution } from '../network/dial.ts';
import type { OpenPassage } from '../network/passage.ts';
import { credentialsIn } from './login.ts';
import { openRelay } from './relay.ts';

/** One that has said nothing by then is the relay's. */
const PATIENCE_MS = 3000;

/** Each connection asks anew: a camera that let ffmpeg come alone may send on the next time. */
export function wayTo(stream: StreamSpec, bounds: Caution['bounds']): OpenPassage {
  return async (signal) => {
    const url = bounds === null ? await askFirst(stream, signal) : null;
    return url === null ? openRelay(stream, bounds, signal) : { url, failure: () => null, close: () => Promise.resolve() };
  };
}

/** The address that ffmpeg may open itself; null: none. Throws `stream_auth` where the login is refused, which ffmpeg would only try once more. */
async function askFirst({ url, options: { tls } }: StreamSpec, signal: AbortSignal): Promise<string | null> {
  const place = placeOf(url);
  if (place?.scheme !== 'rtsp') return null;
  const patience = linked(signal);
  const timer = setTimeout(() => { patience.abort(); }, PATIENCE_MS);
  let socket: Socket | null = null;
  try {
    const credentials = credentialsIn(place.login);
    socket = await dial(place, { bounds: null, tls }, patience.signal);
    return await letsIn(socket, place, credentials, patience.signal) ? url : null;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof LookoutError && error.code === 'stream_auth') throw error;
    // Who it is that cannot be reached the relay says.
    return null;
  } finally {
    clearTimeout(timer);
    patience.release();
    socket?.destroy();
  }
}

/** Whether the camera describes itself, to a login that ffmpeg can do if it wants one. */
async function letsIn(socket: Socket, place: StreamPlace, credentials: Credentials | null, signal: AbortSignal): Promise<boolean> {
  const ask = createAsking(socket, place, signal);
  const first = await ask();
  if (statusOf(first) !== 401) return statusOf(first) === 200;
  const challenges = headersOf(first, 'www-authenticate').join(', ');
  const authorize = credentials && parseChallenges(challenges).every(isKnownToFfmpeg) ? answerTo(challenges, credentials) : null;
  if (!authorize) return false;
  const second = await ask(authorize('DESCRIBE', uriOf(place)));
  if (statusOf(second) === 401) throw new LookoutError('stream_auth', 'the camera refused the user name or password');
  return statusOf(second) === 200;
}

function isKnownToFfmpeg({ scheme, fields }: ReturnType<typeof parseChallenges>[number]): boolean {
  return scheme === 'basic' || (scheme === 'digest' && /^md5$/i.test(fields.get('algorithm') ?? 'md5') && allowsAuth(fields));
}

/** Asks a camera to describe itself, again over the same connection. Throws where it ends that. */
function createAsking(socket: Socket, place: StreamPlace, signal: AbortSignal): (authorization?: string) => Promise<Message> {
  const answers: Message[] = [];
  const read = createReader({
    packet: () => undefined,
    message: (message) => { answers.push(message); },
    illegible(why) { throw new Error(`its answer ${why}`); },
  });
  let sequence = 0;
  return async (authorization) => {
    sequence += 1;
    const headers = [`CSeq: ${sequence}`, 'Accept: application/sdp', 'User-Agent: Lookout', ...(authorization === undefined ? [] : [`Authorization: ${authorization}`])];
    socket.write(bytesOf({ start: `DESCRIBE ${uriOf(place)} RTSP/1.0`, headers }));
    const ended = once(socket, 'end', { signal }).then(() => { throw new Error('the camera ended the connection'); });
    ended.catch(() => undefined);
    for (;;) {
      const [bytes] = await Promise.race([once(socket, 'data', { signal }), ended]) as [Buffer];
      read(bytes);
      const answer = answers.shift();
      if (answer) return answer;
    }
  };
}
