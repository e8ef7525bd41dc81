/** What the engine of events knows of one camera. */
import type { EventEntry, EventRule } from '../types.ts';
import { createBeginnings, type Beginnings } from './begin.ts';
import { createCooldown, type Cooldown, type CooldownState } from './cooldown.ts';
import { createCovered, type Covered, type CoveredState } from './covered.ts';
import { createDaily, type Daily, type Day } from './daily.ts';
import { limitsOf, type Episode, type Limits } from './episode.ts';
import type { Seen } from './seen.ts';
import { createStationary, type Stationary, type StationaryState } from './stationary.ts';
import { createTimeline, type Timeline } from './timeline.ts';
import type { Line } from './watermark.ts';

export interface Camera {
  readonly id: string;
  readonly sessions: Map<string, Session>;
  /** By rule and section, and by class. Two of a class are of different times: one of an earlier run, one of now. */
  readonly open: Map<string, Map<string, readonly Episode[]>>;
  size: number;
  readonly covered: Covered;
  readonly cooldown: Cooldown;
  readonly stationary: Stationary;
  readonly daily: Daily;
}

export interface Session {
  readonly timeline: Timeline;
  /** By model. */
  readonly lines: Map<string, ModelLine>;
}

/** A model that looks at the frames of a session. */
export interface ModelLine extends Line {
  /** All that there were when it was made. */
  readonly from: readonly EventRule[];
  /** Those that its looks count for. */
  readonly rules: readonly { readonly rule: EventRule; readonly scope: string; readonly limits: Limits; readonly beginnings: Beginnings }[];
  readonly complains: boolean;
  /** Keys of the last frames: after a crash looks are repeated. */
  readonly recent: Set<string>;
  /** When the last frame was captured that it answered for. */
  answered: number;
  /** From frame to frame. */
  readonly intervalMs: number;
}

export interface CameraState {
  readonly covered: readonly CoveredState[];
  readonly cooldown: readonly CooldownState[];
  readonly stationary: readonly StationaryState[];
  readonly days: readonly Day[];
}

const NOTHING: CameraState = { covered: [], cooldown: [], stationary: [], days: [] };
/** A batch has no more. */
const MOST_RECENT = 100;
const IDLE_MS = 600_000;

export function createCamera(id: string, monotonic: number, { covered, cooldown, stationary, days }: CameraState = NOTHING): Camera {
  return {
    id, sessions: new Map(), open: new Map(), size: 0,
    covered: createCovered(covered, monotonic), cooldown: createCooldown(cooldown), stationary: createStationary(stationary), daily: createDaily(days),
  };
}

export function cameraStateOf({ covered, cooldown, stationary, daily }: Camera, monotonic: number): CameraState {
  return { covered: covered.state(monotonic), cooldown: cooldown.state(), stationary: stationary.state(), days: daily.state() };
}

export function* linesOf({ sessions }: Camera): Generator<ModelLine> {
  for (const { lines } of sessions.values()) yield* lines.values();
}

export function* episodesOf({ open }: Camera): Generator<Episode> {
  for (const classes of open.values()) for (const episodes of classes.values()) yield* episodes;
}

/** Where the episodes of a rule and section stand. */
export const scopeOf = (rule: string, section: string): string => `${rule}\n${section}`;

export function sessionOf(camera: Camera, name: string): Session {
  const known = camera.sessions.get(name);
  if (known) return known;
  const made: Session = { timeline: createTimeline(), lines: new Map() };
  camera.sessions.set(name, made);
  return made;
}

export function lineOf(
  session: Session, { stream, model, section, complains }: Pick<Seen, 'stream' | 'model' | 'section' | 'complains'>, rules: readonly EventRule[],
): ModelLine {
  const known = session.lines.get(model);
  const before = known?.section === section && known.complains === complains ? known : undefined;
  if (before?.from === rules) return before;
  const own = rules.filter((rule) => counts(rule, { camera_id: stream.camera_id, model, section, complains }));
  const made: ModelLine = {
    from: rules, section, complains,
    // What is about to begin by a rule that is as it was is not forgotten.
    rules: own.map((rule) => before?.rules.find((one) => one.rule === rule)
      ?? { rule, scope: scopeOf(rule.name, section), limits: limitsOf(rule, stream), beginnings: createBeginnings(rule.min_frames) }),
    recent: before?.recent ?? new Set(), latest: before?.latest ?? -Infinity, heard: before?.heard ?? -Infinity, answered: before?.answered ?? -Infinity, intervalMs: 1000 * stream.interval_seconds,
  };
  session.lines.set(model, made);
  return made;
}

/** Whether the line has not heard of the frame before. */
export function isNew(line: ModelLine, key: string): boolean {
  if (line.recent.has(key)) return false;
  line.recent.add(key);
  const [oldest] = line.recent;
  if (line.recent.size > MOST_RECENT && oldest !== undefined) line.recent.delete(oldest);
  return true;
}

/** Forgets models and sessions that nothing was heard of for long. */
export function forgetIdle({ sessions }: Camera, monotonic: number): void {
  for (const [name, { lines }] of sessions) {
    for (const [model, { heard, intervalMs }] of lines) if (monotonic - heard > Math.max(IDLE_MS, 4 * intervalMs)) lines.delete(model);
    if (lines.size === 0) sessions.delete(name);
  }
}

/** Without what it alerted before; looks may still be on their way. */
export function forgotten(camera: Camera, monotonic: number): Camera {
  return { ...createCamera(camera.id, monotonic), sessions: camera.sessions, covered: camera.covered };
}

/** Whether nothing is known of it that could matter. */
export function isBlank(camera: Camera, monotonic: number): boolean {
  return camera.size === 0 && camera.sessions.size === 0 && Object.values(cameraStateOf(camera, monotonic)).every((part: readonly unknown[]) => part.length === 0);
}

/** Whether a rule may go on with it. */
export function covers(rule: EventRule, { camera_id, section, complains, models, class: name }: Pick<Episode, 'camera_id' | 'section' | 'complains' | 'models' | 'class'>): boolean {
  return includes(rule.classes, name) && [...models].some((model) => counts(rule, { camera_id, model, section, complains }));
}

/** Whether looks of the model at the camera count for the rule. */
function counts(rule: EventRule, { camera_id, model, section, complains }: Pick<Seen, 'model' | 'section' | 'complains'> & Pick<EventEntry, 'camera_id'>): boolean {
  return includes(rule.cameras, camera_id) && includes(rule.models, model) && (rule.sections || rule.models ? includes(rule.sections, section) : complains);
}

const includes = (words: readonly string[] | null, word: string): boolean => words === null || words.includes(word);
