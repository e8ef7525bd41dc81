/** What runs through an RTSP connection as whole pieces, byte for byte: messages either way, and packets between them. */
import { bytesOf, createReader } from '../lib/rtsp-messages.ts';

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

/** Told bytes as they come, gives the pieces that are whole. */
export function createSplitter(): (bytes: Buffer) => readonly Piece[] {
  let pieces: Piece[] = [];
  const read = createReader({
    packet(bytes, start, end) { pieces.push({ kind: 'packet', channel: bytes.readUInt8(start + 1), bytes: bytes.subarray(start, end) }); },
    message(message) {
      const { start, headers, body } = message;
      pieces.push({ kind: 'text', head: `${[start, ...headers].join('\r\n')}\r\n\r\n`, body: body.toString('latin1'), bytes: bytesOf(message) });
    },
    illegible: () => undefined,
  });
  return (bytes) => {
    pieces = [];
    read(bytes);
    return pieces;
  };
}

/** The message with another head or body; its length is set right. */
export function textOf(head: string, body: string): Buffer {
  return Buffer.from(head.replace(/^content-length:.*$/im, `Content-Length: ${body.length}`) + body, 'latin1');
}
