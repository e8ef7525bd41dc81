/** What runs through an RTSP connection as whole pieces, byte for byte: messages either way, and packets between them. */

export type Piece = Text | Packet;

/** A request or an answer. */
export interface Text {
  readonly kind: 'text';
  /** The first line and the headers, with the empty line after them. */
  readonly head: string;
  readonly body: string;
  readonly bytes: Buffer;
}

export interface Packet {
  readonly kind: 'packet';
  /** 0 has the pictures (RTP), 1 the reports about them. */
  readonly channel: number;
  /** With the four bytes before the packet itself. */
  readonly bytes: Buffer;
}

const DOLLAR = 0x24;
const BEFORE_PACKET = 4;

/** Told bytes as they come, gives the pieces that are whole. */
export function createSplitter(): (bytes: Buffer) => readonly Piece[] {
  let rest: Buffer = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    const pieces: Piece[] = [];
    for (let piece = first(rest); piece !== null; piece = first(rest)) {
      pieces.push(piece);
      rest = rest.subarray(piece.bytes.length);
    }
    return pieces;
  };
}

function first(bytes: Buffer): Piece | null {
  if (bytes[0] === DOLLAR) {
    if (bytes.length < BEFORE_PACKET) return null;
    const length = BEFORE_PACKET + bytes.readUInt16BE(2);
    return bytes.length < length ? null : { kind: 'packet', channel: bytes.readUInt8(1), bytes: bytes.subarray(0, length) };
  }
  const headEnd = bytes.indexOf('\r\n\r\n') + 4;
  if (headEnd < 4) return null;
  const head = bytes.toString('latin1', 0, headEnd);
  const length = headEnd + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  return bytes.length < length ? null : { kind: 'text', head, body: bytes.toString('latin1', headEnd, length), bytes: bytes.subarray(0, length) };
}

/** The message with another head or body; its length is set right. */
export function textOf(head: string, body: string): Buffer {
  return Buffer.from(head.replace(/^content-length:.*$/im, `Content-Length: ${body.length}`) + body, 'latin1');
}
