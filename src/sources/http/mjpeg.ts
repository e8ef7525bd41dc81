/** The pictures of an MJPEG stream: of all that come, the first whole one at or after each tick, as the camera sent it. */
import type { IncomingMessage } from 'node:http';
import { LookoutError } from '../../errors.ts';
import { createLatest } from '../../lib/latest.ts';
import type { CapturedFrame } from '../../types.ts';
import { isTorn, measure } from '../../lib/jpeg.ts';
import { asJpeg, type PictureSettings } from '../pictures/jpeg.ts';
import { FIRST_PICTURE_MS, type Patience } from '../pictures/patience.ts';
import { createTicks, type Ticks } from '../pictures/ticks.ts';
import { createSplitter, type Part } from './multipart.ts';

export async function* mjpegFrames(
  response: IncomingMessage, boundary: string | null, intervalSeconds: number, settings: PictureSettings, patience: Patience, signal: AbortSignal,
): AsyncGenerator<CapturedFrame, void, void> {
  const box = createLatest<Part>();
  // Reads whether or not anybody takes: a camera that has to wait falls behind.
  void readParts(response, boundary, intervalSeconds, patience, (part) => { box.put(part); }).catch((error: unknown) => { box.fail(error); });
  for (let taken = await box.take(); taken; taken = await box.take()) {
    const { body, arrivedMs } = taken.value;
    const picture = await asJpeg(body, 'a picture of the stream', settings, signal);
    yield { ...picture, captured_at: new Date(arrivedMs).toISOString(), missed: taken.missed, mode: 'MJPEG' };
  }
}

/** Never returns: throws when the stream ends. */
async function readParts(
  response: IncomingMessage, boundary: string | null, intervalSeconds: number, patience: Patience, pick: (part: Part) => void,
): Promise<never> {
  let ticks: Ticks | null = null;
  let lastMs: number | null = null;
  let spacingMs = 0;
  let torn = 0;
  const inWords = (): string => (torn > 0 ? `no whole picture came, ${torn} came torn,` : 'no picture came');
  const split = createSplitter(boundary, ({ body, arrivedMs }) => {
    if (!ticks || ticks.due()) {
      const broken = isTorn(body);
      if (broken) torn += 1;
      // The next one will do.
      if (broken || measure(body) === null) return;
      torn = 0;
      ticks ??= createTicks(intervalSeconds);
      ticks.take();
      pick({ body, arrivedMs });
    }
    const now = performance.now();
    if (lastMs !== null) spacingMs = Math.max(now - lastMs, spacingMs / 2);
    patience.wait(lastMs === null ? FIRST_PICTURE_MS : Math.max(5000, 3 * spacingMs), inWords);
    lastMs = now;
  });
  patience.wait(FIRST_PICTURE_MS, inWords);
  try {
    for await (const chunk of response) split(chunk as Buffer, Date.now());
  } catch (error) {
    if (error instanceof LookoutError) throw error;
    throw new LookoutError('stream_ended', `the stream broke off: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  throw new LookoutError('stream_ended', 'the camera ended the stream');
}
