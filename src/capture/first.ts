/** What a camera on demand has first once somebody asks: its stream wakes and connects meanwhile. */
import { LookoutError } from '../errors.ts';
import type { Clock } from '../lib/clock.ts';
import { isAway } from '../words/stream-state.ts';
import type { Stream } from './stream.ts';

const LONGEST_MS = 15_000;
const LOOK_MS = 50;

/** `runs`: its stream, null once it was stopped. `find`: null, not yet. Throws why there is none within a while. */
export async function firstOf<Found>(runs: () => Stream | null, find: (stream: Stream) => Found | null | Promise<Found | null>, clock: Clock, signal: AbortSignal): Promise<Found> {
  const end = clock.monotonic() + LONGEST_MS;
  for (;;) {
    const stream = runs();
    if (!stream) throw new LookoutError('stream_ended', 'its stream was stopped before anything came');
    const found = await find(stream);
    if (found !== null) return found;
    const view = stream.view();
    const { state, reason, last_error } = view;
    // One that has failed is not tried again so soon.
    if (state === 'failed' || signal.aborted || clock.monotonic() >= end) {
      throw new LookoutError((isAway(view) && last_error?.code) || 'stream_stalled', `camera '${stream.spec.camera_id}' was asked for and gives nothing yet: ${reason}`);
    }
    await clock.sleep(LOOK_MS, signal);
  }
}
