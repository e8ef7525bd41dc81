/** RTSP as cameras speak it, taken apart: messages, and the packets between them. Bytes are never changed. */

export interface Message {
  readonly start: string;
  /** As they came, without line ends. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

export type Piece = { readonly packet: Buffer } | { readonly message: Message };

const DOLLAR = 0x24;
const MOST_HEAD = 64 * 1024;
const MOST_BODY = 1024 * 1024;

/** Whole pieces of what came so far; the rest waits for more. Throws where it can be no RTSP. */
export function createReader(): (bytes: Buffer) => Generator<Piece, void> {
  let rest: Buffer = Buffer.alloc(0);
  return function* read(bytes) {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    for (;;) {
      const taken = rest[0] === DOLLAR ? takePacket(rest) : takeMessage(rest);
      if (!taken) return;
      rest = rest.subarray(taken.length);
      yield taken.piece;
    }
  };
}

interface Taken {
  readonly piece: Piece;
  readonly length: number;
}

function takePacket(bytes: Buffer): Taken | null {
  const length = bytes.length < 4 ? Infinity : 4 + bytes.readUInt16BE(2);
  return bytes.length < length ? null : { piece: { packet: bytes.subarray(0, length) }, length };
}

function takeMessage(bytes: Buffer): Taken | null {
  const text = bytes.toString('latin1', 0, MOST_HEAD);
  // Some end lines with a line feed alone, and some send an empty one more.
  const [head, lead = '', lines = ''] = /^([\r\n]*)([^]+?)\r?\n\r?\n/.exec(text) ?? [];
  if (head === undefined) {
    if (text.length === MOST_HEAD) throw new Error(`its answer has no end within ${MOST_HEAD} bytes`);
    return null;
  }
  const [start = '', ...headers] = lines.split(/\r?\n/);
  if (lead.length > 0 && start === '') return null;
  if (!/^RTSP\/\d|^\S+ \S+ RTSP\/\d/.test(start)) throw new Error('its answer is no RTSP');
  const size = Number(headerOf({ headers }, 'content-length') ?? 0);
  if (!(size >= 0 && size <= MOST_BODY)) throw new Error(`its answer says that it has ${size} bytes`);
  const length = head.length + size;
  return bytes.length < length ? null : { piece: { message: { start, headers, body: bytes.subarray(head.length, length) } }, length };
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

export function bytesOf({ start, headers, body }: Message): Buffer {
  return Buffer.concat([Buffer.from(`${[start, ...headers].join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}
