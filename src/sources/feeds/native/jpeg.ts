/** A decoded frame as a JPEG file: in the full range of values that JPEG has, 4:2:0, no wider than wished. */
import { LookoutError } from '../../../errors.ts';
import { FRAME_FLAGS, loadBinding, must, setOptions, type NativeFrame, type Rational } from './binding.ts';
import type { Mark } from './mark.ts';

export interface JpegSettings {
  /** 1 to 100, as `lib/jpeg-encoder.ts` counts. */
  readonly quality: number;
  /** Pixels. */
  readonly maxWidth: number | null;
}

export interface Still {
  readonly jpeg: Buffer;
  readonly width: number;
  readonly height: number;
}

/** Numbers of libav's. */
const [YUV420P, YUVJ420P, FULL_RANGE, UNSPECIFIED, USE_QSCALE, LAMBDA_PER_STEP] = [0, 12, 2, 2, 2, 118];

/** The frame stays its owner's, who must not free it before this has settled. */
export async function encodeStill(frame: NativeFrame, settings: JpegSettings, mark: Mark): Promise<Still> {
  const { width, height } = sizeOf(frame, settings.maxWidth);
  if (frame.format === YUVJ420P && width === frame.width && height === frame.height) return await encode(frame, settings.quality, mark);
  const picture = await converted(frame, width, height, mark);
  try {
    return await encode(picture, settings.quality, mark);
  } finally {
    picture.free();
  }
}

/** As ffmpeg's `scale=w='min(iw,maxWidth)':h=-2` has it: an even height, the nearest to the frame's own shape. */
function sizeOf({ width, height }: NativeFrame, maxWidth: number | null): { readonly width: number; readonly height: number } {
  if (maxWidth === null) return { width, height };
  const narrowed = Math.min(width, maxWidth);
  return { width: narrowed, height: Math.max(2, 2 * Math.round((narrowed * height) / (2 * width))) };
}

/** A new frame, the caller's to free. */
async function converted(frame: NativeFrame, width: number, height: number, mark: Mark): Promise<NativeFrame> {
  const { Frame, SoftwareScaleContext } = loadBinding();
  mark('convert a picture');
  // No colours are converted, only their range: today's cameras say much of them that is not so.
  Object.assign(frame, { colorPrimaries: UNSPECIFIED, colorTrc: UNSPECIFIED, flags: frame.flags & ~FRAME_FLAGS.interlaced });
  if (frame.colorSpace !== 0) frame.colorSpace = UNSPECIFIED;
  const target = new Frame();
  target.alloc();
  // Made for each picture: no camera's pixels can be in it when another's come.
  const scaler = new SoftwareScaleContext();
  scaler.allocContext();
  try {
    setOptions(scaler, { sws_flags: 'bicubic', threads: '1' });
    must(target.copyProps(frame), 'copy what is said of a picture');
    Object.assign(target, { width, height, format: YUV420P, colorRange: FULL_RANGE, colorSpace: UNSPECIFIED });
    target.sampleAspectRatio = stretched(frame, width, height);
    must(target.getBuffer(0), 'make room for a picture');
    const code = await scaler.scaleFrame(target, frame);
    if (code < 0) throw new LookoutError('bad_frame', `a picture in libav's format ${frame.format} cannot be converted (${code})`);
    return target;
  } catch (error) {
    target.free();
    throw error;
  } finally {
    scaler.freeContext();
  }
}

const MOST_IN_JPEG = 0xffff;

/** The shape of a pixel after scaling, in numbers that a JPEG can hold. */
function stretched({ width, height, sampleAspectRatio: { num, den } }: NativeFrame, toWidth: number, toHeight: number): Rational {
  const [across, down] = [num * toHeight * width, den * toWidth * height];
  const common = divisor(across, down);
  const most = Math.max(across, down) / common;
  const part = common * Math.max(1, most / MOST_IN_JPEG);
  return across > 0 && down > 0 ? { num: Math.round(across / part), den: Math.round(down / part) } : { num: 0, den: 1 };
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}

/**
 * libav's encoder as it is reached from here has one table, in whole steps. Seven pictures were on the average as large at
 * each step as by ffmpeg with libjpeg's tables of that quality, within a third; finer than the first step, as beyond 95,
 * there is none.
 */
function stepOf(quality: number): number {
  const percent = quality < 50 ? 5000 / quality : 200 - 2 * quality;
  return Math.min(COARSEST_STEP, Math.max(1, Math.round(percent / PERCENT_PER_STEP)));
}

const [PERCENT_PER_STEP, COARSEST_STEP] = [12, 100];

async function encode(frame: NativeFrame, quality: number, mark: Mark): Promise<Still> {
  const { Codec, CodecContext, Packet } = loadBinding();
  const codec = Codec.findEncoderByName('mjpeg');
  if (!codec) throw new LookoutError('internal', 'libav has no encoder for JPEG');
  mark('encode a picture');
  const { width, height, sampleAspectRatio } = frame;
  const context = new CodecContext();
  context.allocContext3(codec);
  const packet = new Packet();
  packet.alloc();
  try {
    const lambda = LAMBDA_PER_STEP * stepOf(quality);
    Object.assign(context, { width, height, sampleAspectRatio, pixelFormat: YUV420P, colorRange: FULL_RANGE, timeBase: { num: 1, den: 1 } });
    Object.assign(context, { flags: context.flags | USE_QSCALE, globalQuality: lambda, qMin: 1, qMax: COARSEST_STEP });
    setOptions(context, { threads: '1', huffman: 'default' });
    must(await context.open2(null, null), 'open its encoder for JPEG');
    Object.assign(frame, { pts: 0n, quality: lambda });
    must(await context.sendFrame(frame), 'encode a picture');
    must(await context.receivePacket(packet), 'give an encoded picture');
    if (!packet.data) throw new LookoutError('internal', 'libav gave an empty picture');
    return { jpeg: Buffer.from(packet.data), width, height };
  } finally {
    packet.free();
    context.freeContext();
  }
}
