/** The pictures of a snapshot URL: one request at each tick. */
import type { IncomingMessage } from 'node:http';
import { LookoutError } from '../../errors.ts';
import { isTorn } from '../../lib/jpeg.ts';
import type { CapturedFrame } from '../../types.ts';
import { asJpeg, MAX_PICTURE_BYTES, type PictureSettings } from '../pictures/jpeg.ts';
import { FIRST_PICTURE_MS, type Patience } from '../pictures/patience.ts';
import { createTicks } from '../pictures/ticks.ts';

/** `first` is the answer to a request made just now; `ask` makes the others. */
export async function* snapshotFrames(
  first: IncomingMessage, ask: () => Promise<IncomingMessage>, intervalSeconds: number, settings: PictureSettings, patience: Patience, signal: AbortSignal,
): AsyncGenerator<CapturedFrame, void, void> {
  const ticks = createTicks(intervalSeconds);
  let answer = first;
  let missed = ticks.take();
  for (;;) {
    const { bytes, arrivedMs } = await readBody(answer);
    patience.rest();
    if (isTorn(bytes)) throw new LookoutError('stream_ended', 'the picture broke off: its end is missing');
    const picture = await asJpeg(bytes, 'the camera\'s picture', settings, signal);
    ticks.forgive();
    yield { ...picture, captured_at: new Date(arrivedMs).toISOString(), missed, mode: 'snapshots' };
    await ticks.wait(signal);
    if (signal.aborted) return;
    missed = ticks.take();
    patience.wait(FIRST_PICTURE_MS);
    answer = await ask();
  }
}

async function readBody(answer: IncomingMessage): Promise<{ bytes: Buffer; arrivedMs: number }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let arrivedMs = Date.now();
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      if (bytes === 0) arrivedMs = Date.now();
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MAX_PICTURE_BYTES) throw new Error(`it has more than ${MAX_PICTURE_BYTES} bytes`);
    }
  } catch (error) {
    throw new LookoutError('stream_ended', `the picture broke off: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  return { bytes: Buffer.concat(chunks), arrivedMs };
}
