/** What goes out of streams while they run, pictures and video, and in: the pictures of cameras that push. */
import { errorInfo, LookoutError } from '../errors.ts';
import type { Clock } from '../lib/clock.ts';
import type { Room } from '../store/janitor.ts';
import type { LatestPicture, PushedPicture, PushOutcome, PushSource, StreamStatus, VideoSource } from '../types.ts';
import { firstOf } from './first.ts';
import type { Demand } from './on-demand.ts';
import { sourceOf, type StreamEntry, type StreamEntryParts } from './stream-entry.ts';
import type { Stream } from './stream.ts';

export interface Traffic {
  /** Also of a stream that was stopped. */
  latest(cameraId: string): LatestPicture | null;
  /** Likewise, for somebody who watches the camera until the signal aborts: see Face. */
  picture(cameraId: string, signal: AbortSignal): Promise<LatestPicture | null>;
  /** Of a stream that runs. Throws `not_found`, `no_live_video`. */
  video(cameraId: string): VideoSource;
  /** For somebody who watches; throws also what `video` does. */
  live: VideoSource['live'];
  /** Throws what `push` throws of a stream that takes no picture. */
  expectTakesPush(cameraId: string): void;
  /** To a stream that runs. Throws `not_found`, `not_running`, why nothing may be captured, and what its source throws. */
  push(cameraId: string, picture: PushedPicture): Promise<PushOutcome>;
}

export interface TrafficParts extends Pick<StreamEntryParts, 'config' | 'sources'> {
  readonly demand: Demand;
  readonly room: Pick<Room, 'trouble' | 'silence'>;
  readonly clock: Clock;
  readonly status: (entry: StreamEntry) => StreamStatus;
}

/** `entries`: by camera, as they are now. */
export function createTraffic(entries: ReadonlyMap<string, StreamEntry>, parts: TrafficParts): Traffic {
  const { demand, room, clock } = parts;

  const runs = (cameraId: string): Stream | null => entries.get(cameraId)?.running ?? null;
  const latest = (cameraId: string): LatestPicture | null => entries.get(cameraId)?.last?.view().latest ?? null;

  function video(cameraId: string): VideoSource {
    const entry = entries.get(cameraId);
    if (!entry) throw new LookoutError('not_found', `no stream of camera '${cameraId}'`);
    if (!entry.running) throw new LookoutError('not_found', `camera '${cameraId}' is not being captured; start its stream`);
    const source = sourceOf(entry.url, entry.trusted, parts);
    if (!source.video) throw new LookoutError('no_live_video', `camera '${cameraId}' is read in a way that gives pictures and no video that could be copied; stream.mjpeg shows them`);
    return source.video;
  }

  function takesPush(cameraId: string): PushSource {
    const entry = entries.get(cameraId);
    if (!entry) throw new LookoutError('not_found', `camera '${cameraId}' has no stream; start one with the address push:`);
    if (!entry.running) throw new LookoutError('not_running', `the stream of camera '${cameraId}' does not run: ${parts.status(entry).reason}`);
    const { push } = sourceOf(entry.url, entry.trusted, parts);
    if (!push) throw new LookoutError('not_running', `camera '${cameraId}' is asked for its pictures; a stream of the address push: takes those that it brings`);
    const why = room.trouble ?? room.silence;
    if (why) throw why;
    return push;
  }

  return {
    latest,
    async picture(cameraId, signal) {
      const running = runs(cameraId);
      if (running) demand.ask(cameraId, signal);
      if (running?.spec.options.on_demand !== true) return latest(cameraId);
      return firstOf(() => runs(cameraId), (stream) => {
        const view = stream.view();
        return view.state === 'asleep' || view.last_frame_at === null ? null : view.latest;
      }, clock, signal);
    },
    video,
    async live(cameraId, signal) {
      const source = video(cameraId);
      demand.ask(cameraId, signal);
      if (runs(cameraId)?.spec.options.on_demand !== true) return source.live(cameraId, signal);
      return firstOf(() => runs(cameraId), () => source.live(cameraId, signal).catch((error: unknown) => {
        // It has to be connected first.
        if (errorInfo(error).code === 'stream_ended') return null;
        throw error;
      }), clock, signal);
    },
    expectTakesPush(cameraId) {
      takesPush(cameraId);
    },
    push: async (cameraId, picture) => takesPush(cameraId).take(cameraId, picture),
  };
}
