/** RTSP messages (RFC 2326) and the packets interleaved with them, to and from bytes. */
import { BEFORE_PACKET, createReader, type Message as RtspMessage } from '../lib/rtsp-messages.ts';

export interface Request {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: string;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** An RTP or RTCP packet on a channel of the connection (RFC 2326, 10.12). */
export interface Interleaved {
  readonly kind: 'interleaved';
  readonly channel: number;
  readonly bytes: Buffer;
}

/** Bytes that can never become a message. Nothing comes after it. */
export interface Malformed {
  readonly kind: 'malformed';
  readonly reason: string;
}

export type Message = Request | Interleaved | Malformed;

export interface Response {
  readonly status: keyof typeof REASONS;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const REASONS = {
  200: 'OK',
  400: 'Bad Request',
  302: 'Found',
  401: 'Unauthorized',
  404: 'Not Found',
  453: 'Not Enough Bandwidth',
  454: 'Session Not Found',
  461: 'Unsupported Transport',
  501: 'Not Implemented',
  503: 'Service Unavailable',
} as const;

/** Told bytes as they come, gives what is whole of them. */
export function createMessages(): (bytes: Buffer) => readonly Message[] {
  let messages: Message[] = [];
  const read = createReader({
    packet(bytes, start, end) { messages.push({ kind: 'interleaved', channel: bytes.readUInt8(start + 1), bytes: bytes.subarray(start + BEFORE_PACKET, end) }); },
    message(message) { messages.push(requestOf(message)); },
    illegible(why) { throw new Error(`a message ${why}`); },
  });
  return (bytes) => {
    messages = [];
    try {
      read(bytes);
    } catch (error) {
      messages.push({ kind: 'malformed', reason: (error as Error).message });
    }
    return messages;
  };
}

/** Throws where it is none. */
function requestOf({ start, headers, body }: RtspMessage): Request {
  const [, method, uri] = /^([A-Z_]+) (\S+) RTSP\/1\.0$/.exec(start) ?? [];
  if (method === undefined || uri === undefined) throw new Error(`not an RTSP/1.0 request: ${start.slice(0, 80)}`);
  return {
    kind: 'request', method, uri, body: body.toString(),
    headers: new Map(headers.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
    })),
  };
}

/** The answer to `request` as text. */
export function formatResponse(request: Pick<Request, 'headers'> | null, { status, headers = {}, body = '' }: Response): string {
  const all: Record<string, string> = {
    CSeq: request?.headers.get('cseq') ?? '0',
    ...headers,
    ...(body === '' ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }),
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `RTSP/1.0 ${status} ${REASONS[status]}\r\n${lines.join('')}\r\n${body}`;
}

/** What stands before an RTP or RTCP packet inside the connection. */
export function interleavedHead(channel: number, length: number): Buffer {
  return Buffer.from([0x24, channel, length >> 8, length & 0xff]);
}
