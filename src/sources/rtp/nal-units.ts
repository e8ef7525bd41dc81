/** Pictures of H.264 and H.265 put together out of NAL units, which come whole or in fragments. */
import { LookoutError } from '../../errors.ts';
import { createParameterSets } from './parameter-sets.ts';
import { MOST_UNIT_BYTES, MOST_UNIT_PARTS, partOf, type Unit } from './unit.ts';

/** What the codecs say differently. A NAL unit begins with `first`, the byte of its header that has the type. */
export interface Grammar {
  /** Bytes of the header. */
  readonly headerBytes: 1 | 2;
  typeOf(first: number): number;
  isSlice(type: number): boolean;
  isKey(type: number): boolean;
  isReference(first: number): boolean;
  isParameterSet(type: number): boolean;
  /** Whether supplemental information names the picture a recovery point. */
  isRecoveryPoint(type: number, bytes: Buffer, start: number, end: number): boolean;
}

export interface NalUnits {
  /** A whole one. */
  whole(bytes: Buffer, start: number, end: number): void;
  /** Each with its length before it. */
  several(bytes: Buffer, start: number, end: number): void;
  /** The first fragment of one, without its header. */
  begin(header: Buffer, bytes: Buffer, start: number, end: number): void;
  /** The next one. */
  go(bytes: Buffer, start: number, end: number): void;
  /** That was its last one. */
  end(): void;
  /** As Assembler has them. */
  readonly lose: () => void;
  readonly close: (ptsSeconds: number) => Unit | null;
  readonly isContinued: boolean;
  readonly isOpen: boolean;
  readonly parameterSets: () => Buffer;
}

const START_CODE = Buffer.from([0, 0, 0, 1]);
/** Which the other ends with. */
const SHORT_CODE = START_CODE.subarray(1);

/** Throws `stream_codec` where a picture grows beyond all bounds. */
export function createNalUnits(grammar: Grammar, described: readonly Buffer[]): NalUnits {
  const { headerBytes } = grammar;
  const sets = createParameterSets(described, (set) => grammar.typeOf(set[0] ?? 0));
  let parts: Buffer[] = [];
  let size = 0;
  /** Of the unit, for its parameter sets. */
  let number = 1;
  let [hasSlice, isKey, isReference, isDamaged, beganAfterLoss, isContinued] = [false, false, false, false, false, false];
  /** A NAL unit has begun and not ended. */
  let isOpen = false;
  /** Others may stand within it. */
  let isJoined = false;
  let lost = false;

  function note(first: number, afterHeader: number): void {
    const type = grammar.typeOf(first);
    if (!grammar.isSlice(type)) return;
    // The first bit of a slice tells whether it is the picture's first.
    if (!hasSlice && (afterHeader & 0x80) === 0) isContinued = true;
    hasSlice = true;
    if (grammar.isKey(type)) isKey = true;
    if (grammar.isReference(first)) isReference = true;
  }

  function push(part: Buffer): void {
    size += part.length;
    if (parts.push(part) > MOST_UNIT_PARTS || size > MOST_UNIT_BYTES) {
      throw new LookoutError('stream_codec', `it sends pictures of more than ${MOST_UNIT_BYTES / 2 ** 20} MB, or such as never end`);
    }
  }

  function start(): void {
    // Nothing was lost since it began: some do not say of a last fragment that it is the last.
    isOpen = isJoined = false;
    if (parts.length === 0) {
      beganAfterLoss = lost;
      lost = false;
    }
  }

  /** Where NAL units begin within what should be one: some cameras send a picture and what belongs to it as one, or leave the start codes in. */
  function beginningsIn(bytes: Buffer): readonly number[] {
    const isOdd = !grammar.isSlice(grammar.typeOf(bytes[0] ?? 0)) || (bytes[0] === 0 && bytes[1] === 0);
    const found: number[] = [];
    for (let at = isOdd ? bytes.indexOf(SHORT_CODE) : -1; at !== -1; at = bytes.indexOf(SHORT_CODE, at + 3)) found.push(at + 3);
    return found;
  }

  /** The slices that begin in a later fragment. */
  function noteWithin(bytes: Buffer): void {
    for (let at = bytes.indexOf(SHORT_CODE); at !== -1 && at + 3 + headerBytes < bytes.length; at = bytes.indexOf(SHORT_CODE, at + 3)) {
      note(bytes.readUInt8(at + 3), bytes.readUInt8(at + 3 + headerBytes));
    }
  }

  /** All but the last one of several that came as one; answers with that. */
  function wholeButLast(bytes: Buffer, beginnings: readonly number[]): Buffer {
    let from = 0;
    for (const next of beginnings) {
      let to = next - 3;
      while (to > from && bytes[to - 1] === 0) to -= 1;
      whole(bytes, from, to);
      from = next;
    }
    return bytes.subarray(from);
  }

  function whole(bytes: Buffer, from: number, to: number): void {
    start();
    if (to - from <= headerBytes) return;
    const beginnings = beginningsIn(bytes.subarray(from, to));
    if (beginnings.length > 0) {
      const last = wholeButLast(bytes.subarray(from, to), beginnings);
      whole(last, 0, last.length);
      return;
    }
    const first = bytes.readUInt8(from);
    const type = grammar.typeOf(first);
    note(first, bytes.readUInt8(from + headerBytes));
    if (grammar.isParameterSet(type)) sets.came(type, number, bytes.subarray(from, to));
    else if (grammar.isRecoveryPoint(type, bytes, from, to)) isKey = true;
    push(START_CODE);
    push(partOf(bytes, from, to));
  }

  function begin(header: Buffer, bytes: Buffer, from: number, to: number): void {
    start();
    const type = grammar.typeOf(header.readUInt8(0));
    if (!grammar.isSlice(type) || header.every((byte) => byte === 0)) {
      const joined = Buffer.concat([header, bytes.subarray(from, to)]);
      const beginnings = beginningsIn(joined);
      if (beginnings.length > 0) {
        const last = wholeButLast(joined, beginnings);
        if (last.length > headerBytes) begin(last.subarray(0, headerBytes), last, headerBytes, last.length);
        isJoined = true;
        return;
      }
    }
    isOpen = true;
    if (to > from) note(header.readUInt8(0), bytes.readUInt8(from));
    push(START_CODE);
    push(header);
    push(partOf(bytes, from, to));
  }

  return {
    whole,
    several(bytes, from, to) {
      for (let at = from; at < to;) {
        const next = at + 2 <= to ? at + 2 + bytes.readUInt16BE(at) : Infinity;
        if (next > to) {
          // Padding that nobody names is of one byte, or of zeros.
          isDamaged ||= to - at > 1 && bytes.subarray(at, to).some((byte) => byte !== 0);
          return;
        }
        whole(bytes, at + 2, next);
        at = next;
      }
    },
    begin,
    go(bytes, from, to) {
      // The rest of one whose beginning did not come is of no use.
      if (isOpen && isJoined && !hasSlice) noteWithin(bytes.subarray(from, to));
      if (isOpen) push(partOf(bytes, from, to));
      else isDamaged = true;
    },
    end() {
      isOpen = false;
    },
    lose() {
      lost = true;
      isOpen = false;
      if (parts.length > 0) isDamaged = true;
    },
    close(ptsSeconds) {
      isOpen = false;
      if (!hasSlice) {
        // Some send what belongs to a picture as one of its own; of a picture that was lost nothing stays but that it was.
        if (isDamaged && parts.length > 0) beganAfterLoss = true;
        else if (isDamaged) lost = true;
        isDamaged = false;
        return null;
      }
      const unit = { parts, bytes: size, ptsSeconds, key: isKey, reference: isReference, damaged: isDamaged || (beganAfterLoss && (!isKey || isContinued)) };
      parts = [];
      size = 0;
      number += 1;
      [hasSlice, isKey, isReference, isDamaged, beganAfterLoss, isContinued] = [false, false, false, false, false, false];
      return unit;
    },
    get isContinued() {
      return isContinued;
    },
    get isOpen() {
      return isOpen;
    },
    parameterSets: sets.all,
  };
}
