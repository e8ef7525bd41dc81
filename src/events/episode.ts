/** One episode: a class is seen, goes on being seen, and is not any more. Its times are those of the timeline. */
import type { Box, EventEntry, EventRule, Frame, StreamRef, Suppressed } from '../types.ts';

/** A class in a frame. */
export interface Sighting {
  readonly frame: Frame;
  readonly model: string;
  readonly time: number;
  readonly shift: number;
  /** Of the finding of which the model is surest. */
  readonly confidence: number;
  readonly box: Box | null;
}

/** Milliseconds, but for looks. */
export interface Limits {
  readonly quiet_looks: number;
  readonly quiet: number;
  readonly gap: number;
  /** Without any look, until nobody is thought to look: they may come by the batch, of pictures that come each second where they have no interval. */
  readonly silence: number;
  readonly longest: number;
}

export interface Episode extends Pick<EventEntry, 'id' | 'camera_id' | 'place' | 'rule' | 'section' | 'class'> {
  /** Its section counts as a complaint. */
  readonly complains: boolean;
  limits: Limits;
  readonly models: Set<string>;
  readonly batches: Set<string>;
  alert: boolean;
  suppressed: Suppressed | null;
  /** When the one before it ended, and when the one after it began, which was heard of earlier. */
  readonly after: number;
  readonly before: number;
  began: number;
  began_at: string;
  last_seen: number;
  last_seen_at: string;
  frames: number;
  best: EventEntry['best'];
  /** Of the last frames in which it was seen, with their times; those up to `counted` are counted. */
  readonly recent: Map<string, number>;
  counted: number;
  /** When looks of its models after it was last seen found nothing, in order. */
  misses: number[];
  /** The last look of one of its models, and when it was heard. */
  last_look: number;
  heard: number;
  shift: number;
  /** Of its last entry, and when that was made. */
  sequence: number;
  told: number;
  /** Since. */
  changed: boolean;
}

export interface Ending {
  readonly by: NonNullable<EventEntry['ended_by']>;
  readonly time: number;
}

/** Frames that several models may still see. */
const MOST_RECENT = 32;
/** Looks that may come before those of a slower model. */
const MOST_MISSES = 200;
const MOST_BATCHES = 1000;

export function limitsOf(rule: EventRule, { interval_seconds, batch_size }: Pick<StreamRef, 'interval_seconds' | 'batch_size'>): Limits {
  const gap = 1000 * Math.max(rule.max_gap_seconds, 3 * interval_seconds);
  return {
    quiet_looks: rule.quiet_looks,
    quiet: 1000 * (rule.quiet_seconds ?? Math.max(10, 3 * interval_seconds)),
    gap,
    silence: gap + 2000 * batch_size * (interval_seconds === 0 ? 1 : interval_seconds),
    longest: 1000 * rule.max_seconds,
  };
}

export function beginEpisode(
  of: Pick<Episode, 'id' | 'camera_id' | 'place' | 'rule' | 'section' | 'complains' | 'class' | 'limits' | 'after' | 'before'>, first: Sighting, monotonic: number,
): Episode {
  const { frame, model, time, shift } = first;
  return {
    ...of, models: new Set([model]), batches: new Set(), alert: false, suppressed: null,
    began: time, began_at: frame.captured_at, last_seen: time, last_seen_at: frame.captured_at, frames: 1, best: bestOf(first),
    recent: new Map([[frame.key, time]]), counted: -Infinity, misses: [], last_look: time, heard: monotonic, shift,
    sequence: -1, told: monotonic, changed: true,
  };
}

/** Of those that what is seen then can be of; null: there is none. */
export function nearest(episodes: readonly Episode[], time: number): Episode | null {
  let best: Episode | null = null;
  for (const episode of episodes) {
    const { after, before, began, last_look, limits: { gap } } = episode;
    if (time < Math.max(began - gap, after) || time > last_look + gap || time >= before) continue;
    if (!best || distance(episode, time) < distance(best, time)) best = episode;
  }
  return best;
}

function distance({ began, last_seen }: Episode, time: number): number {
  return Math.max(began - time, time - last_seen, 0);
}

/** Whether it had begun then and was seen later. */
export function spans({ began, last_seen }: Episode, time: number): boolean {
  return time >= began && time <= last_seen;
}

/** Answers whether this frame shows it best. */
export function see(episode: Episode, sighting: Sighting, batch: string | null, monotonic: number): boolean {
  const { frame, model, time } = sighting;
  if (time > episode.counted && !episode.recent.has(frame.key)) {
    episode.frames += 1;
    episode.changed = true;
    episode.recent.set(frame.key, time);
    forgetOldest(episode);
  }
  if (time < episode.began) {
    episode.began = time;
    episode.began_at = frame.captured_at;
  }
  if (time > episode.last_seen) {
    episode.last_seen = time;
    episode.last_seen_at = frame.captured_at;
    if (episode.misses.length > 0) episode.misses = episode.misses.filter((miss) => miss > time);
  }
  episode.models.add(model);
  if (batch !== null && episode.batches.size < MOST_BATCHES) episode.batches.add(batch);
  heard(episode, sighting, monotonic);
  if (sighting.confidence <= episode.best.confidence) return false;
  episode.best = bestOf(sighting);
  episode.changed = true;
  return true;
}

/** A look did not find it. It counts where its model has seen it before: others may not know what it is. */
export function miss(episode: Episode, look: Pick<Sighting, 'model' | 'time' | 'shift'>, monotonic: number): void {
  const { model, time } = look;
  if (!episode.models.has(model) || time <= episode.last_seen || time > episode.last_look + episode.limits.gap) return;
  // After a crash looks are repeated.
  if (episode.misses.includes(time)) return;
  const later = episode.misses.findIndex((other) => other > time);
  episode.misses.splice(later < 0 ? episode.misses.length : later, 0, time);
  if (episode.misses.length > MOST_MISSES) episode.misses.shift();
  heard(episode, look, monotonic);
}

/** Whether a look at that time can end it: most cannot. */
export function mayEnd({ misses, heard: heardAt, last_look, limits }: Episode, time: number, monotonic: number): boolean {
  return misses.length >= limits.quiet_looks || time > last_look + limits.gap || monotonic - heardAt >= limits.silence;
}

/** What has ended it; `held`: something would have, but a model may still have seen it. null: nothing. */
export function endingOf(episode: Episode, watermark: number | null, monotonic: number): Ending | 'held' | null {
  const { limits, misses, last_seen, last_look } = episode;
  if (monotonic - episode.heard >= limits.silence || (watermark !== null && watermark > last_look + limits.gap)) return { by: 'not_looked', time: last_look + limits.gap };
  const quiet = misses.find((time, index) => index >= limits.quiet_looks - 1 && time - last_seen >= limits.quiet);
  if (quiet === undefined) return null;
  return watermark === null || quiet <= watermark ? { by: 'quiet', time: quiet } : 'held';
}

function heard(episode: Episode, { time, shift }: Pick<Sighting, 'time' | 'shift'>, monotonic: number): void {
  episode.heard = monotonic;
  if (time < episode.last_look) return;
  episode.last_look = time;
  episode.shift = shift;
}

function bestOf({ frame, confidence, box }: Sighting): EventEntry['best'] {
  const { captured_at, width, height } = frame;
  return { captured_at, confidence, box, width, height, picture: null };
}

function forgetOldest(episode: Episode): void {
  const [oldest] = episode.recent;
  if (!oldest || episode.recent.size <= MOST_RECENT) return;
  episode.recent.delete(oldest[0]);
  episode.counted = Math.max(episode.counted, oldest[1]);
}
