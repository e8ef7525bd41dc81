/** Clips of events: which of them are recorded, those of a camera that overlap together, and what a crash left of one. */
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorInfo } from '../errors.ts';
import type { Clock } from '../lib/clock.ts';
import { namesIn } from '../lib/files.ts';
import { createLimit } from '../lib/limit.ts';
import { linked } from '../lib/linked.ts';
import type { Log } from '../lib/log.ts';
import { isTransient } from '../lib/transient.ts';
import type { Clips } from '../store/clips.ts';
import type { Expendable, Room } from '../store/janitor.ts';
import type { EventClip, EventEntry, EventRule, Frame, StreamOptions, VideoSource } from '../types.ts';
import { keptSeconds, wantsClips } from '../words/event-rules.ts';
import { finish, readFacts, type DraftFacts } from './draft.ts';
import { openReel } from './reel.ts';
import { startTake, type Shown, type Take } from './take.ts';

export interface Takes {
  /** A frame is in the spool. */
  offered(cameraId: string, frame: Frame, options: ClipOptions): void;
  /** Of an event, before it is written. Resolves once the clip of one that has ended is there, or is waited for no longer; null: nothing is. */
  told(entry: EventEntry): Promise<void> | null;
  /** null: it has none, or not yet. */
  of(event: string): EventClip | null;
  /** Frames that clips may begin with. */
  readonly held: Expendable;
  /** Records no more. */
  close(): Promise<void>;
}

type ClipOptions = Pick<StreamOptions, 'clips' | 'interval_seconds'>;

export interface TakesParts {
  readonly data_dir: string;
  readonly clips: Pick<Clips, 'keep' | 'ofEvent'>;
  readonly record: VideoSource['record'];
  readonly rules: () => readonly EventRule[];
  /** Of the stream of a camera. */
  readonly optionsOf: (cameraId: string) => ClipOptions;
  readonly pathOf: (key: string) => string;
  readonly room: Pick<Room, 'failed'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

const HELD = 'frames';
/** Beyond its post-roll the last entry of an event waits no longer for its clip; when Lookout stops, so long. */
const LONGEST_MS = 10_000;
/** Clips that are made: cameras may have events that end together. */
const MOST_AT_ONCE = 2;
const STOPPING_MS = 3000;

export async function openTakes({ data_dir, clips, record, rules, optionsOf, pathOf, room, clock, log, signal }: TakesParts): Promise<Takes> {
  const folder = join(data_dir, 'takes');
  const takes = new Set<Take>();
  const recorded = new Map<string, { readonly take: Take; readonly rule: EventRule }>();
  /** What an earlier run left, by event. */
  const left = new Map<string, Promise<void>>();
  const fewAtOnce = createLimit(MOST_AT_ONCE);
  const keep: Clips['keep'] = (of, make) => fewAtOnce(() => clips.keep(of, make));

  const failed = (cameraId: string) => (error: unknown): void => {
    if (!signal.aborted) log.repeated('warn', 'no clip is kept of an event', cameraId, { reason: errorInfo(error).message });
  };
  const reel = await openReel(join(folder, HELD), pathOf, clock, failed);

  /** For the next start to take up. */
  const leave = (path: string, error: unknown): void => {
    if (!signal.aborted) log.warn('what an earlier run left of a clip stays until the next start', { folder: path, reason: errorInfo(error).message });
  };

  /** What an earlier run left of a clip. */
  async function takeUp(path: string, facts: DraftFacts): Promise<void> {
    const { id, camera_id, made_of, events } = facts;
    const make = (): Promise<unknown> => keep({ id, camera_id, made_of, events }, (file) => finish(path, facts, file, signal));
    try {
      await make().catch(async (error: unknown) => {
        if (!(await room.failed(error))) throw error;
        await make();
      });
    } catch (error) {
      if (signal.aborted || isTransient(error)) {
        leave(path, error);
        return;
      }
      failed(camera_id)(error);
    }
    await rm(path, { recursive: true, force: true }).catch(failed(camera_id));
  }

  for (const name of await namesIn(folder)) {
    if (name === HELD) continue;
    const path = join(folder, name);
    const facts = await readFacts(path).catch((error: unknown) => {
      leave(path, error);
      return 'left' as const;
    });
    if (facts === 'left') continue;
    if (facts === null) {
      await rm(path, { recursive: true, force: true });
      continue;
    }
    const { events } = facts;
    const done = takeUp(path, facts).finally(() => { for (const event of events) left.delete(event); });
    for (const event of events) left.set(event, done);
  }

  function begin(entry: EventEntry, rule: EventRule): void {
    const { id, camera_id, state, began_at, last_seen_at } = entry;
    // Nothing is kept of so long ago.
    if (clock.now() - Date.parse(last_seen_at) > 1000 * (keptSeconds(rules(), camera_id, optionsOf(camera_id)) ?? 0)) return;
    const fromMs = Date.parse(state === 'begun' ? began_at : last_seen_at) - 1000 * rule.pre_roll_seconds;
    const shown: Shown = { event: id, fromMs, longest_seconds: rule.clip_max_seconds };
    recorded.set(id, { take: takesOf(camera_id).find((one) => one.join(shown)) ?? start(camera_id, shown), rule });
  }

  function start(camera_id: string, first: Shown): Take {
    const longest = rules().filter((rule) => wantsClips(rule, camera_id, optionsOf(camera_id).clips)).map(({ clip_max_seconds }) => clip_max_seconds);
    const take = startTake(first, Math.max(first.longest_seconds, ...longest), {
      camera_id, folder: join(folder, randomBytes(4).toString('hex')), clips: { keep }, clock, failed: failed(camera_id), signal,
      record: (file, wanted) => record(camera_id, file, wanted),
      framesSince: (ms) => reel.since(camera_id, ms),
      closed() { takes.delete(take); },
    });
    takes.add(take);
    return take;
  }

  const takesOf = (cameraId: string): readonly Take[] => [...takes].filter(({ camera_id }) => camera_id === cameraId);

  async function patiently(done: Promise<void>, post_roll_seconds: number): Promise<void> {
    const patience = new AbortController();
    const waiting = linked(signal, patience.signal);
    const tooLong = clock.sleep(1000 * post_roll_seconds + LONGEST_MS, waiting.signal).then(() => clock.sleep(signal.aborted ? STOPPING_MS : 0, patience.signal));
    await Promise.race([done, tooLong]).finally(() => { patience.abort(); });
  }

  return {
    offered(cameraId, frame, options) {
      const seconds = keptSeconds(rules(), cameraId, options);
      if (seconds === null) reel.forget(cameraId).catch(failed(cameraId));
      else reel.hold(cameraId, frame, seconds, options.interval_seconds).then((held) => { if (held) for (const take of takesOf(cameraId)) take.add(held); }, failed(cameraId));
    },
    told(entry) {
      const { id, camera_id, state, alert } = entry;
      const known = recorded.get(id);
      if (state === 'ended') {
        recorded.delete(id);
        const seconds = known?.rule.post_roll_seconds ?? 0;
        const done = known?.take.leave(id, Date.parse(entry.last_seen_at) + 1000 * seconds) ?? left.get(id);
        return done ? patiently(done, seconds) : null;
      }
      const rule = known || !alert || left.has(id) ? undefined : rules().find(({ name }) => name === entry.rule);
      if (rule && wantsClips(rule, camera_id, optionsOf(camera_id).clips) && !clips.ofEvent(id)) begin(entry, rule);
      return null;
    },
    of(event) {
      const clip = clips.ofEvent(event);
      return clip && { id: clip.id, made_of: clip.made_of, begins_at: clip.begins_at, ends_at: new Date(Date.parse(clip.begins_at) + 1000 * clip.seconds).toISOString() };
    },
    held: reel.expendable,
    async close() {
      reel.close();
      await Promise.all([...takes].map((take) => take.close()));
      await Promise.all(left.values());
    },
  };
}
