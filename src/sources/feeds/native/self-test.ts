/** Tries what captures will ask of libav; in a process of its own, because where it does not fit it may crash. */
import { LookoutError } from '../../../errors.ts';
import { measure } from '../../../lib/jpeg.ts';
import { headOf } from './head.ts';
import { TICKS_PER_SECOND } from './mp4.ts';
import { decodeStill } from './still.ts';

const [WIDTH, HEIGHT] = [64, 48];
/** A white box on blue, as one H.264 key frame with its parameter sets. */
const KEY_FRAME = Buffer.from(
  'AAAAAWdkAAqscgREewEQAAADABAAAAMDIPEiWEYAAAABaOhDhEsiwAAAAWWIgQAf/4etqv9XtRk5POaV2GdOapJwJ/eqmRTRc5GVYFn3OYwd1C+qsQOXVb8QdoLjzZcz7w==',
  'base64',
);
/** Where its picture begins. */
const SLICE = Buffer.from([0, 0, 1, 0x65]);

/** Rejects with the reason why libav cannot be used here. */
export async function selfTest(): Promise<void> {
  const mark = (): void => undefined;
  const still = await decodeStill('h264', KEY_FRAME, { quality: 95, maxWidth: null }, mark);
  const size = still && measure(still.jpeg);
  if (size?.width !== WIDTH || size.height !== HEIGHT) throw new LookoutError('internal', 'libav did not decode a key frame that it should');
  const parameterSets = KEY_FRAME.subarray(0, KEY_FRAME.indexOf(SLICE));
  const head = await headOf({ codec: 'h264', parameterSets, width: WIDTH, height: HEIGHT, reordering: 0, spacing: TICKS_PER_SECOND }, mark);
  if (!head.includes('avcC')) throw new LookoutError('internal', 'libav did not describe a video that it should');
}
