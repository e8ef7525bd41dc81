/** One connection to an RTSP camera: what is asked and answered there, and the packets in between. */
import type { Socket } from 'node:net';
import { LookoutError } from '../../errors.ts';
import { BEFORE_PACKET, bytesOf, createReader, headerOf, headersOf, statusOf, type Message } from '../../lib/rtsp-messages.ts';
import type { StreamPlace } from '../../words/stream-place.ts';
import type { Authorize } from '../network/authentication.ts';
import type { Intake } from '../network/intake.ts';
import { FIRST_PICTURE_MS } from '../pictures/patience.ts';
import { challengesOf, type Login } from './login.ts';
import { ENDED_EARLY, NOT_REACHED, refusalError } from './refusals.ts';

/** The camera is not where it was asked. */
export class Redirected extends Error {
  readonly location: string;

  constructor(location: string) {
    super('the camera sends us on');
    this.location = location;
  }
}

export interface Listener {
  /** A packet of this channel: `bytes` from `start` to `end`. What it throws ends the conversation. */
  packet(channel: number, bytes: Buffer, start: number, end: number): void;
  /** What came can be nothing, and was passed over. */
  lose(): void;
}

export interface Conversation {
  /** The answer, to a login where one is asked for. Throws why it is no good, or Redirected. */
  ask(method: string, uri: string, headers?: Readonly<Record<string, string>>): Promise<Message>;
  /** From now on packets are expected, and garbage is passed over: before that, it is no RTSP camera. */
  listen(listener: Listener): void;
  /** Sends a packet on this channel. */
  tell(channel: number, packet: Buffer): void;
  readonly close: () => void;
  /** Resolves when it is over; with null if in order. */
  readonly ended: Promise<Error | null>;
}

interface Asked {
  readonly resolve: (answer: Message) => void;
  readonly reject: (error: Error) => void;
}

/** Some cameras repeat a challenge whose nonce has become too old in the meantime. */
const MOST_TRIES = 2;
/** Of what it does not read. */
const MOST_UNREAD_BYTES = 64 * 1024;
/** To its own questions. */
const HARMLESS = /^(OPTIONS|GET_PARAMETER|SET_PARAMETER) /;

export function converse(socket: Socket, intake: Intake, place: StreamPlace, login: Login, hide: (text: string) => string): Conversation {
  const asked = new Map<string, Asked>();
  let sequence = 0;
  let authorize: Authorize | null = null;
  let hasAnswered = false;
  let listener: Listener | null = null;
  let isOver = false;
  let end: (error: Error | null) => void = () => undefined;
  const ended = new Promise<Error | null>((resolve) => { end = resolve; });

  const read = createReader({
    packet(bytes, start, end) {
      if (!isOver) listener?.packet(bytes.readUInt8(start + 1), bytes, start + BEFORE_PACKET, end);
    },
    message(message) {
      if (Number.isNaN(statusOf(message))) answerItself(message);
      else answered(message);
    },
    illegible(why) {
      if (!listener) throw new LookoutError('stream_codec', `the camera speaks no RTSP: its answer ${why}`);
      listener.lose();
    },
  });

  function answered(answer: Message): void {
    hasAnswered = true;
    const number = headerOf(answer, 'cseq') ?? '';
    // Some do not count.
    const [oldest = ''] = asked.keys();
    const known = asked.has(number) ? number : oldest;
    asked.get(known)?.resolve(answer);
    asked.delete(known);
  }

  function answerItself(question: Message): void {
    if (socket.writableLength > MOST_UNREAD_BYTES) throw new LookoutError('stream_ended', 'the camera asks and asks, and reads no answer');
    write(`RTSP/1.0 ${HARMLESS.test(question.start) ? '200 OK' : '501 Not Implemented'}`, [`CSeq: ${headerOf(question, 'cseq') ?? '0'}`]);
  }

  function write(start: string, headers: readonly string[]): void {
    if (socket.writable) socket.write(bytesOf({ start, headers }));
  }

  function over(error: Error | null): void {
    if (isOver) return;
    isOver = true;
    socket.destroy();
    const early = new LookoutError('stream_connect', hasAnswered ? ENDED_EARLY : `${NOT_REACHED}: ${place.hostname}:${place.port} took the connection and closed it`);
    for (const { reject } of asked.values()) reject(error instanceof LookoutError ? error : early);
    asked.clear();
    end(error);
  }

  function send(method: string, uri: string, headers: Readonly<Record<string, string>>): Promise<Message> {
    sequence += 1;
    const number = String(sequence);
    const authorization = authorize?.(method, uri);
    const all = { CSeq: number, 'User-Agent': 'Lookout', ...headers, ...(authorization !== undefined && { Authorization: authorization }) };
    write(`${method} ${uri} RTSP/1.0`, Object.entries(all).map(([name, value]) => `${name}: ${value}`));
    const silent = hasAnswered ? 'no picture came: nothing' : 'the camera took the connection and said nothing';
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        asked.delete(number);
        reject(new LookoutError('stream_stalled', `${silent} for ${FIRST_PICTURE_MS / 1000} s`));
      }, FIRST_PICTURE_MS);
      asked.set(number, {
        resolve(answer) {
          clearTimeout(timer);
          resolve(answer);
        },
        reject(error) {
          clearTimeout(timer);
          reject(error);
        },
      });
    });
  }

  async function ask(method: string, uri: string, headers: Readonly<Record<string, string>> = {}, tries = 0): Promise<Message> {
    if (isOver) throw new LookoutError('stream_connect', ENDED_EARLY);
    const answer = await send(method, uri, headers);
    const status = statusOf(answer);
    if (status === 401 && (tries === 0 || (tries < MOST_TRIES && headersOf(answer, 'www-authenticate').some((one) => /\bstale="?true/i.test(one))))) {
      const how = login.answer(challengesOf(answer), place);
      if (how instanceof LookoutError) throw how;
      authorize = how;
      return ask(method, uri, headers, tries + 1);
    }
    const location = headerOf(answer, 'location');
    if (status >= 300 && status < 400 && location !== undefined) throw new Redirected(location);
    if (!(status >= 200 && status < 300)) throw refusalError(method, status, answer.start, hide);
    return answer;
  }

  intake.hear((bytes) => {
    try {
      read(bytes);
    } catch (error) {
      over(error as Error);
    }
  });
  socket.on('error', over).on('end', () => { over(null); }).on('close', () => { over(null); });

  return {
    ask: (method, uri, headers) => ask(method, uri, headers),
    tell(channel, packet) {
      if (socket.writable) socket.write(Buffer.concat([Buffer.from([0x24, channel, packet.length >> 8, packet.length & 0xff]), packet]));
    },
    listen(one) {
      listener = one;
    },
    close: () => { over(null); },
    ended,
  };
}
