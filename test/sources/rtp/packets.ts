/** RTP packets as tests want them, and the units that are made of them. */
import type { Assembler, Unit } from '../../../src/sources/rtp/unit.ts';
import { createReceiver } from '../../../src/sources/rtp/receiver.ts';

export const PAYLOAD_TYPE = 96;

export interface Sent {
  readonly sequence: number;
  readonly timestamp?: number;
  readonly marker?: boolean;
  readonly payload: Buffer;
}

export function rtp({ sequence, timestamp = 0, marker = false, payload }: Sent): Buffer {
  const bytes = Buffer.alloc(12 + payload.length);
  bytes[0] = 0x80;
  bytes[1] = PAYLOAD_TYPE + (marker ? 0x80 : 0);
  bytes.writeUInt16BE(sequence & 0xffff, 2);
  bytes.writeUInt32BE(timestamp, 4);
  bytes.writeUInt32BE(7, 8);
  payload.copy(bytes, 12);
  return bytes;
}

/** The payloads of one picture's packets, numbered from `sequence` on, the last one marked. */
export function picture(sequence: number, timestamp: number, payloads: readonly Buffer[]): readonly Sent[] {
  return payloads.map((payload, index) => ({ sequence: sequence + index, timestamp, marker: index === payloads.length - 1, payload }));
}

/** All units that come of these, without waiting for more. */
export function unitsOf(assembler: Assembler, packets: readonly (Sent | Buffer)[]): readonly Unit[] {
  const units: Unit[] = [];
  const receiver = createReceiver({ payloadType: PAYLOAD_TYPE, clockRate: 90_000 }, assembler, (unit) => { units.push(unit); });
  for (const one of packets) {
    const bytes = Buffer.isBuffer(one) ? one : rtp(one);
    receiver.packet(bytes, 0, bytes.length, 0);
  }
  return units;
}

export const bytesOf = ({ parts }: Unit): Buffer => Buffer.concat(parts);
/** Annex B. */
export const annexB = (...nals: readonly Buffer[]): Buffer => Buffer.concat(nals.flatMap((nal) => [Buffer.from([0, 0, 0, 1]), nal]));

/** A NAL unit of H.264 in fragments (FU-A) of so many bytes. */
export function fragments(nal: Buffer, most: number): readonly Buffer[] {
  const first = nal.readUInt8(0);
  const pieces: Buffer[] = [];
  for (let at = 1; at < nal.length; at += most) {
    const [begins, ends] = [at === 1 ? 0x80 : 0, at + most >= nal.length ? 0x40 : 0];
    pieces.push(Buffer.concat([Buffer.from([(first & 0xe0) | 28, begins | ends | (first & 0x1f)]), nal.subarray(at, at + most)]));
  }
  return pieces;
}

/** What stands before each NAL unit of an aggregation packet. */
export const measured = (...nals: readonly Buffer[]): Buffer => Buffer.concat(nals.flatMap((nal) => [Buffer.from([nal.length >> 8, nal.length & 0xff]), nal]));

/** NAL units of a byte stream. */
export function nalsOf(stream: Buffer): readonly Buffer[] {
  const nals: Buffer[] = [];
  const code = Buffer.from([0, 0, 1]);
  for (let at = stream.indexOf(code); at >= 0;) {
    const next = stream.indexOf(code, at + 3);
    let end = next < 0 ? stream.length : next;
    // Start codes may have another zero, and units be filled up with some.
    while (next >= 0 && stream[end - 1] === 0) end -= 1;
    nals.push(stream.subarray(at + 3, end));
    at = next;
  }
  return nals;
}
