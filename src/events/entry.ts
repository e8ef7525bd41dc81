/** An episode as the log of events tells it, and as it goes on from what the log told. */
import type { EventEntry } from '../types.ts';
import type { Ending, Episode, Limits } from './episode.ts';
import type { Moment } from './seen.ts';
import type { OpenState } from './state.ts';

/** The number of the entry is the next one; who writes it counts it. */
export function entryOf(episode: Episode, state: 'begun' | 'going_on', { now }: Moment, alertsNow = false): EventEntry {
  const { id, camera_id, place, rule, section, alert, suppressed, began_at, last_seen_at, frames, best } = episode;
  return {
    kind: 'event', id, sequence: episode.sequence + 1, state, at: new Date(now).toISOString(), camera_id, place, rule, section,
    class: episode.class, models: [...episode.models], alert, ...(alertsNow && { alerts_now: true }), suppressed, began_at, last_seen_at, ended_at: null, ended_by: null,
    frames, best, clip: null, batches: null,
  };
}

export function endedEntryOf(episode: Episode, { by, time }: Ending, moment: Moment): EventEntry {
  return {
    ...entryOf(episode, 'going_on', moment),
    state: 'ended', ended_at: new Date(time - episode.shift).toISOString(), ended_by: by, batches: [...episode.batches],
  };
}

/** Under the number of its last entry: it is told by the next one. */
export function openStateOf(episode: Episode, moment: Moment): OpenState {
  const { sequence, batches, misses, shift, limits, complains } = episode;
  return { entry: { ...entryOf(episode, 'going_on', moment), sequence }, batches: [...batches], misses: misses.map((time) => time - shift), limits, complains };
}

/** What was seen until then is counted; whether more is on its way is not known. */
export function episodeOf({ entry, batches, misses = [], complains = true }: OpenState, limits: Limits, { monotonic }: Moment): Episode {
  const [began, last_seen] = [Date.parse(entry.began_at), Date.parse(entry.last_seen_at)];
  const since = misses.filter((time) => time > last_seen);
  const { id, camera_id, place, rule, section, alert, suppressed, began_at, last_seen_at, frames, best, sequence } = entry;
  return {
    id, camera_id, place, rule, section, complains, class: entry.class, limits, models: new Set(entry.models), batches: new Set(batches), alert, suppressed,
    // The clock may have been set back in the middle of it.
    after: -Infinity, before: Infinity, began: Math.min(began, last_seen), began_at, last_seen, last_seen_at, frames, best,
    recent: new Map(), counted: last_seen, misses: since, last_look: since.at(-1) ?? last_seen, heard: monotonic, shift: 0, sequence, told: monotonic, changed: false,
  };
}
