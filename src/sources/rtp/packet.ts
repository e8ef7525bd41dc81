/** The header of an RTP packet (RFC 3550, 5.1), read where it lies: `bytes` from `start` to `end`. */

const HEADER = 12;

/** Where its payload begins; -1: it is no RTP packet. */
export function payloadStart(bytes: Buffer, start: number, end: number): number {
  if (end - start < HEADER) return -1;
  const flags = bytes.readUInt8(start);
  if (flags >> 6 !== 2) return -1;
  const from = start + HEADER + 4 * (flags & 0x0f);
  const extended = (flags & 0x10) === 0 ? from : from + 4 <= end ? from + 4 + 4 * bytes.readUInt16BE(from + 2) : Infinity;
  return extended <= payloadEnd(bytes, start, end) ? extended : -1;
}

/** Without what fills it up. */
export function payloadEnd(bytes: Buffer, start: number, end: number): number {
  return (bytes.readUInt8(start) & 0x20) === 0 ? end : end - bytes.readUInt8(end - 1);
}

export const isMarked = (bytes: Buffer, start: number): boolean => (bytes.readUInt8(start + 1) & 0x80) !== 0;
export const payloadTypeOf = (bytes: Buffer, start: number): number => bytes.readUInt8(start + 1) & 0x7f;
export const sequenceOf = (bytes: Buffer, start: number): number => bytes.readUInt16BE(start + 2);
export const timestampOf = (bytes: Buffer, start: number): number => bytes.readUInt32BE(start + 4);
export const senderOf = (bytes: Buffer, start: number): number => bytes.readUInt32BE(start + 8);
