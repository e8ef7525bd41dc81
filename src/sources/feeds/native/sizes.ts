/** What a picture says of its own size, before anything is decoded of it. */
import { measure } from '../../../lib/jpeg.ts';
import type { Codec } from './decoder.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Sizes {
  /** Pixels that are decoded: whole blocks. */
  readonly coded: Size;
  /** Those of them that are meant to be seen. */
  readonly shown: Size;
}

/** null: it says nothing that can be read. */
export function sizesOf(codec: Codec, bytes: Buffer): Sizes | null {
  if (codec === 'jpeg') {
    const size = measure(bytes);
    return size && { coded: size, shown: size };
  }
  const set = parameterSet(codec, bytes);
  if (!set) return null;
  const read = readerOf(set);
  return codec === 'h264' ? h264Sizes(read) : h265Sizes(read);
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

/** `across`, `down`: pixels that belong to one step. */
function cropped(coded: Size, read: Reader, across: number, down: number): Sizes {
  if (read.bits(1) === 0) return { coded, shown: coded };
  const [left, right, top, bottom] = [read.golomb(), read.golomb(), read.golomb(), read.golomb()];
  return { coded, shown: { width: coded.width - across * (left + right), height: coded.height - down * (top + bottom) } };
}

/** Pixels that share a sample of colour, by how chroma is kept: not at all, 4:2:0, 4:2:2, 4:4:4. */
const CHROMA = [[1, 1], [2, 2], [2, 1], [1, 1]] as const;
const chromaOf = (format: number): readonly [number, number] => CHROMA[format] ?? [1, 1];

function h264Sizes(read: Reader): Sizes {
  const profile = read.bits(8);
  read.skip(16);
  read.golomb();
  const [across, down] = chromaOf(HIGH.includes(profile) ? readChroma(read) : 1);
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
  const fields = read.bits(1) === 1 ? 1 : 2;
  read.skip(fields);
  return cropped({ width: 16 * columns, height: 16 * rows * fields }, read, across, down * fields);
}

function readChroma(read: Reader): number {
  const chroma = read.golomb();
  if (chroma === 3) read.skip(1);
  read.golomb();
  read.golomb();
  read.skip(1);
  if (read.bits(1) === 0) return chroma;
  for (let list = 0; list < (chroma === 3 ? 12 : 8); list += 1) if (read.bits(1) === 1) skipScaling(read, list < 6 ? 16 : 64);
  return chroma;
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

function h265Sizes(read: Reader): Sizes {
  read.skip(4);
  const layers = read.bits(3);
  read.skip(1 + GENERAL_PROFILE_BITS);
  const said = Array.from({ length: layers }, () => ({ profile: read.bits(1), level: read.bits(1) }));
  if (layers > 0) read.skip(2 * (8 - layers));
  for (const { profile, level } of said) read.skip(88 * profile + 8 * level);
  read.golomb();
  const chroma = read.golomb();
  if (chroma === 3) read.skip(1);
  return cropped({ width: read.golomb(), height: read.golomb() }, read, ...chromaOf(chroma));
}
