/** Pictures of one camera that a capture host makes. */
import { wallTimeOf } from '../../lib/clock.ts';
import { removePictures } from '../../lib/ffmpeg.ts';
import { removeIfPresent } from '../../lib/files.ts';
import { createLatest } from '../../lib/latest.ts';
import { linked } from '../../lib/linked.ts';
import { boundsOf, type Reachable } from '../../lib/reach.ts';
import type { CapturedFrame, EventRule, StreamOptions, StreamSpec } from '../../types.ts';
import { keptSeconds } from '../../words/event-rules.ts';
import type { PictureSettings } from '../pictures/jpeg.ts';
import type { Ffmpeg, Hosts } from './hosts.ts';
import type { FeedPicture, FeedRequest } from './messages.ts';

export interface VideoSettings {
  readonly pre_roll_seconds: number;
}

export interface FeedSettings extends PictureSettings, Reachable, VideoSettings {
  /** Of events, as they are now. */
  readonly rules: () => readonly EventRule[];
}

export function requestOf({ camera_id, url, trusted, options }: StreamSpec, folder: string, settings: FeedSettings): FeedRequest {
  const { tls, video_track, interval_seconds, capture_mode } = options;
  const { jpeg_quality, max_width } = settings;
  return {
    url, tls, video_track, interval_seconds, capture_mode, jpeg_quality, max_width, folder,
    bounds: trusted ? null : boundsOf(settings), pre_roll_seconds: ringSeconds(camera_id, options, settings),
  };
}

/** As much as is wanted for clips that somebody asks for, and for those of events; null: for neither. */
export function ringSeconds(cameraId: string, options: StreamOptions, { pre_roll_seconds, rules }: Pick<FeedSettings, 'pre_roll_seconds' | 'rules'>): number | null {
  const ofEvents = keptSeconds(rules(), cameraId, options);
  return options.clips ? Math.max(pre_roll_seconds, ofEvents ?? 0) : ofEvents;
}

/** Ends by abort, or with why ffmpeg is to go on; throws when the stream ends, stalls or cannot be opened. */
export async function* feedFrames(
  hosts: Hosts, stream: StreamSpec, folder: string, settings: FeedSettings, signal: AbortSignal,
): AsyncGenerator<CapturedFrame, Ffmpeg | 'aborted', void> {
  const box = createLatest<FeedPicture & { readonly captured_at: string }>();
  const life = linked(signal);
  let outcome: Ffmpeg | 'aborted' = 'aborted';
  let lost = 0;

  function onPicture(picture: FeedPicture): void {
    lost += picture.missed;
    const before = box.put({ ...picture, captured_at: wallTimeOf(picture.taken_machine_ms) });
    if (before) removeIfPresent(before.file).catch((error: unknown) => { box.fail(error); });
  }

  const ended = hosts.capture(stream.camera_id, () => requestOf(stream, folder, settings), onPicture, life.signal).then((how) => {
    outcome = how;
    box.close();
  }, (error: unknown) => { box.fail(error); });
  try {
    for (let taken = await box.take(); taken; taken = await box.take()) {
      const { file, bytes, captured_at, width, height, mode, clock_offset_seconds } = taken.value;
      const missed = taken.missed + lost;
      lost = 0;
      yield { picture: { file, bytes }, captured_at, width, height, mode, missed, clock_offset_seconds };
    }
    return outcome;
  } finally {
    life.abort();
    // Whoever goes on may trust that the connection is gone: cameras count them.
    await ended;
    // Not before whoever took the last one is done with it.
    await removePictures(folder);
  }
}
