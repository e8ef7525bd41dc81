/** The pictures of a snapshot URL: one request at each tick. A picture that fails costs its tick, a run of them the connection. */
import type { IncomingMessage } from 'node:http';
import { LookoutError } from '../../errors.ts';
import { isTorn } from '../../lib/jpeg.ts';
import type { CapturedFrame, PictureFailure } from '../../types.ts';
import { createBody } from '../pictures/body.ts';
import { asJpeg, type JpegPicture, type PictureSettings } from '../pictures/jpeg.ts';
import { FIRST_PICTURE_MS, type Patience } from '../pictures/patience.ts';
import { createTicks } from '../pictures/ticks.ts';

/** So many pictures that fail one after the other are a dead camera. */
const RUN_OF_FAILURES = 5;
/** Codes of failures that asking again would not mend. */
const FINAL: readonly string[] = ['stream_auth', 'stream_not_found', 'forbidden_scheme', 'forbidden_address', 'stream_stalled'];

/** Ticks without a picture since the last one: told with the next, which may be another connection's. */
export interface Untold {
  missed: number;
  failed: Readonly<Partial<Record<PictureFailure, number>>>;
}

export const nothingUntold = (): Untold => ({ missed: 0, failed: {} });

/** `first` is the answer to a request made just now; `ask` makes the others. */
export async function* snapshotFrames(
  first: IncomingMessage, ask: () => Promise<IncomingMessage>, untold: Untold, intervalSeconds: number, settings: PictureSettings, patience: Patience, signal: AbortSignal,
): AsyncGenerator<CapturedFrame, void, void> {
  const ticks = createTicks(intervalSeconds);
  let answer: IncomingMessage | null = first;
  untold.missed += ticks.take();
  let run = 0;

  /** null: it failed, and is counted. */
  async function take(): Promise<(JpegPicture & { readonly captured_at: string }) | null> {
    try {
      const { bytes, arrivedMs } = await readBody(answer ?? await ask());
      if (isTorn(bytes)) throw new LookoutError('stream_ended', 'the picture is torn: its end is missing');
      return { ...await asJpeg(bytes, 'the camera\'s picture', settings, signal), captured_at: new Date(arrivedMs).toISOString() };
    } catch (error) {
      run += 1;
      // Of one that never gave a picture nobody knows whether it can.
      if (signal.aborted || answer === first || !(error instanceof LookoutError) || FINAL.includes(error.code)) throw error;
      const why = REASONS[error.code] ?? 'picture_refused';
      untold.failed = { ...untold.failed, [why]: (untold.failed[why] ?? 0) + 1 };
      if (run >= RUN_OF_FAILURES) throw error;
      return null;
    } finally {
      patience.rest();
    }
  }

  for (;;) {
    const picture = await take();
    ticks.forgive();
    if (picture) {
      run = 0;
      const told = { ...untold };
      Object.assign(untold, nothingUntold());
      yield { ...picture, ...told, mode: 'snapshots' };
    }
    await ticks.wait(signal);
    if (signal.aborted) return;
    untold.missed += ticks.take();
    patience.wait(FIRST_PICTURE_MS);
    answer = null;
  }
}

/** Everything else is a refusal. */
const REASONS: Readonly<Record<string, PictureFailure>> = { stream_ended: 'picture_torn', stream_codec: 'picture_unreadable' };

/** To the picture's end, or to that of the answer: a connection that stays open is not waited for. */
async function readBody(answer: IncomingMessage): Promise<{ bytes: Buffer; arrivedMs: number }> {
  const body = createBody();
  try {
    for await (const piece of answer as AsyncIterable<Buffer>) {
      body.add(piece, Date.now());
      // One that has come to its end leaves its connection for the next request.
      if (!answer.complete && body.isWhole()) break;
    }
  } catch (error) {
    if (error instanceof LookoutError) throw error;
    throw new LookoutError('stream_ended', `the picture broke off: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  return { bytes: body.bytes(), arrivedMs: body.arrivedMs };
}
