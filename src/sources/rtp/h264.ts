/** H.264 out of RTP packets (RFC 6184): NAL units whole, several in a packet (STAP-A), or in fragments (FU-A). */
import { isRecoveryPoint } from './sei.ts';
import { createNalUnits, type Grammar } from './nal-units.ts';
import type { Assembler } from './unit.ts';

const [IDR, SEI, SPS, PPS, LAST_WHOLE, STAP_A, FU_A] = [5, 6, 7, 8, 23, 24, 28];
const [IS_FIRST, IS_LAST] = [0x80, 0x40];

const GRAMMAR: Grammar = {
  headerBytes: 1,
  typeOf: (first) => first & 0x1f,
  isSlice: (type) => type >= 1 && type <= IDR,
  isKey: (type) => type === IDR,
  isReference: (first) => (first & 0x60) !== 0,
  isParameterSet: (type) => type === SPS || type === PPS,
  isRecoveryPoint: (type, bytes, start, end) => type === SEI && isRecoveryPoint(bytes, start + 1, end),
};

/** The header of a NAL unit is one byte, which fragments have in two pieces. */
const HEADERS = Array.from({ length: 256 }, (_, byte) => Buffer.from([byte]));

/** `described`: the parameter sets of the session description. */
export function createH264(described: readonly Buffer[]): Assembler {
  const nals = createNalUnits(GRAMMAR, described);
  return {
    add(bytes, start, end) {
      const first = bytes.readUInt8(start);
      const type = first & 0x1f;
      if (type === FU_A && end - start >= 2) {
        const fragment = bytes.readUInt8(start + 1);
        const header = HEADERS[(first & 0xe0) | (fragment & 0x1f)];
        if ((fragment & IS_FIRST) !== 0 && header) nals.begin(header, bytes, start + 2, end);
        else nals.go(bytes, start + 2, end);
        if ((fragment & IS_LAST) !== 0) nals.end();
      } else if (type === STAP_A) {
        nals.several(bytes, start + 1, end);
      } else if (type <= LAST_WHOLE) nals.whole(bytes, start, end);
      // Others are for orders of sending that no camera is asked for, or of the camera's own invention.
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
