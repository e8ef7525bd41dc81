/** What a camera sent of one picture, put together out of packets. */

export type Codec = 'h264' | 'h265' | 'jpeg';

/** All that was sent of one picture. */
export interface Unit {
  /** Put together they are the unit: Annex B (start codes included) for h264 and h265, a whole JPEG file for jpeg. Views into what was read, but for small ones: copy what is kept for long. */
  readonly parts: readonly Buffer[];
  readonly bytes: number;
  /** Seconds by the camera's clock, unwrapped over 2^32; only differences mean something. */
  readonly ptsSeconds: number;
  /** May yield a picture by itself: IDR, or a recovery point that is one at once (H.264); IRAP (H.265); every JPEG. */
  readonly key: boolean;
  /** Others may refer to it; false for droppable B-frames. */
  readonly reference: boolean;
  /** Something of it was lost on the way, or of what it refers to. */
  readonly damaged: boolean;
}

/** Puts the payloads of one codec's packets together. */
export interface Assembler {
  /** The payload of a packet: `bytes` from `start` to `end`. */
  add(bytes: Buffer, start: number, end: number): void;
  /** Packets before the next payload were lost. */
  readonly lose: () => void;
  /** Nothing more comes of the picture of this time. null: it was none, and what came of it belongs to the next. */
  readonly close: (ptsSeconds: number) => Unit | null;
  /** Whether what has come since the last close goes on with the picture before. */
  readonly isContinued: boolean;
  /** A fragment has come that says of itself that another one follows. */
  readonly isOpen: boolean;
  /** See Playing. */
  readonly parameterSets: () => Buffer;
}

/** No camera's picture has more. */
export const MOST_UNIT_BYTES = 16 * 1024 * 1024;
/** Packets of a few bytes cost more memory than they bring. */
export const MOST_UNIT_PARTS = 65_536;

const LEAST_VIEW_BYTES = 1024;

/** A part of a picture: a small one is copied, for it would hold all that was read with it. */
export function partOf(bytes: Buffer, start: number, end: number): Buffer {
  const view = bytes.subarray(start, end);
  return view.length < LEAST_VIEW_BYTES ? Buffer.from(view) : view;
}
