/** What is told of a stream, whether it runs or not. */
import { errorInfo } from '../errors.ts';
import { shownAddress } from '../lib/secrets.ts';
import type { Balance, ModelState, StreamOptions, StreamStatus } from '../types.ts';
import { CAMERA_MODEL } from '../words/push.ts';
import { lateAfterSeconds } from '../words/stream-state.ts';
import { sourceOf, specOf, type StreamEntry, type StreamEntryParts } from './stream-entry.ts';

export interface StatusParts extends StreamEntryParts {
  readonly facts: {
    books(cameraId: string): Balance;
    queued(cameraId: string): number;
    modelState(model: string): { readonly state: ModelState; readonly reason: string };
    records(cameraId: string): Pick<StreamStatus, 'records' | 'last_record_at'>;
  };
}

/** What an entry says as long as it stands: another takes its place where anything of it changes. */
interface Lasting {
  /** As it may be shown. */
  readonly url: string;
  readonly options: StreamOptions;
  /** Models that have to come up. */
  readonly looking: readonly string[];
}

export const OUTSIDE = 'outside its hours of work';

/** Since Lookout started, however often the stream was started again. */
export function reconnectsOf({ reconnects, last }: StreamEntry): number {
  return reconnects + (last?.view().reconnects ?? 0);
}

/** `working`: whether it is to run at this moment. `closing` aborts when Lookout stops. */
export function createStatus(parts: StatusParts, working: (entry: StreamEntry) => boolean, closing: AbortSignal): (entry: StreamEntry) => StreamStatus {
  const { config, facts } = parts;
  const knownSince = new Date().toISOString();
  /** Worked out once: each open page asks for all streams every second or two. */
  const lasting = new WeakMap<StreamEntry, Lasting>();

  function lastingOf(entry: StreamEntry): Lasting {
    const known = lasting.get(entry);
    if (known) return known;
    const { options, models } = specOf(entry, config);
    const made = { url: shownAddress(entry.url), options, looking: models.filter((model) => model !== CAMERA_MODEL) };
    lasting.set(entry, made);
    return made;
  }

  /** Why a stream that has not failed does not run. */
  function whyNot(entry: StreamEntry): string {
    const stopped = entry.last?.view().reason;
    if (!entry.enabled) return stopped === undefined || stopped === OUTSIDE ? 'not started' : stopped;
    if (!working(entry)) return OUTSIDE;
    try {
      sourceOf(entry.url, entry.trusted, parts);
    } catch (error) {
      return errorInfo(error).message;
    }
    return closing.aborted ? 'Lookout is stopping' : 'not started yet';
  }

  return (entry) => {
    const id = String(entry.camera_id);
    const { url, options, looking } = lastingOf(entry);
    const view = entry.last?.view();
    const base = view ?? {
      session: null, reason: '', since: knownSince,
      capture_mode: null, camera_clock_offset_seconds: null, last_frame_at: null, open_batch: 0, last_error: null,
    };
    // Pictures come, but no model can look at them: that is what its user must hear.
    const models = looking.map((model) => facts.modelState(model));
    const stuck = (['provisioning', 'failed'] as const).find((state) => view?.state === 'running' && models.length > 0 && models.every((model) => model.state === state));
    const isIdle = entry.running === null && (view === undefined || view.state === 'stopped');
    const age = base.last_frame_at === null ? null : Math.max(0, Math.round((Date.now() - Date.parse(base.last_frame_at)) / 100) / 10);
    return {
      camera_id: entry.camera_id, session: base.session, url, models: entry.models, options,
      origin: entry.origin, enabled: entry.enabled, schedule: entry.schedule, capturing: entry.running !== null && view?.state !== 'asleep',
      state: stuck ?? view?.state ?? 'stopped',
      reason: isIdle ? whyNot(entry) : (stuck && models[0]?.reason) ?? base.reason,
      since: base.since, reconnects: reconnectsOf(entry), capture_mode: base.capture_mode, camera_clock_offset_seconds: base.camera_clock_offset_seconds,
      last_frame_at: base.last_frame_at, last_frame_age_seconds: age, late_after_seconds: lateAfterSeconds(options), open_batch: base.open_batch,
      queued: facts.queued(id), books: facts.books(id), ...facts.records(id), last_error: base.last_error,
    };
  };
}
