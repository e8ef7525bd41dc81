/** An engine of events with a clock, a log and cameras that tests make look. */
import { createEpisodes, type Episodes, type EpisodesParts } from '../../src/events/episodes.ts';
import type { Moment, Told } from '../../src/events/seen.ts';
import type { EventState } from '../../src/events/state.ts';
import { silentLog } from '../../src/lib/log.ts';
import type { Detection, EventEntry, EventItem, EventSummary, Frame, Look, StreamRef } from '../../src/types.ts';
import { ruleOf, type GivenRule } from '../../src/words/event-rules.ts';

const identity = { version: '1', runtime: 'node', detector: null, fingerprint: null, code: null };
export const answered = (...detections: readonly Detection[]): Look => ({ detections, inference_ms: 1, identity });
export const FAILED: Look = { error: { code: 'bad_frame', message: 'it is torn' }, identity };
export const SKIPPED: Look = { skipped: 'overloaded', identity };

export interface LookAt {
  readonly camera?: string;
  readonly session?: string;
  readonly model?: string;
  readonly section?: string;
  readonly complains?: boolean;
  readonly from?: StreamRef['from'];
  readonly interval?: number;
  readonly sequence?: number;
  /** Seconds from the capture until it is heard. */
  readonly lag?: number;
  /** Seconds by which the cameras' machine's clock is set. */
  readonly clock?: number;
}

export const T0 = Date.parse('2026-07-01T12:00:00.000Z');
export const timeOf = (seconds: number): string => new Date(T0 + 1000 * seconds).toISOString();
export const secondsOf = (time: string | null): number | null => (time === null ? null : (Date.parse(time) - T0) / 1000);
export const detection = (name: string, confidence = 0.9, x = 10): Detection => ({ class: name, confidence, box: [x, 10, x + 20, 30] });

export type World = ReturnType<typeof createWorld>;

export function createWorld(rules: readonly GivenRule[] = [{ name: 'all' }], parts: Partial<EpisodesParts> = {}) {
  let ids = 0;
  const make = (): Episodes => createEpisodes({
    rules: rules.map(ruleOf), time_zone: 'UTC', max_alert_age_seconds: 300, log: silentLog,
    newId: () => `id-${ids++}`, batchOf: ({ key }) => `batch-of-${key}`, isLeft: () => false, ...parts,
  });
  let engine = make();
  let log: EventItem[] = [];
  let moment: Moment = { now: T0, monotonic: 0 };
  const sequences = new Map<string, number>();
  const best: Told['best'][number][] = [];

  function take(told: Told): Told {
    log.push(...told.items);
    best.push(...told.best);
    return told;
  }
  /** Told the time as often as it asks to be. */
  function go(monotonic: number, clock: number): void {
    while ((engine.dueAt() ?? Infinity) <= monotonic) {
      const at = Math.max(moment.monotonic, engine.dueAt() ?? 0);
      moment = { now: T0 + at + 1000 * clock, monotonic: at };
      take(engine.passed(moment));
      if ((engine.dueAt() ?? Infinity) <= at) throw new Error(`it asks for the time ${at} again and again`);
    }
    moment = { now: T0 + monotonic + 1000 * clock, monotonic: Math.max(moment.monotonic, monotonic) };
  }

  const world = {
    get engine() {
      return engine;
    },
    get log() {
      return log;
    },
    best,
    get moment() {
      return moment;
    },
    take,
    /** A look at a frame captured at these true seconds. */
    look(seconds: number, look: Look, { camera = 'a', session = 's', model = 'm', section = 'animals', complains = true, from = 'live', interval = 3, sequence, lag = 0, clock = 0 }: LookAt = {}): Told {
      go(1000 * (seconds + lag), clock);
      const number = sequence ?? (sequences.get(`${session} ${model}`) ?? -1) + 1;
      sequences.set(`${session} ${model}`, number);
      const captured_at = timeOf(seconds + clock);
      const frame: Frame = { key: `${session}/${captured_at}`, captured_at, sequence: number, width: 100, height: 100 };
      return take(engine.looked({ stream: { camera_id: camera, session, interval_seconds: interval, batch_size: 10, from }, frame, model, look, section, complains, place: { latitude: 1, longitude: 2 } }, moment));
    },
    see: (seconds: number, of: LookAt & { readonly name?: string; readonly confidence?: number } = {}): Told => world.look(seconds, answered(detection(of.name ?? 'dog', of.confidence)), of),
    miss: (seconds: number, of: LookAt = {}): Told => world.look(seconds, answered(), of),
    until(seconds: number, clock = 0): void {
      go(1000 * seconds, clock);
      take(engine.passed(moment));
    },
    /** As after kill -9 when so much of the log is written. `since`: the state, and what the log holds from then on. */
    crash(entries = log.length, state: EventState | null = null): void {
      log = log.slice(0, entries);
      engine = make();
      take(engine.restore(state === null ? null : JSON.parse(JSON.stringify(state)) as EventState, [...log], moment));
    },
    state: (): EventState => engine.state(moment),
    entries: (): readonly EventEntry[] => log.filter((item) => item.kind === 'event'),
    summaries: (): readonly EventSummary[] => log.filter((item) => item.kind === 'summary'),
    /** All events in the order in which they began: what their last entry says, of open ones what is known now. */
    events(): readonly EventEntry[] {
      const last = new Map(world.entries().map((entry) => [entry.id, entry]));
      for (const { entry } of world.state().open) last.set(entry.id, { ...entry, state: last.get(entry.id)?.state ?? entry.state });
      return [...last.values()];
    },
    shown: () => world.events().map(({ class: name, state, ended_by, began_at, last_seen_at, ended_at, frames, alert, suppressed }) => ({
      name, ended_by: state === 'ended' ? ended_by : state, began: secondsOf(began_at), seen: secondsOf(last_seen_at), ended: secondsOf(ended_at), frames, alert: alert ? true : suppressed,
    })),
  };
  return world;
}
