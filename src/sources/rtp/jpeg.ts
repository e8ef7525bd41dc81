/** JPEG out of RTP packets (RFC 2435), which bring a picture's data alone: what stands before it in a file is written anew. */
import { LookoutError } from '../../errors.ts';
import { jpegHead, tablesOf, type Picture } from './jpeg-head.ts';
import { MOST_UNIT_BYTES, MOST_UNIT_PARTS, partOf, type Assembler } from './unit.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

const [HEADER, RESTART_HEADER, TABLES_HEADER] = [8, 4, 4];
/** Types from here on restart, and are otherwise those from 0 on. */
const RESTARTS = 64;
/** From here on the picture brings its tables, or once for all others of the same number, but for the last. */
const [OWN_TABLES, TABLES_EACH_TIME] = [128, 255];
const END = Buffer.from([0xff, 0xd9]);

const TOO_LARGE = 'its pictures are more than 2040 pixels wide or high, for which RTP has no words when they are JPEGs: let the camera send H.264, or smaller pictures';

/** `described`: their size by the session description, for those that are too large for the packets to say. */
export function createJpeg(described: Size | null): Assembler {
  const tables = new Map<number, Buffer>();
  /** Of the last picture: those of a camera are alike. */
  let head: { readonly made: Buffer; readonly of: string } | null = null;
  let parts: Buffer[] = [];
  let size = 0;
  /** Of its data: what the next packet is to begin with. */
  let offset = 0;
  let isDamaged = false;

  function headOf(picture: Omit<Picture, 'quantisers'>, quality: number, own: Buffer | undefined): Buffer | null {
    const of = [...Object.values(picture), quality, own?.toString('latin1')].join();
    if (head?.of === of) return head.made;
    const quantisers = quality >= OWN_TABLES ? own : tablesOf(quality);
    if (!quantisers || (quantisers.length !== 64 && quantisers.length !== 128)) return null;
    head = { made: jpegHead({ ...picture, quantisers }), of };
    return head.made;
  }

  /** What stands before the data of a picture whose first packet this is; null: nobody knows its tables. */
  function begin(bytes: Buffer, start: number, end: number): { readonly head: Buffer | null; readonly data: number } {
    const kind = bytes.readUInt8(start + 4);
    const quality = bytes.readUInt8(start + 5);
    const width = 8 * bytes.readUInt8(start + 6) || described?.width;
    const height = 8 * bytes.readUInt8(start + 7) || described?.height;
    if (width === undefined || height === undefined) throw new LookoutError('stream_codec', TOO_LARGE);
    const isRestarting = kind >= RESTARTS && kind < 2 * RESTARTS;
    let data = start + HEADER + (isRestarting ? RESTART_HEADER : 0);
    let own: Buffer | undefined;
    if (quality >= OWN_TABLES) {
      if (data + TABLES_HEADER > end) return { head: null, data: end };
      const length = bytes.readUInt16BE(data + 2);
      const isWide = bytes.readUInt8(data + 1) !== 0;
      data += TABLES_HEADER;
      if (data + length > end) return { head: null, data: end };
      if (length > 0 && !isWide) {
        own = Buffer.from(bytes.subarray(data, data + length));
        if (quality < TABLES_EACH_TIME) tables.set(quality, own);
      } else own = quality < TABLES_EACH_TIME ? tables.get(quality) : undefined;
      data += length;
    }
    if ((kind & (RESTARTS - 1)) > 1 || kind >= 2 * RESTARTS) return { head: null, data };
    const restartInterval = isRestarting ? bytes.readUInt16BE(start + HEADER) : 0;
    return { head: headOf({ width, height, isHalvedBothWays: (kind & 1) === 1, restartInterval }, quality, own), data };
  }

  function push(part: Buffer): void {
    size += part.length;
    if (parts.push(part) > MOST_UNIT_PARTS || size > MOST_UNIT_BYTES) {
      throw new LookoutError('stream_codec', `it sends pictures of more than ${MOST_UNIT_BYTES / 2 ** 20} MB, or such as never end`);
    }
  }

  return {
    isContinued: false,
    isOpen: false,
    parameterSets: () => Buffer.alloc(0),
    lose() {
      isDamaged = true;
    },
    add(bytes, start, end) {
      if (end - start < HEADER) return;
      const kind = bytes.readUInt8(start + 4);
      let data = start + HEADER + (kind >= RESTARTS && kind < 2 * RESTARTS ? RESTART_HEADER : 0);
      if (data > end) return;
      const place = bytes.readUIntBE(start + 1, 3);
      if (place === 0) {
        const first = begin(bytes, start, end);
        parts = [];
        [size, offset, isDamaged] = [0, 0, first.head === null];
        if (first.head) push(first.head);
        ({ data } = first);
      }
      if (parts.length === 0) return;
      if (place !== offset) isDamaged = true;
      offset = place + end - data;
      push(partOf(bytes, data, end));
    },
    close(ptsSeconds) {
      const own = parts;
      if (own.length === 0) return null;
      if (own.at(-1)?.subarray(-2).equals(END) !== true) push(END);
      const unit = { parts: own, bytes: size, ptsSeconds, key: true, reference: true, damaged: isDamaged };
      parts = [];
      [size, offset, isDamaged] = [0, 0, false];
      return unit;
    },
  };
}
