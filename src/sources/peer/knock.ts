/** Whether somebody is there, before a processor is spent on it. */
import { once } from 'node:events';
import { connect, isIP } from 'node:net';
import { LookoutError } from '../../errors.ts';
import { linked } from '../../lib/linked.ts';
import { bytesOf } from '../../lib/rtsp-messages.ts';
import { placeOf, uriOf } from '../../words/stream-place.ts';
import { FIRST_PICTURE_MS } from '../pictures/patience.ts';
import { NOT_REACHED } from '../rtsp/refusals.ts';

/** Whom a connection can be asked of. */
const BY_TCP = /^(rtsps?|rtmps?|https?)$/;

/**
 * Resolves when the peer takes a connection and, where its protocol has a harmless question, answers. Throws
 * `stream_connect` or `stream_stalled`, or the signal's reason. Names are left to who opens the stream: Node looks up but a
 * few at a time, and one that nobody answers for would keep the others waiting.
 */
export async function knock(url: string, signal: AbortSignal, patienceMs = FIRST_PICTURE_MS): Promise<void> {
  const place = placeOf(url);
  // Who opens what cannot be read says what is wrong with it.
  if (!place || !BY_TCP.test(place.scheme)) return;
  const { port } = place;
  const host = place.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) === 0) return;
  const patience = linked(signal);
  let late = new LookoutError('stream_connect', `${NOT_REACHED}: ${host}:${port} took no connection for ${patienceMs / 1000} s`);
  const timer = setTimeout(() => { patience.abort(late); }, patienceMs);
  const socket = connect({ host, port, signal: patience.signal });
  try {
    await once(socket, 'connect');
    if (place.scheme !== 'rtsp') return;
    late = new LookoutError('stream_stalled', `the camera took the connection and said nothing for ${patienceMs / 1000} s`);
    // What ffmpeg asks first, too.
    socket.write(bytesOf({ start: `OPTIONS ${uriOf(place)} RTSP/1.0`, headers: ['CSeq: 1', 'User-Agent: Lookout'] }));
    const { done } = await socket[Symbol.asyncIterator]().next() as IteratorResult<Buffer>;
    if (done) throw new Error(`${host}:${port} took the connection and closed it`);
  } catch (error) {
    if (patience.signal.aborted) throw patience.signal.reason;
    throw new LookoutError('stream_connect', `${NOT_REACHED}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  } finally {
    clearTimeout(timer);
    patience.release();
    socket.destroy();
  }
}
