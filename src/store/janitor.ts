/**
 * Keeps a reserve free on the file systems that Lookout writes to: lets go of what can be spared, in the order of a table,
 * and says that nothing may be captured while all that is gone and there still is too little room.
 */
import { errorInfo, LookoutError } from '../errors.ts';
import { inBytes, NOTHING, sum, type Amount } from '../lib/amount.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { isNoRoom, isOfDisk } from '../lib/transient.ts';
import { createTurns } from '../lib/turns.ts';
import { createForecast, type Forecast } from './forecast.ts';
import { deviceOf, folderOf, missing, spaceOn, touch, volumesOf, writingFails, type Space, type Volume } from './volumes.ts';

/** What is let go where room is short, the first before the second, and so on. */
export const TABLE = {
  held: 'frames that clips may begin with',
  evidence: 'kept pictures',
  clips: 'clips',
  events: 'pictures of events',
  recorded: 'dead letters of recorded batches',
  unrecorded: 'dead letters',
  frames: 'frames that wait for models',
  kept_clips: 'clips of events that are to be kept',
  kept: 'pictures of events that are to be kept',
} as const;

export type Kind = keyof typeof TABLE;

/** Files of one kind that can be let go. */
export interface Expendable {
  /** Where they lie: they are of use to the file system of this folder alone. */
  readonly folder: string;
  /** Bytes of all that could go. */
  held(): number;
  /** Lets go of the oldest until so much has gone. Answers how much that was; nothing: none is left. */
  letGo(wanted: Amount): Promise<Amount>;
}

/** What those who write want to know of the disk. */
export interface Room {
  /** Why nothing may be captured now; null: there is room. */
  readonly trouble: LookoutError | null;
  /** Why nobody knows what becomes of what is written: the disk gives no answer. null: it does. */
  readonly silence: LookoutError | null;
  /** Does what reads for somebody who asks. Throws `disk_failed` while the disk gives no answer, also of what has begun: nobody is to wait for that. */
  read<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Something could not be written. True: room was made, and it may be tried again at once. */
  failed(error: unknown): Promise<boolean>;
  /** Resolves once something may be captured; early, without throwing, when the signal aborts. */
  wait(signal: AbortSignal): Promise<void>;
}

export interface Janitor extends Room {
  join(kind: Kind, expendable: Expendable): void;
  /** Looks after the disks until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export interface JanitorParts {
  /** Folders and files without which nothing can be captured. */
  readonly folders: readonly string[];
  readonly files: readonly string[];
  /** On their disks. */
  readonly min_free_bytes: number | null;
  readonly clock: Clock;
  readonly log: Log;
}

/** What is known of a file system from one look to the next. */
interface Watched {
  readonly forecast: Forecast;
  trouble: LookoutError | null;
  /** It was below its reserve and is not above it by a margin yet. */
  low: boolean;
}

/** What was found of a file system before anything went. */
interface Relief {
  readonly before: Space;
  readonly short: Amount | null;
  /** For what reason of the disk's it cannot be written though it has room. */
  readonly failure: unknown;
  readonly made: boolean;
}

const LOOK_MS = 2000;
/** A look takes less, also one that lets go of thousands of files. */
const SILENT_MS = 15_000;
const FORECAST_MS = 60_000;
const WARN_MS = 6 * 3_600_000;
/** What has gone below its reserve counts as well again with so much more. */
const MARGIN = 1.25;
/** Let go of at a time where there is room by the numbers, and yet nothing can be written. */
const STEP: Amount = { bytes: 1 << 20, files: 16 };

export function createJanitor({ folders, files, min_free_bytes, clock, log }: JanitorParts): Janitor {
  const kinds = new Map<Kind, Expendable>();
  const watched = new Map<number, Watched>();
  /** Disks without which all else goes on. */
  const elsewhere = new Map<number, Watched>();
  const takeTurn = createTurns();
  /** What was let go since the start. */
  const goneOf = new Map<Kind, Amount>();
  /** A look that was asked for and has not begun. */
  let asked: Promise<boolean> | null = null;
  let silence: LookoutError | null = null;
  /** Those who wait for what they read. */
  const readers = new Set<(error: LookoutError) => void>();
  let forecastAt = -Infinity;
  let warnedAt = -Infinity;

  const trouble = (): LookoutError | null => [...watched.values()].map((one) => one.trouble).find((one) => one !== null) ?? null;

  function watch({ device }: Volume, among = watched): Watched {
    const own = among.get(device) ?? { forecast: createForecast(), trouble: null, low: false };
    among.set(device, own);
    return own;
  }

  /** The file systems without which nothing can be captured. */
  const needed = async (): Promise<readonly Volume[]> => volumesOf([...folders, ...await Promise.all(files.map(folderOf))]);

  /** The kinds that lie on a file system, in the order of the table. */
  async function kindsOn({ device }: Volume): Promise<readonly (readonly [Kind, Expendable])[]> {
    const own: (readonly [Kind, Expendable])[] = [];
    for (const kind of Object.keys(TABLE) as Kind[]) {
      const expendable = kinds.get(kind);
      // One that cannot be asked about lies elsewhere.
      if (expendable && await deviceOf(expendable.folder).catch(() => null) === device) own.push([kind, expendable]);
    }
    return own;
  }

  /** Answers how much has gone in all. */
  async function letGo(volume: Volume, wanted: Amount): Promise<Amount> {
    let gone = NOTHING;
    for (const [kind, expendable] of await kindsOn(volume)) {
      const rest = { bytes: wanted.bytes - gone.bytes, files: wanted.files - gone.files };
      if (rest.bytes <= 0 && rest.files <= 0) break;
      try {
        const more = await expendable.letGo(rest);
        gone = sum(gone, more);
        if (more.files === 0) continue;
        const sinceStart = sum(goneOf.get(kind) ?? NOTHING, more);
        goneOf.set(kind, sinceStart);
        log.repeated('warn', `room is short: ${TABLE[kind]} are let go`, volume.folders.join(', '), { files_since_start: sinceStart.files, since_start: inBytes(sinceStart.bytes) });
      } catch (error) {
        log.repeated('error', `${TABLE[kind]} could not be let go`, volume.folders.join(', '), { reason: errorInfo(error).message });
      }
    }
    return gone;
  }

  /** Lets go where room is short. `made`: something has gone. `told`: somebody could not write. */
  async function relieve(volume: Volume, own: Watched, reserve: number | null, told: boolean): Promise<Relief> {
    const before = await spaceOn(volume, reserve);
    const short = missing(before, own.low ? MARGIN : 1);
    own.low = short !== null;
    // By the numbers there may be room where a quota is used up, or the disk was made read-only.
    const failure = short === null && (told || own.trouble) ? await writingFails(volume) : null;
    const mayHelp = short !== null || isNoRoom(failure);
    const gone = mayHelp ? await letGo(volume, missing(before, MARGIN) ?? STEP) : NOTHING;
    return { before, short, failure, made: gone.files > 0 };
  }

  /** Answers whether room was made. */
  async function lookAt(volume: Volume, told: boolean): Promise<boolean> {
    const own = watch(volume);
    const { before, short, failure, made } = await relieve(volume, own, min_free_bytes, told);
    // What has gone may not show in the numbers for a moment, or still have another name: that is seen at the next look.
    if (made) return true;
    if (short === null) become(volume, own, failure === null ? null : unwritable(volume, failure));
    else if (own.trouble || missing(before, 1)) become(volume, own, full(volume, before));
    return false;
  }

  function become(volume: Volume, own: Watched, now: LookoutError | null): void {
    const before = own.trouble;
    own.trouble = now;
    if (now && !before) log.error('nothing is captured for now', { reason: now.message });
    if (before && !now) log.info('the disk can be written again, and capture goes on', { folders: volume.folders });
  }

  async function look(told: boolean): Promise<boolean> {
    let made = false;
    const volumes = await needed();
    for (const [device, { trouble: was }] of watched) {
      if (volumes.some((volume) => volume.device === device)) continue;
      watched.delete(device);
      if (was) log.info('another disk has taken the place of one that could not be written', { before: was.message });
    }
    for (const volume of volumes) made = await lookAt(volume, told) || made;
    return await attempt(() => lookElsewhere(volumes, told), false) || made;
  }

  /** Looks after what lies on none of these disks: all else goes on without it. */
  async function lookElsewhere(volumes: readonly Volume[], told: boolean): Promise<boolean> {
    let made = false;
    for (const volume of await volumesOf([...kinds.values()].map(({ folder }) => folder))) {
      if (volumes.some(({ device }) => device === volume.device)) continue;
      made = (await relieve(volume, watch(volume, elsewhere), null, told)).made || made;
    }
    return made;
  }

  /** Many may fail at once: one look serves all that ask before it begins. */
  function lookNow(): Promise<boolean> {
    asked ??= takeTurn(() => {
      asked = null;
      return look(true);
    });
    return asked;
  }

  /** A disk that hangs, such as one of the network whose server is away, fails nothing: nobody else would say so. */
  async function lookInTime(): Promise<void> {
    const cancel = clock.after(SILENT_MS, () => {
      silence = new LookoutError('disk_failed', `the disk of ${folders.join(' or ')} gives no answer: what is read and written there waits`);
      log.error('a disk does not answer', { reason: silence.message });
      for (const refuse of readers) refuse(silence);
    });
    await attempt(async () => {
      await takeTurn(() => look(false));
      for (const volume of await needed()) await touch(volume);
    }, undefined);
    cancel();
    if (silence) log.info('the disk answers again, and all goes on', { folders });
    silence = null;
  }

  async function foresee(): Promise<void> {
    const now = clock.monotonic();
    if (now - forecastAt < FORECAST_MS) return;
    forecastAt = now;
    for (const volume of await needed()) {
      const { free, reserve } = await spaceOn(volume, min_free_bytes);
      const held = (await kindsOn(volume)).reduce((sum, [, expendable]) => sum + expendable.held(), 0);
      const hours = watch(volume).forecast.hoursLeft(Math.max(0, free.bytes - reserve.bytes) + held, now);
      if (hours === null || trouble() || now - warnedAt < WARN_MS) continue;
      warnedAt = now;
      log.warn(`at the present rate there is no room any more in about ${hours < 2 ? `${Math.round(hours * 60)} minutes` : `${Math.round(hours)} hours`}, and nothing is captured then`, {
        folders: volume.folders, free: inBytes(free.bytes), stays_free: inBytes(reserve.bytes), may_be_let_go: inBytes(held),
      });
    }
  }

  async function attempt<Result>(work: () => Promise<Result>, otherwise: Result): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      log.repeated('error', 'it cannot be told how much room there is', folders.join(', '), { reason: errorInfo(error).message });
      return otherwise;
    }
  }

  return {
    get trouble() {
      return trouble();
    },
    get silence() {
      return silence;
    },
    read: (work) => new Promise((resolve, reject) => {
      if (silence) throw silence;
      work().then(resolve, reject).finally(() => { readers.delete(reject); });
      readers.add(reject);
    }),
    failed: (error) => (isOfDisk(error) ? attempt(lookNow, false) : Promise.resolve(false)),
    async wait(signal) {
      while (trouble() && !signal.aborted) await clock.sleep(LOOK_MS, signal);
    },
    join(kind, expendable) {
      kinds.set(kind, expendable);
    },
    async run(signal) {
      while (!signal.aborted) {
        await lookInTime();
        await attempt(foresee, undefined);
        await clock.sleep(LOOK_MS, signal);
      }
    },
  };
}

function full({ folders }: Volume, { free, reserve }: Space): LookoutError {
  const [left, kept] = free.bytes < reserve.bytes * MARGIN ? [inBytes(free.bytes), inBytes(reserve.bytes)] : [`${free.files} files`, `${reserve.files} files`];
  return new LookoutError('disk_full', `${left} are free for ${folders.join(' and ')}, where ${kept} are to stay free, and nothing is left that could be let go`);
}

/** By the numbers there is room. */
function unwritable({ folders }: Volume, failure: unknown): LookoutError {
  return new LookoutError(isNoRoom(failure) ? 'disk_full' : 'disk_failed', `nothing can be written to ${folders.join(' and ')}: ${errorInfo(failure).message}`, { cause: failure });
}
