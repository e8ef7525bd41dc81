/** Cameras that bring their pictures themselves, over HTTP: nothing is asked of them. */
import { LookoutError } from '../errors.ts';
import { isPicture, isTorn, measure, type Measured } from '../lib/jpeg.ts';
import type { CapturedFrame, Detection, Source, StreamSpec } from '../types.ts';
import { asJpeg, type JpegPicture, type PictureSettings } from './pictures/jpeg.ts';
import { createBox, type Box, type MeasuredPicture } from './push/box.ts';

export const summary = 'cameras that push their pictures';
export const schemes = ['push'];

/** A camera that brings nothing for so long is said to be away. */
const LEAST_PATIENCE_MS = 10_000;
const PATIENCE_INTERVALS = 3;

export function create({ config }: { readonly config: PictureSettings }): Source {
  /** Of the cameras that bring pictures, or of which some are wanted. */
  const boxes = new Map<string, Box>();

  function boxOf(camera: string): Box {
    const box = boxes.get(camera) ?? createBox();
    boxes.set(camera, box);
    return box;
  }

  async function* frames({ camera_id, options }: StreamSpec, _folder: string, signal: AbortSignal): AsyncGenerator<CapturedFrame, void, void> {
    const box = boxOf(camera_id);
    const patienceMs = Math.max(LEAST_PATIENCE_MS, PATIENCE_INTERVALS * options.interval_seconds * 1000);
    box.begin(options.interval_seconds * 1000);
    try {
      for (;;) {
        const waiting = await box.next(patienceMs, signal);
        if (!waiting) return;
        const { picture: { captured_at, findings }, missed } = waiting;
        const made = await madeOf(waiting.picture, config, signal).catch((error: unknown) => { waiting.refuse(error); });
        if (signal.aborted) return;
        if (!made) continue;
        yield { ...made.jpeg, captured_at, missed, mode: 'pushed', ...(findings.length > 0 && { findings: findings.map((one) => fitted(one, made)) }) };
        waiting.accept();
      }
    } finally {
      box.end();
      boxes.delete(camera_id);
    }
  }

  return {
    frames,
    push: {
      async take(camera, picture) {
        return boxOf(camera).put({ ...picture, size: sizeOf(picture.bytes) });
      },
      async called(camera, signal) {
        await boxOf(camera).called(signal);
        if (signal.aborted) boxes.delete(camera);
      },
    },
    probe: () => Promise.reject(new LookoutError('bad_request', 'a camera that pushes (push:) cannot be looked at: it comes by itself')),
    close: () => Promise.resolve(),
  };
}

/** Throws `not_a_picture`, or `bad_request` where it is torn. */
function sizeOf(bytes: Uint8Array): Measured {
  if (bytes.length === 0) throw new LookoutError('bad_request', 'The body is empty; send a JPEG or a PNG.');
  if (!isPicture(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))) throw new LookoutError('not_a_picture', 'The body is neither a JPEG nor a PNG.');
  const size = measure(bytes);
  if (size ? size.torn : isTorn(bytes)) throw new LookoutError('bad_request', `The picture breaks off: after ${bytes.length} bytes its end is missing.`);
  if (!size) throw new LookoutError('bad_request', 'The picture does not say how large it is.');
  return size;
}

interface Made {
  readonly jpeg: JpegPicture;
  /** Pixels of the picture that was brought to one of this. */
  readonly scale: number;
}

async function madeOf({ bytes, size }: MeasuredPicture, config: PictureSettings, signal: AbortSignal): Promise<Made> {
  const jpeg = await asJpeg(bytes, 'the picture', config, signal, size).catch((error: unknown) => {
    throw error instanceof LookoutError && error.code === 'stream_codec' ? new LookoutError('bad_request', error.message, { cause: error }) : error;
  });
  return { jpeg, scale: uprightWidth(size) / jpeg.width };
}

/** Orientations from 5 on lie on their side. */
function uprightWidth({ width, height, orientation }: Measured): number {
  return orientation >= 5 ? height : width;
}

function fitted({ box, ...finding }: Detection, { jpeg: { width, height }, scale }: Made): Detection {
  if (!box) return finding;
  const within = (value: number, most: number): number => Math.min(most, Math.max(0, value / scale));
  const [x1, y1, x2, y2] = box;
  return { ...finding, box: [within(x1, width), within(y1, height), within(x2, width), within(y2, height)] };
}
