/** What is wrong with a server that runs, by what it tells of itself; and what to do. */
import { ERRORS } from '../errors.ts';
import type { Balance, ModelStatus, PartStatus, StorageStatus, StreamStatus } from '../types.ts';
import { isOn } from '../words/stream-state.ts';
import { LOW_DISK_BYTES, MAKE_ROOM, type Check } from './checks.ts';

export interface Told {
  readonly parts: readonly PartStatus[];
  readonly storage: readonly StorageStatus[];
  readonly streams: readonly StreamStatus[];
  readonly books: Balance;
  readonly models: readonly ModelStatus[];
}

/** Streams in trouble that are told one by one. */
const WORST = 10;
/** A picture that is late by so many intervals is missed, and never sooner than this. */
const LATE_INTERVALS = 3;
const LATE_SECONDS = 10;
/** Connecting takes so long at the most. */
const START_SECONDS = 60;
/** Of the frames that a model is asked about. */
const MUCH_SKIPPED = 0.05;

/** `now`: by the server's clock, in milliseconds. */
export function judge({ parts, storage, streams, books, models }: Told, now: number): readonly Check[] {
  const wanted = new Set(streams.filter(({ enabled }) => enabled).flatMap((stream) => stream.models));
  return [
    ...parts.map(readiness),
    ...storage.map(room),
    balance(books),
    ...ofStreams(streams, now),
    ...models.filter(({ name }) => wanted.has(name)).flatMap(ofModel),
  ];
}

function readiness({ part, reasons }: PartStatus): Check {
  const mend = part === 'server' ? 'wait until it has started' : 'make room, or let the files be written; nothing is lost meanwhile';
  return { name: `${part} ready`, ok: reasons.length === 0, needed: true, found: reasons.join('; ') || 'yes', mend };
}

function room({ folder, free_bytes, size_bytes, free_inodes }: StorageStatus): Check {
  const ok = free_bytes > Math.min(LOW_DISK_BYTES, size_bytes / 20) && free_inodes !== 0;
  return { name: `${folder} disk`, ok, needed: false, found: `${gigabytes(free_bytes)} of ${gigabytes(size_bytes)} free${free_inodes === 0 ? ', but no file can be made' : ''}`, mend: MAKE_ROOM };
}

function balance({ captured, recorded, dead_lettered, dropped, in_spool }: Balance): Check {
  const lost = Object.values(dropped).reduce((sum, frames) => sum + frames, 0);
  const why = Object.entries(dropped).sort(([, a], [, b]) => b - a).map(([reason, frames]) => `${frames} ${reason}`).join(', ');
  const found = `${captured} frames captured = ${recorded} recorded + ${dead_lettered} dead letters + ${lost} dropped${why && ` (${why})`} + ${in_spool} in the spool`;
  return { name: 'books', ok: captured === recorded + dead_lettered + lost + in_spool && in_spool >= 0, needed: true, found, mend: 'they do not balance: please report it with its data/books.ndjson' };
}

// ── Streams ────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Trouble {
  readonly stream: StreamStatus;
  /** Since when, in seconds. */
  readonly seconds: number;
  readonly found: string;
  readonly mend: string;
}

function ofStreams(streams: readonly StreamStatus[], now: number): readonly Check[] {
  const byState = new Map<string, number>();
  for (const { state } of streams) byState.set(state, (byState.get(state) ?? 0) + 1);
  const troubles = streams.map((stream) => troubleOf(stream, now)).filter((one) => one !== null).sort((a, b) => b.seconds - a.seconds);
  const anyWorks = streams.some((stream) => isOn(stream) && !troubles.some((trouble) => trouble.stream === stream));
  const states = [...byState].sort(([, a], [, b]) => b - a).map(([state, number]) => `${number} ${state}`).join(', ');
  const more = troubles.length > WORST ? `, of which the ${WORST} that are worst follow` : '';
  return [
    {
      name: 'streams', ok: troubles.length === 0, needed: !anyWorks,
      found: `${streams.length} in all${states && `: ${states}`}${troubles.length > 0 ? `; ${troubles.length} in trouble${more}` : ''}`, mend: 'see below',
    },
    ...troubles.slice(0, WORST).map(({ stream, found, mend }): Check => ({ name: 'stream', ok: false, needed: false, found: `${stream.camera_id}: ${found}`, mend })),
  ];
}

/** null: it does what it is to do. */
function troubleOf(stream: StreamStatus, now: number): Trouble | null {
  const { state, reason, since, capturing, options, last_frame_at, last_error } = stream;
  if (!capturing && state !== 'failed') return null;
  const seconds = (now - Date.parse(last_frame_at ?? since)) / 1000;
  const mend = last_error && Object.hasOwn(ERRORS, last_error.code) ? ERRORS[last_error.code as keyof typeof ERRORS].advice : 'check the camera and the network';
  const ago = last_frame_at === null ? `no picture yet, ${state} for ${duration(seconds)}` : `${state}, no picture for ${duration(seconds)}`;
  const isLate = seconds > (last_frame_at === null ? START_SECONDS : Math.max(LATE_SECONDS, LATE_INTERVALS * options.interval_seconds));
  if (state === 'failed' && last_frame_at !== null && !isLate) return { stream, seconds, found: `${state}: ${reason}`, mend: 'see its models below' };
  return isLate || state === 'reconnecting' || state === 'failed' ? { stream, seconds, found: `${ago}: ${reason}`, mend } : null;
}

// ── Models ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Of one that enabled streams want. */
function ofModel({ name, state, reason, missing, restarts, successor, looks }: ModelStatus): readonly Check[] {
  const checks: Check[] = [{
    name: 'model', ok: state !== 'failed' && missing === null, needed: true, found: `${name}: ${missing ?? reason}${restarts > 0 ? `; its runner ended ${restarts} times` : ''}`,
    mend: missing === null ? `see what it printed: GET /api/models/${name}/log` : 'put it there; it is tried again by itself',
  }];
  if (successor?.state === 'failed') checks.push({ name: 'model', ok: false, needed: false, found: `${name}: what was edited cannot take over: ${successor.reason}`, mend: 'mend what the reason names' });
  const skipped = Object.entries(looks.skipped).sort(([, a], [, b]) => b - a);
  const passedBy = skipped.reduce((sum, [, frames]) => sum + frames, 0);
  const asked = looks.looked + looks.failed + passedBy;
  if (asked === 0) return checks;
  checks.push({
    name: 'looks', ok: passedBy <= MUCH_SKIPPED * asked, needed: false,
    found: `${name} looked at ${percent(looks.looked, asked)} of ${asked} frames${skipped.map(([why, frames]) => `, ${percent(frames, asked)} ${why}`).join('')}`,
    mend: adviceOnSkips(skipped[0]?.[0] ?? ''),
  });
  if (looks.failed > MUCH_SKIPPED * asked) checks.push({ name: 'looks', ok: false, needed: false, found: `${name} failed on ${percent(looks.failed, asked)} of ${asked} frames`, mend: `see what it printed: GET /api/models/${name}/log` });
  return checks;
}

function adviceOnSkips(reason: string): string {
  return Object.hasOwn(ERRORS, reason) ? ERRORS[reason as keyof typeof ERRORS].advice : 'see GET /api/models';
}

const percent = (part: number, all: number): string => `${Math.round((100 * part) / all)} %`;
const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

function duration(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
