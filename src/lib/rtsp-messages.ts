/** RTSP (RFC 2326) taken apart and put together: messages, whose characters are bytes, and the packets between them. Bytes are never changed. */
import { LookoutError } from '../errors.ts';

export interface Message {
  readonly start: string;
  /** As they came, without line ends. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

export interface Listener {
  /** A packet with the four bytes before it: `bytes` from `start` to `end`, which stay as they are. */
  packet(bytes: Buffer, start: number, end: number): void;
  message(message: Message): void;
  /** What came `is no RTSP`, say. Unless this throws, it is passed over up to what may be some. */
  illegible(why: string): void;
}

export const BEFORE_PACKET = 4;
const [DOLLAR, CR, LF] = [0x24, 0x0d, 0x0a];
/** That cameras use, of the 256 there are. */
const MOST_CHANNELS = 16;
const MOST_HEAD = 64 * 1024;
/** Of a line that is read to know how long a message is. */
const MOST_LINE = 8 * 1024;
const MOST_BODY = 1024 * 1024;

/** Told bytes as they come, tells of whole pieces; of what is not whole, only that is kept. Throws what its listener throws. */
export function createReader(listener: Listener): (bytes: Buffer) => void {
  let rest: Buffer | null = null;
  /** Bytes of `rest` that came, and those that its piece has; 0: nobody knows yet. */
  let [filled, needed] = [0, 0];

  function keep(bytes: Buffer, length: number): void {
    needed = length;
    filled = bytes.length;
    rest = Buffer.allocUnsafe(Math.max(length, filled));
    bytes.copy(rest);
  }

  function take(bytes: Buffer, start: number, end: number): void {
    if (bytes[start] === DOLLAR) listener.packet(bytes, start, end);
    else listener.message(parse(bytes, start, end));
  }

  return (chunk) => {
    let bytes = chunk;
    let at = 0;
    if (rest) {
      const piece = rest;
      if (filled + chunk.length < needed) {
        chunk.copy(piece, filled);
        filled += chunk.length;
        return;
      }
      rest = null;
      if (needed > 0) {
        at = needed - filled;
        chunk.copy(piece, filled, 0, at);
        take(piece, 0, needed);
      } else bytes = Buffer.concat([piece, chunk]);
    }
    const places = placesIn(bytes);
    while (at < bytes.length) {
      const first = bytes[at];
      if (first === CR || first === LF) {
        at += 1;
        continue;
      }
      const length = first === DOLLAR ? packetLength(bytes, at) : messageLength(bytes, at, places);
      if (typeof length === 'string') {
        listener.illegible(length);
        at = nextStart(bytes, at + 1);
      } else if (length > 0 && at + length <= bytes.length) {
        take(bytes, at, at + length);
        at += length;
      } else {
        keep(bytes.subarray(at), length);
        return;
      }
    }
  };
}

/** 0: nobody knows yet. */
function packetLength(bytes: Buffer, at: number): number {
  return bytes.length < at + BEFORE_PACKET ? 0 : BEFORE_PACKET + bytes.readUInt16BE(at + 2);
}

/** 0: nobody knows yet; a text: why it can be none. */
function messageLength(bytes: Buffer, at: number, { lineEnd, headEnd, sizeLine }: Places): number | string {
  const beginning = bytes.toString('latin1', at, at + 20);
  if (!/^(RTSP\/(\d|$)|[A-Z_]+( |$))/.test(beginning)) return 'is no RTSP';
  const line = beginning.startsWith('RTSP/') ? -1 : lineEnd(at);
  if (line >= 0 && !/^\S+ \S+ RTSP\/\d/.test(bytes.toString('latin1', at, Math.min(line, at + MOST_LINE)))) return 'is no RTSP';
  const end = headEnd(at);
  if (end < 0 || end - at > MOST_HEAD) return bytes.length - at >= MOST_HEAD ? `has no end within ${MOST_HEAD} bytes` : 0;
  const own = sizeLine(at);
  const size = Number(/:(.*)/.exec(bytes.toString('latin1', own, Math.min(end, own + MOST_LINE)))?.[1] ?? 0);
  return Number.isInteger(size) && size >= 0 && size <= MOST_BODY ? end - at + size : `says that it has ${size} bytes`;
}

/** Where the next of something is, from a place on; -1: nowhere. */
type Next = (from: number) => number;

interface Places {
  readonly lineEnd: Next;
  readonly headEnd: Next;
  readonly sizeLine: Next;
}

function placesIn(bytes: Buffer): Places {
  const headEnd = onward((from) => headEndFrom(bytes, from));
  return { lineEnd: onward((from) => bytes.indexOf(LF, from)), headEnd, sizeLine: onward((from) => sizeLineFrom(bytes, from, headEnd(from))) };
}

/** Asked from places that only go on, however many: all is looked through once. */
function onward(find: Next): Next {
  let found = 0;
  return (from) => {
    if (found >= 0 && found <= from) found = find(from);
    return found;
  };
}

/** After the empty line that ends the head; -1: it has not come. Some end lines with a line feed alone. */
function headEndFrom(bytes: Buffer, start: number): number {
  for (let at = bytes.indexOf(LF, start); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    const next = bytes[at + 1] === CR ? at + 2 : at + 1;
    if (bytes[next] === LF) return next + 1;
  }
  return -1;
}

/** Of the line that says how long the body is; the end of the head: none does. */
function sizeLineFrom(bytes: Buffer, start: number, end: number): number {
  for (let at = bytes.indexOf(LF, start) + 1; at < end; at = bytes.indexOf(LF, at) + 1) {
    if (/^[ \t]*content-length[ \t]*:/i.test(bytes.toString('latin1', at, at + 40))) return at;
  }
  return end;
}

function headOf(bytes: Buffer, start: number, end: number): Pick<Message, 'start' | 'headers'> {
  const [first = '', ...headers] = bytes.toString('latin1', start, end).trimEnd().split(/\r?\n/);
  return { start: first, headers };
}

function parse(bytes: Buffer, start: number, end: number): Message {
  const head = headEndFrom(bytes, start);
  return { ...headOf(bytes, start, head), body: bytes.subarray(head, end) };
}

/** Of the first RTP or RTCP packet (both begin with their version, 2) or answer from there on; the end: none. */
function nextStart(bytes: Buffer, from: number): number {
  for (let at = from; at < bytes.length; at += 1) {
    if (bytes[at] === DOLLAR && (bytes[at + 1] ?? 0) < MOST_CHANNELS && ((bytes[at + BEFORE_PACKET] ?? 0x80) & 0xc0) === 0x80) return at;
    if (bytes[at] === 0x52 && 'RTSP/'.startsWith(bytes.toString('latin1', at, at + 5))) return at;
  }
  return bytes.length;
}

/** NaN: it is a request. */
export function statusOf({ start }: Pick<Message, 'start'>): number {
  return Number(/^RTSP\/\S+ +(\d{3})/.exec(start)?.[1] ?? NaN);
}

export function headerOf(message: Pick<Message, 'headers'>, name: string): string | undefined {
  return headersOf(message, name)[0];
}

export function headersOf({ headers }: Pick<Message, 'headers'>, name: string): readonly string[] {
  return headers.flatMap((line) => {
    const colon = line.indexOf(':');
    return line.slice(0, colon).trim().toLowerCase() === name ? [line.slice(colon + 1).trim()] : [];
  });
}

/** The message with another value for a header; null: without it. */
export function withHeader(message: Message, name: string, value: string | null): Message {
  const others = message.headers.filter((line) => line.slice(0, line.indexOf(':')).trim().toLowerCase() !== name.toLowerCase());
  return { ...message, headers: value === null ? others : [...others, `${name}: ${value}`] };
}

const NOTHING = Buffer.alloc(0);
/** What would end its line, or become another character on the way, which may; some end lines with two carriage returns. */
const UNFIT = /\n|\r(?!$)|[^\0-\xff]/;

/** Throws where a line would be more than one: whoever is asked may be no camera, and obey the next. */
export function bytesOf({ start, headers, body = NOTHING }: Omit<Message, 'body'> & { readonly body?: Buffer }): Buffer {
  const lines = [start, ...headers];
  if (lines.some((line) => UNFIT.test(line))) throw new LookoutError('stream_connect', 'what would be told to the camera holds a line break, or a character that no line of RTSP may');
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}
