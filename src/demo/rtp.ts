/** An RTP packet with H.264 inside an RTSP connection (RFC 3550, RFC 6184): what is read of it, and written into it. */
import type { PacketRule } from './relay.ts';

export interface Rtp {
  /** With the four bytes before the packet itself. */
  readonly bytes: Buffer;
  readonly sequence: number;
  readonly timestamp: number;
  /** A piece of a key frame, but not its first. */
  readonly continuesKeyFrame: boolean;
}

const SEQUENCE = 6;
const TIMESTAMP = 8;
const PAYLOAD = 16;
const [KEY_SLICE, PIECE] = [5, 28];

/** A rule for the pictures; reports about them come through. */
export function onRtp(rule: (rtp: Rtp, sinceMs: number) => readonly Buffer[] | 'cut'): PacketRule {
  return ({ channel, bytes }, sinceMs) => (channel === 0 ? rule(read(bytes), sinceMs) : [bytes]);
}

function read(bytes: Buffer): Rtp {
  const [unit = 0, piece = 0] = bytes.subarray(PAYLOAD);
  const continuesKeyFrame = (unit & 31) === PIECE && (piece & 31) === KEY_SLICE && (piece & 0x80) === 0;
  return { bytes, sequence: bytes.readUInt16BE(SEQUENCE), timestamp: bytes.readUInt32BE(TIMESTAMP), continuesKeyFrame };
}

export function stamped({ bytes }: Rtp, timestamp: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt32BE(((timestamp % 2 ** 32) + 2 ** 32) % 2 ** 32, TIMESTAMP);
  return copy;
}

export function numbered(bytes: Buffer, sequence: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt16BE(sequence & 0xffff, SEQUENCE);
  return copy;
}

/** With other bytes in place of the picture. */
export function filled({ bytes }: Rtp, fill: (payload: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes);
  fill(copy.subarray(PAYLOAD));
  return copy;
}
