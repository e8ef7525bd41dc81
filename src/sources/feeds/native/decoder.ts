/** One decoder: compressed pictures in, frames out. Its calls must come one after the other. */
import { LookoutError } from '../../../errors.ts';
import { MOST_PIXELS } from '../../../lib/jpeg.ts';
import { AGAIN, END, loadBinding, must, setOptions, type NativeFrame } from './binding.ts';
import { sizesOf } from './sizes.ts';
import type { Mark } from './mark.ts';

export type Codec = 'h264' | 'h265' | 'jpeg';

const DECODERS: Readonly<Record<Codec, string>> = { h264: 'h264', h265: 'hevc', jpeg: 'mjpeg' };

export interface Decoder {
  /** false: it could not make sense of it, or not of all of it. Throws `stream_codec` for pictures that are too large. */
  send(bytes: Buffer, pts: bigint): Promise<boolean>;
  /** There is no more: what is left can be received. */
  end(): Promise<void>;
  /** The next frame, which then is the caller's to free; null: it wants more, or there is no more; broken: one that cannot be made sense of. */
  receive(): Promise<NativeFrame | 'broken' | null>;
  /** Not while one of its promises is pending. */
  free(): void;
}

export async function openDecoder(codec: Codec, options: Readonly<Record<string, string>>, mark: Mark): Promise<Decoder> {
  const { Codec, CodecContext, Frame, Packet } = loadBinding();
  const found = Codec.findDecoderByName(DECODERS[codec]);
  if (!found) throw new LookoutError('internal', `libav has no decoder for ${codec}`);
  mark(`open ${codec} decoder`);
  const context = new CodecContext();
  context.allocContext3(found);
  try {
    setOptions(context, { threads: '1', max_pixels: String(MOST_PIXELS), ...options });
    must(await context.open2(null, null), `open its decoder for ${codec}`);
  } catch (error) {
    context.freeContext();
    throw error;
  }

  return {
    async send(bytes, pts) {
      mark(`decode ${codec}`);
      const packet = new Packet();
      packet.alloc();
      try {
        packet.data = bytes;
        packet.pts = pts;
        const isTaken = await context.sendPacket(packet) >= 0;
        if (!isTaken) refuseTooLarge(codec, bytes);
        return isTaken;
      } finally {
        packet.free();
      }
    },
    async end() {
      mark(`drain ${codec} decoder`);
      await context.sendPacket(null);
    },
    async receive() {
      mark(`receive from ${codec} decoder`);
      const frame = new Frame();
      frame.alloc();
      let isFull = false;
      try {
        const code = await context.receiveFrame(frame);
        isFull = code >= 0;
        if (isFull) return frame;
        return code === AGAIN || code === END ? null : 'broken';
      } finally {
        if (!isFull) frame.free();
      }
    },
    free() {
      mark(`free ${codec} decoder`);
      context.freeContext();
    },
  };
}

function refuseTooLarge(codec: Codec, bytes: Buffer): void {
  const size = sizesOf(codec, bytes)?.coded;
  if (!size || size.width * size.height <= MOST_PIXELS) return;
  throw new LookoutError('stream_codec', `the camera sends pictures of ${size.width} x ${size.height} pixels, more than ${MOST_PIXELS / 1024 ** 2} megapixels: let it send smaller ones`);
}
