/** RTSP messages (RFC 2326) and the packets interleaved with them, to and from bytes. */

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

const DOLLAR = 0x24;
const MAX_HEAD = 16_384;
const MAX_BODY = 65_536;

/** Everything complete at the start of `bytes`, and the rest. */
export function parseMessages(bytes: Buffer): { readonly messages: readonly Message[]; readonly rest: Buffer } {
  const messages: Message[] = [];
  let rest = bytes;
  for (;;) {
    const taken = rest[0] === DOLLAR ? takeInterleaved(rest) : takeRequest(rest);
    if (taken === null) return { messages, rest };
    messages.push(taken.message);
    rest = rest.subarray(taken.length);
  }
}

interface Taken {
  readonly message: Message;
  readonly length: number;
}

function takeInterleaved(bytes: Buffer): Taken | null {
  if (bytes.length < 4) return null;
  const length = 4 + bytes.readUInt16BE(2);
  if (bytes.length < length) return null;
  return { message: { kind: 'interleaved', channel: bytes.readUInt8(1), bytes: bytes.subarray(4, length) }, length };
}

function takeRequest(bytes: Buffer): Taken | null {
  const end = bytes.subarray(0, MAX_HEAD).indexOf('\r\n\r\n');
  if (end < 0) {
    return bytes.length < MAX_HEAD ? null : malformed(bytes, `an RTSP head is longer than ${MAX_HEAD} bytes`);
  }
  const [first = '', ...lines] = bytes.toString('utf8', 0, end).trimStart().split('\r\n');
  const [, method, uri] = /^([A-Z_]+) (\S+) RTSP\/1\.0$/.exec(first) ?? [];
  if (method === undefined || uri === undefined) return malformed(bytes, `not an RTSP/1.0 request: ${first.slice(0, 80)}`);
  const headers = new Map(lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
  }));
  const size = Number(headers.get('content-length') ?? 0);
  if (!Number.isInteger(size) || size < 0 || size > MAX_BODY) return malformed(bytes, `an RTSP body of ${size} bytes is not taken`);
  const length = end + 4 + size;
  if (bytes.length < length) return null;
  return { message: { kind: 'request', method, uri, headers, body: bytes.toString('utf8', end + 4, length) }, length };
}

function malformed(bytes: Buffer, reason: string): Taken {
  return { message: { kind: 'malformed', reason }, length: bytes.length };
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
  return Buffer.from([DOLLAR, channel, length >> 8, length & 0xff]);
}
