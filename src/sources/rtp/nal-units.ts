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
  readonly parameterSets: () => Buffer;
}

const START_CODE = Buffer.from([0, 0, 0, 1]);

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
    if (isOpen) isDamaged = true;
    isOpen = false;
    if (parts.length === 0) {
      beganAfterLoss = lost;
      lost = false;
    }
  }

  function whole(bytes: Buffer, from: number, to: number): void {
    start();
    if (to - from <= headerBytes) return;
    const first = bytes.readUInt8(from);
    const type = grammar.typeOf(first);
    note(first, bytes.readUInt8(from + headerBytes));
    if (grammar.isParameterSet(type)) sets.came(type, number, bytes.subarray(from, to));
    else if (grammar.isRecoveryPoint(type, bytes, from, to)) isKey = true;
    push(START_CODE);
    push(partOf(bytes, from, to));
  }

  return {
    whole,
    several(bytes, from, to) {
      for (let at = from; at < to;) {
        const next = at + 2 <= to ? at + 2 + bytes.readUInt16BE(at) : Infinity;
        if (next > to) {
          isDamaged = true;
          return;
        }
        whole(bytes, at + 2, next);
        at = next;
      }
    },
    begin(header, bytes, from, to) {
      start();
      isOpen = true;
      if (to > from) note(header.readUInt8(0), bytes.readUInt8(from));
      push(START_CODE);
      push(header);
      push(partOf(bytes, from, to));
    },
    go(bytes, from, to) {
      // The rest of one whose beginning did not come is of no use.
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
      if (isOpen) isDamaged = true;
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
    parameterSets: sets.all,
  };
}
