/** What the bytes of a picture say of themselves: their size, which way is up, and whether they are all there. */
import { JPG } from 'image-size/types/jpg';
import { PNG as PNG_FORMAT } from 'image-size/types/png';

export interface Measured {
  readonly type: 'jpg' | 'png';
  /** Pixels, as they are stored. */
  readonly width: number;
  readonly height: number;
  /** As EXIF has it: 1 is upright, 2 to 8 are to be turned or mirrored. */
  readonly orientation: number;
  /** It is a JPEG that breaks off, by its markers: what comes after its end is harmless. */
  readonly torn: boolean;
}

/** No camera has more; what claims more is not let into memory. */
export const MOST_PIXELS = 64 * 1024 * 1024;

const START = Buffer.from([0xff, 0xd8, 0xff]);
const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47]);
/** Its last chunk's name, and the bytes of that and the checksum. */
const PNG_END = Buffer.from('IEND');
const PNG_END_BYTES = 8;
/** Cameras that write more than an empty line before a picture are unknown. */
const LONGEST_LEAD = 1024;

/** Without what some cameras write before a picture. */
export function fromStart(bytes: Buffer): Buffer {
  if (begins(bytes, START) || begins(bytes, PNG)) return bytes;
  const at = bytes.subarray(0, LONGEST_LEAD).indexOf(START);
  return at > 0 ? bytes.subarray(at) : bytes;
}

/** Whether a picture begins with these bytes, or with what some cameras write before it. */
export function isPicture(bytes: Buffer): boolean {
  const picture = fromStart(bytes);
  return begins(picture, START) || begins(picture, PNG);
}

function begins(bytes: Buffer, mark: Buffer): boolean {
  return bytes.subarray(0, mark.length).equals(mark);
}

/** Told a picture from its beginning, more of it each time, tells whether it is there to its end. What was told before is not looked through again. */
export function createEnd(): (bytes: Buffer) => boolean {
  const jpeg = createWalk();
  let png = 0;

  function hasPngEnd(bytes: Buffer): boolean {
    const end = bytes.indexOf(PNG_END, png);
    png = end < 0 ? Math.max(png, bytes.length - PNG_END.length) : end;
    return end >= 0 && end + PNG_END_BYTES <= bytes.length;
  }

  return (bytes) => (begins(bytes, PNG) ? hasPngEnd(bytes) : begins(bytes, START) && jpeg.goOn(bytes).whole);
}

/** Where the size does not matter, or is unknown. */
export function isTorn(bytes: Uint8Array): boolean {
  const jpeg = walk(bytes);
  return jpeg !== null && !jpeg.whole;
}

/** null: neither a JPEG nor a PNG, or torn at the beginning. */
export function measure(bytes: Uint8Array): Measured | null {
  const jpeg = walk(bytes);
  const torn = jpeg !== null && !jpeg.whole;
  if (jpeg && jpeg.width > 0 && jpeg.height > 0) return { type: 'jpg', width: jpeg.width, height: jpeg.height, orientation: orientationOf(bytes), torn };
  try {
    const kind = FORMATS.find(({ format }) => format.validate(bytes));
    if (!kind) return null;
    const { width, height } = kind.format.calculate(bytes);
    return width > 0 && height > 0 ? { type: kind.type, width, height, orientation: 1, torn } : null;
  } catch {
    // Its only way to say that it cannot read them.
    return null;
  }
}

function orientationOf(bytes: Uint8Array): number {
  try {
    return JPG.calculate(bytes).orientation ?? 1;
  } catch {
    // Some have a segment that is longer than it says, over which ffmpeg steps as we do.
    return 1;
  }
}

/** The package's other formats are nothing that a camera sends, and each is a file to load. */
const FORMATS = [{ type: 'jpg', format: JPG }, { type: 'png', format: PNG_FORMAT }] as const;

interface Walked {
  /** 0: nothing says how large it is. */
  readonly width: number;
  readonly height: number;
  readonly whole: boolean;
}

const [END_OF_IMAGE, START_OF_SCAN, FILL] = [0xd9, 0xda, 0xff];

function walk(picture: Uint8Array): Walked | null {
  const bytes = Buffer.from(picture.buffer, picture.byteOffset, picture.length);
  return begins(bytes, START) ? createWalk().goOn(bytes) : null;
}

/** From marker to marker: compressed data has none but restarts, and after a segment that lies about its length the next one is found. */
function createWalk(): { /** The same bytes as before, and those behind them. */ goOn(bytes: Buffer): Walked } {
  let [width, height, scans, next, whole] = [0, 0, 0, 2, false];
  return {
    goOn(bytes) {
      while (!whole) {
        const at = bytes.indexOf(0xff, next);
        next = at < 0 ? Math.max(next, bytes.length) : at;
        if (at < 0 || at + 1 >= bytes.length) break;
        const marker = bytes.readUInt8(at + 1);
        if (hasLength(marker)) {
          if (at + 9 > bytes.length) break;
          if (isFrame(marker)) {
            const [lines, columns] = [bytes.readUInt16BE(at + 5), bytes.readUInt16BE(at + 7)];
            // Of one that says it twice, a decoder makes room for the larger.
            if (lines * columns > width * height) [width, height] = [columns, lines];
          }
          if (marker === START_OF_SCAN) scans += 1;
          next += bytes.readUInt16BE(at + 2);
        }
        next += marker === FILL ? 1 : 2;
        whole = marker === END_OF_IMAGE && scans > 0;
      }
      return { width, height, whole };
    },
  };
}

/** Not a byte 0xff of compressed data, a restart, or the picture's start or end. */
function hasLength(marker: number): boolean {
  return marker > 0x01 && marker !== FILL && !(marker >= 0xd0 && marker <= END_OF_IMAGE);
}

/** Start of frame, of whichever coding. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}
