/** Compressed pictures as fragments of MP4 (ISO/IEC 14496-12, 8.8), one for each, that a browser plays while they come. */
import { createDecodeTimes } from '../../native/decode-times.ts';
import type { Track } from '../../native/mp4.ts';

export interface Fragment {
  readonly bytes: Buffer;
  /** A viewer may begin with it, after the head. */
  readonly key: boolean;
}

export interface Fragments {
  /**
   * A unit (Annex B) in order of arrival, and its time in whole ticks. Answers the fragment of the one before, which lasts until
   * this one; null for the first.
   */
  write(bytes: Buffer, pts: number, key: boolean): Fragment | null;
}

interface Sample {
  readonly bytes: Buffer;
  readonly key: boolean;
  readonly pts: number;
  readonly dts: number;
}

export function createFragments({ reordering, spacing }: Pick<Track, 'reordering' | 'spacing'>): Fragments {
  const times = createDecodeTimes(reordering, spacing);
  let zero: number | null = null;
  let sequence = 0;
  let before: Sample | null = null;
  return {
    write(bytes, at, key) {
      const { pts, dts } = times.next(at);
      zero ??= dts;
      const last = before;
      before = { bytes: withLengths(bytes), key, pts: pts - zero, dts: dts - zero };
      if (!last) return null;
      sequence += 1;
      return { bytes: fragmentOf(last, sequence, before.dts - last.dts), key: last.key };
    },
  };
}

const TRACK = 1;
/** Of `moof` with all that is in it, and of the head of `mdat`. */
const [MOVIE_BYTES, HEAD_BYTES] = [104, 8];
const BASE_IS_MOOF = 0x020000;
/** Where the data is; and of each sample how long it lasts, its bytes, its flags, and how much later it is shown than decoded. */
const SAMPLE_FIELDS = 0x000f01;
/** It depends on no other; it depends on others, and nothing can begin with it. */
const [SYNC, NON_SYNC] = [0x02000000, 0x01010000];

function fragmentOf({ bytes, key, pts, dts }: Sample, sequence: number, duration: number): Buffer {
  const fragment = Buffer.allocUnsafe(MOVIE_BYTES + HEAD_BYTES + bytes.length);
  let at = 0;
  const number = (value: number): void => { at = fragment.writeUInt32BE(value, at); };
  const box = (size: number, type: string): void => {
    number(size);
    at += fragment.write(type, at, 'latin1');
  };
  box(MOVIE_BYTES, 'moof');
  box(16, 'mfhd');
  for (const value of [0, sequence]) number(value);
  box(MOVIE_BYTES - 24, 'traf');
  box(16, 'tfhd');
  for (const value of [BASE_IS_MOOF, TRACK]) number(value);
  box(20, 'tfdt');
  number(0x01000000);
  at = fragment.writeBigUInt64BE(BigInt(dts), at);
  box(36, 'trun');
  for (const value of [SAMPLE_FIELDS, 1, MOVIE_BYTES + HEAD_BYTES, duration, bytes.length, key ? SYNC : NON_SYNC, pts - dts]) number(value);
  box(HEAD_BYTES + bytes.length, 'mdat');
  bytes.copy(fragment, at);
  return fragment;
}

const START = Buffer.from([0, 0, 1]);
/** Of one picture. Those whose slices fill a packet each have a thousand; what has more is none, and a part every few bytes takes a hundred times its own memory. */
const MOST_PARTS = 16_384;

/** Each part behind its length, as MP4 has it, and not behind a start code. */
function withLengths(unit: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let start = unit.indexOf(START); start >= 0;) {
    const next = parts.length < 2 * MOST_PARTS ? unit.indexOf(START, start + START.length) : -1;
    let end = next < 0 ? unit.length : next;
    // The first byte of a longer start code, and padding.
    while (next >= 0 && unit[end - 1] === 0) end -= 1;
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32BE(end - start - START.length);
    parts.push(length, unit.subarray(start + START.length, end));
    start = next;
  }
  return Buffer.concat(parts);
}
