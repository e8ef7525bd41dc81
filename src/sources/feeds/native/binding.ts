/**
 * libav as a Node add-on: the prebuilt binary of `node-av`, without that package's own layers. It is an optional
 * dependency, so that what is used of it is declared here.
 *
 * Whatever is allocated must be freed by hand, and only when the promises that work on it have settled: nothing may be
 * left to the garbage collector, which frees in any order. What `data` gives is native memory, gone with its owner.
 */
import { createRequire } from 'node:module';
import { LookoutError } from '../../../errors.ts';

export interface Rational { readonly num: number; readonly den: number }

interface Owned {
  alloc(): void;
  free(): void;
}

export interface NativePacket extends Owned {
  /** Setting it copies. */
  data: Buffer | null;
  pts: bigint;
  dts: bigint;
  duration: bigint;
  streamIndex: number;
  isKeyframe: boolean;
}

export interface NativeFrame extends Owned {
  width: number;
  height: number;
  /** A pixel format. */
  format: number;
  pts: bigint;
  /** Of FRAME_FLAGS. */
  flags: number;
  readonly decodeErrorFlags: number;
  /** INTRA, or another. */
  readonly pictType: number;
  quality: number;
  sampleAspectRatio: Rational;
  colorRange: number;
  colorSpace: number;
  colorPrimaries: number;
  colorTrc: number;
  getBuffer(align: number): number;
  copyProps(source: NativeFrame): number;
  /** Another owner of the same pixels; null: no memory. */
  clone(): NativeFrame | null;
}

export interface NativeCodec { readonly name: string }

export interface NativeCodecContext {
  width: number;
  height: number;
  pixelFormat: number;
  timeBase: Rational;
  sampleAspectRatio: Rational;
  colorRange: number;
  flags: number;
  globalQuality: number;
  qMin: number;
  qMax: number;
  allocContext3(codec: NativeCodec): void;
  freeContext(): void;
  open2(codec: null, options: null): Promise<number>;
  sendPacket(packet: NativePacket | null): Promise<number>;
  receiveFrame(frame: NativeFrame): Promise<number>;
  sendFrame(frame: NativeFrame | null): Promise<number>;
  receivePacket(packet: NativePacket): Promise<number>;
}

export interface NativeScaler {
  allocContext(): void;
  freeContext(): void;
  scaleFrame(target: NativeFrame, source: NativeFrame): Promise<number>;
}

export interface NativeStream {
  timeBase: Rational;
  readonly codecpar: object;
}

export interface NativeFormatContext {
  pb: NativeIo | null;
  allocOutputContext2(format: null, name: string, file: string | null): number;
  freeContext(): void;
  newStream(codec: null): NativeStream;
  openOutput(): Promise<number>;
  closeOutput(): Promise<void>;
  writeHeader(options: NativeDictionary): Promise<number>;
  writeFrame(packet: NativePacket): Promise<number>;
  writeTrailer(): Promise<number>;
}

export interface NativeDictionary extends Owned {
  set(name: string, value: string, flags: number): number;
}

/** Calls back on this thread, while another waits for it. */
export interface NativeIo {
  allocContextWithCallbacks(bytes: number, isWritten: 1, read: null, write: (bytes: Buffer) => number, seek: null): void;
  freeContext(): void;
}

export interface Binding {
  readonly Packet: new () => NativePacket;
  readonly Frame: new () => NativeFrame;
  readonly CodecContext: new () => NativeCodecContext;
  readonly SoftwareScaleContext: new () => NativeScaler;
  readonly FormatContext: new () => NativeFormatContext;
  readonly Dictionary: new () => NativeDictionary;
  readonly IOContext: new () => NativeIo;
  readonly Codec: { findDecoderByName(name: string): NativeCodec | null; findEncoderByName(name: string): NativeCodec | null };
  readonly Option: { set(target: object, name: string, value: string, searchFlags: number): number };
  readonly Log: { setLevel(level: number): void };
}

/** Bits of a frame's flags. */
export const FRAME_FLAGS = { corrupt: 1, key: 2, interlaced: 8 } as const;
/** Made of nothing but itself. */
export const INTRA = 1;
/** What libav answers. */
export const [AGAIN, END] = [-11, -0x20464f45] as const;

const SILENT = -8;
const SEARCH_CHILDREN = 1;

let loaded: Binding | undefined;

/** Throws `internal` where there is none for this machine, or it was left out. */
export function loadBinding(): Binding {
  if (loaded) return loaded;
  const name = `@seydx/node-av-${process.platform}-${process.arch}`;
  try {
    loaded = createRequire(import.meta.url)(name) as Binding;
  } catch (error) {
    throw new LookoutError('internal', `${name} cannot be loaded: ${(error instanceof Error ? error.message : String(error)).split('\n', 1).join()}`, { cause: error });
  }
  // It would write to the standard error of this process, about any camera.
  loaded.Log.setLevel(SILENT);
  return loaded;
}

/** Throws `internal` when libav refused what it never refuses. */
export function must(code: number, step: string): void {
  if (code < 0) throw new LookoutError('internal', `libav could not ${step} (${code})`);
}

export function setOptions(target: object, options: Readonly<Record<string, string>>): void {
  const { Option } = loadBinding();
  for (const [name, value] of Object.entries(options)) must(Option.set(target, name, value, SEARCH_CHILDREN), `set ${name} to ${value}`);
}
