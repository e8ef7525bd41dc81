/** Whether somebody is there, before a processor is spent on it. */
import { once } from 'node:events';
import { connect, isIP } from 'node:net';
import { LookoutError } from '../../errors.ts';
import { linked } from '../../lib/linked.ts';
import { FIRST_PICTURE_MS } from '../pictures/patience.ts';

const NOT_REACHED = 'the camera could not be reached';

/** The port that a URL of the scheme means when it names none; and what a peer must answer to, if anything. */
interface Manners {
  readonly port: number;
  readonly greeting?: (address: string) => string;
}

/** What ffmpeg asks first, too. */
const options = (address: string): string => `OPTIONS ${address} RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: Lookout\r\n\r\n`;

const MANNERS: Readonly<Record<string, Manners>> = {
  'rtsp:': { port: 554, greeting: options },
  'rtsps:': { port: 322 },
  'rtmp:': { port: 1935 },
  'rtmps:': { port: 443 },
  'http:': { port: 80 },
  'https:': { port: 443 },
};

/**
 * Resolves when the peer takes a connection and, where its protocol has a harmless question, answers. Throws
 * `stream_connect` or `stream_stalled`, or the signal's reason. Names are left to who opens the stream: Node looks up but a
 * few at a time, and one that nobody answers for would keep the others waiting.
 */
export async function knock(url: string, signal: AbortSignal, patienceMs = FIRST_PICTURE_MS): Promise<void> {
  // Who opens it says what is wrong with it.
  if (!URL.canParse(url)) return;
  const { protocol, hostname, port, pathname, search } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const manners = MANNERS[protocol];
  if (!manners || isIP(host) === 0) return;
  const place = { host, port: Number(port) || manners.port };
  const patience = linked(signal);
  let late = new LookoutError('stream_connect', `${NOT_REACHED}: ${host}:${place.port} took no connection for ${patienceMs / 1000} s`);
  const timer = setTimeout(() => { patience.abort(late); }, patienceMs);
  const socket = connect({ ...place, signal: patience.signal });
  try {
    await once(socket, 'connect');
    if (!manners.greeting) return;
    late = new LookoutError('stream_stalled', `the camera took the connection and said nothing for ${patienceMs / 1000} s`);
    socket.write(manners.greeting(`${protocol}//${hostname}${port ? `:${port}` : ''}${pathname}${search}`));
    const { done } = await socket[Symbol.asyncIterator]().next() as IteratorResult<Buffer>;
    if (done) throw new Error(`${host}:${place.port} took the connection and closed it`);
  } catch (error) {
    if (patience.signal.aborted) throw patience.signal.reason;
    throw new LookoutError('stream_connect', `${NOT_REACHED}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  } finally {
    clearTimeout(timer);
    patience.release();
    socket.destroy();
  }
}
