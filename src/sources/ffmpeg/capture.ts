/** Pictures of one camera: one connection after the other, until one decodes no more than it must. */
import { removePictures } from '../../lib/ffmpeg.ts';
import { createLatest } from '../../lib/latest.ts';
import { linked } from '../../lib/linked.ts';
import type { CapturedFrame } from '../../types.ts';
import { connection, type Capture, type Delivered, type Way } from './connection.ts';
import { LONGEST_RETURN_MS, RETURN_MS } from './return.ts';

/** Ends by abort, or throws when the stream ends, stalls or cannot be opened. */
export async function* captureFrames(capture: Capture, signal: AbortSignal, returnMs = RETURN_MS): AsyncGenerator<CapturedFrame, void, void> {
  const { stream: { options: { capture_mode } }, folder, realTime } = capture;
  // A file cannot be opened anew with what was learned: it would begin from its beginning.
  let way: Way = { skip: capture_mode === 'all' || (capture_mode === 'auto' && realTime) ? 'none' : 'nokey', packets: !realTime, probe: false, tolerant: realTime, shownMs: null, returnMs };
  for (;;) {
    const box = createLatest<Delivered>();
    const life = linked(signal);
    const ended = connection(capture, way, box, life);
    let better: Way | null = null;
    try {
      for (let taken = await box.take(); taken; taken = await box.take()) yield { ...taken.value, missed: taken.missed };
    } finally {
      life.abort();
      // Whoever goes on may trust that the connection is gone: cameras count them.
      better = await ended;
      // Not before whoever took the last one is done with it.
      await removePictures(folder);
    }
    if (signal.aborted || !better) return;
    const returns = way.skip !== 'nokey' && better.skip === 'nokey';
    way = returns ? { ...better, returnMs: Math.min(2 * way.returnMs, LONGEST_RETURN_MS) } : better;
  }
}
