/** H.265 out of RTP packets (RFC 7798): NAL units whole, several in a packet (AP), or in fragments (FU). */
import { createNalUnits, type Grammar } from './nal-units.ts';
import type { Assembler } from './unit.ts';

const [FIRST_KEY, LAST_KEY, FIRST_OTHER, VPS, PPS, AP, FU] = [16, 23, 32, 32, 34, 48, 49];
const [IS_FIRST, IS_LAST] = [0x80, 0x40];

const typeOf = (first: number): number => (first >> 1) & 0x3f;

const GRAMMAR: Grammar = {
  headerBytes: 2,
  typeOf,
  isSlice: (type) => type < FIRST_OTHER,
  isKey: (type) => type >= FIRST_KEY && type <= LAST_KEY,
  // Below the key pictures the even ones are those that no other of their layer refers to.
  isReference: (first) => typeOf(first) >= FIRST_KEY || typeOf(first) % 2 === 1,
  isParameterSet: (type) => type >= VPS && type <= PPS,
  isRecoveryPoint: () => false,
};

/** `described`: the parameter sets of the session description. */
export function createH265(described: readonly Buffer[]): Assembler {
  const nals = createNalUnits(GRAMMAR, described);
  return {
    add(bytes, start, end) {
      if (end - start < 3) return;
      const first = bytes.readUInt8(start);
      const type = typeOf(first);
      if (type === FU) {
        const fragment = bytes.readUInt8(start + 2);
        if ((fragment & IS_FIRST) !== 0) nals.begin(Buffer.from([(first & 0x81) | ((fragment & 0x3f) << 1), bytes.readUInt8(start + 1)]), bytes, start + 3, end);
        else nals.go(bytes, start + 3, end);
        if ((fragment & IS_LAST) !== 0) nals.end();
      } else if (type === AP) nals.several(bytes, start + 2, end);
      else if (type < AP) nals.whole(bytes, start, end);
    },
    lose: nals.lose,
    close: nals.close,
    get isContinued() {
      return nals.isContinued;
    },
    get isOpen() {
      return nals.isOpen;
    },
    parameterSets: nals.parameterSets,
  };
}
