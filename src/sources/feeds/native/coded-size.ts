/** What a picture says of its own size, for telling why a decoder refused it. */
import { measure } from '../../../lib/jpeg.ts';
import type { Codec } from './decoder.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Pixels before cropping. null: it says nothing that can be read. */
export function codedSize(codec: Codec, bytes: Buffer): Size | null {
  if (codec === 'jpeg') return measure(bytes);
  const set = parameterSet(codec, bytes);
  if (!set) return null;
  const read = readerOf(set);
  return codec === 'h264' ? h264Size(read) : h265Size(read);
}

const START = Buffer.from([0, 0, 1]);
const MOST_BYTES = 256;

/** The first sequence parameter set, without its header. */
function parameterSet(codec: 'h264' | 'h265', bytes: Buffer): Buffer | null {
  for (let at = bytes.indexOf(START); at >= 0; at = bytes.indexOf(START, at + 3)) {
    const header = bytes[at + 3] ?? 0;
    if (codec === 'h264' ? (header & 0x1f) === 7 : (header >> 1 & 0x3f) === 33) {
      const begin = at + (codec === 'h264' ? 4 : 5);
      return unescaped(bytes.subarray(begin, begin + MOST_BYTES));
    }
  }
  return null;
}

/** Without the bytes that keep start codes out. */
function unescaped(bytes: Buffer): Buffer {
  return Buffer.from([...bytes].filter((byte, at) => !(byte === 3 && bytes[at - 1] === 0 && bytes[at - 2] === 0)));
}

interface Reader {
  bits(count: number): number;
  skip(count: number): void;
  /** Exp-Golomb, unsigned. */
  golomb(): number;
}

/** Behind the end are zeros. */
function readerOf(bytes: Buffer): Reader {
  let at = 0;
  const bit = (): number => {
    const value = (bytes[at >> 3] ?? 0) >> (7 - (at & 7)) & 1;
    at += 1;
    return value;
  };
  const bits = (count: number): number => Array.from({ length: count }, bit).reduce((value, next) => value * 2 + next, 0);
  return {
    bits,
    skip(count) { at += count; },
    golomb() {
      let zeros = 0;
      while (zeros < 32 && bit() === 0) zeros += 1;
      return 2 ** zeros - 1 + bits(zeros);
    },
  };
}

/** Profiles that say more of chroma and depth. */
const HIGH = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];

function h264Size(read: Reader): Size {
  const profile = read.bits(8);
  read.skip(16);
  read.golomb();
  if (HIGH.includes(profile)) skipChroma(read);
  read.golomb();
  const order = read.golomb();
  if (order === 0) read.golomb();
  if (order === 1) {
    read.skip(1);
    read.golomb();
    read.golomb();
    for (let left = Math.min(255, read.golomb()); left > 0; left -= 1) read.golomb();
  }
  read.golomb();
  read.skip(1);
  const [columns, rows] = [read.golomb() + 1, read.golomb() + 1];
  const isFrames = read.bits(1) === 1;
  return { width: 16 * columns, height: 16 * rows * (isFrames ? 1 : 2) };
}

function skipChroma(read: Reader): void {
  const chroma = read.golomb();
  if (chroma === 3) read.skip(1);
  read.golomb();
  read.golomb();
  read.skip(1);
  if (read.bits(1) === 0) return;
  for (let list = 0; list < (chroma === 3 ? 12 : 8); list += 1) if (read.bits(1) === 1) skipScaling(read, list < 6 ? 16 : 64);
}

function skipScaling(read: Reader, entries: number): void {
  let [last, next] = [8, 8];
  for (let entry = 0; entry < entries && next !== 0; entry += 1) {
    const code = read.golomb();
    const delta = code % 2 === 1 ? (code + 1) / 2 : -code / 2;
    next = (last + delta + 256) % 256;
    if (next !== 0) last = next;
  }
}

const GENERAL_PROFILE_BITS = 96;

function h265Size(read: Reader): Size {
  read.skip(4);
  const layers = read.bits(3);
  read.skip(1 + GENERAL_PROFILE_BITS);
  const said = Array.from({ length: layers }, () => ({ profile: read.bits(1), level: read.bits(1) }));
  if (layers > 0) read.skip(2 * (8 - layers));
  for (const { profile, level } of said) read.skip(88 * profile + 8 * level);
  read.golomb();
  if (read.golomb() === 3) read.skip(1);
  return { width: read.golomb(), height: read.golomb() };
}
