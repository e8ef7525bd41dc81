/** What the push-frame server's camera has been through, in `data/oil_spill.json`, and the pictures of its alerts in `data/oil_spill_frames`. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { putAside } from '../lib/aside.ts';
import { hasCode, isThere, makeFolder, removeIfPresent, sweepTemporaries, writeAtomically } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';
import { isObject } from '../lib/objects.ts';
import { createTurns } from '../lib/turns.ts';
import type { OilSpillEvent } from '../types.ts';

/** What is known of the camera across restarts. */
export interface CameraState {
  readonly stream_active: boolean;
  /** Somebody stopped it: it is not active again because a picture comes. */
  readonly stopped: boolean;
  readonly oil_spill_detected: boolean;
  /** Seconds since 1970; 0: never. */
  readonly last_frame_time: number;
}

export interface History {
  readonly state: CameraState;
  /** Since the first of all; `events` holds the newest of them. */
  readonly total: number;
  /** Oldest first. */
  readonly events: readonly OilSpillEvent[];
  /** On the disk soon; when it resolves, so it is. */
  change(change: Partial<CameraState>): Promise<void>;
  /**
   * Oil is seen: keeps the picture, then tells. On the disk it is seen from then on: who is killed before alerts again. `localTime`:
   * RFC 3339 with milliseconds, as the clock on the wall shows it.
   */
  add(jpeg: Uint8Array, localTime: string): Promise<void>;
}

const [FILE, FOLDER] = ['oil_spill.json', 'oil_spill_frames'] as const;
/** With their pictures. */
const MOST_EVENTS = 1000;
const BEGIN: CameraState = { stream_active: false, stopped: false, oil_spill_detected: false, last_frame_time: 0 };

interface Stored {
  readonly state: CameraState;
  readonly total: number;
  readonly events: readonly OilSpillEvent[];
}

/** `expectOurs` is asked before each change in the folder. */
export async function openHistory(dataDir: string, expectOurs: () => Promise<void>, log: Log): Promise<History> {
  const file = join(dataDir, FILE);
  await sweepTemporaries(join(dataDir, FOLDER));
  const takeTurn = createTurns();
  let { state, total, events }: Stored = await read(file, log);
  let queued: Promise<void> | null = null;
  /** Alerts whose turn has not come. */
  let waiting = 0;

  async function write(): Promise<void> {
    await expectOurs();
    const told = { ...state, oil_spill_detected: state.oil_spill_detected && waiting === 0 };
    await writeAtomically(file, `${JSON.stringify({ state: told, total, events } satisfies Stored)}\n`);
  }

  /** What changes while it is written is written once more. */
  function save(): Promise<void> {
    queued ??= takeTurn(() => {
      queued = null;
      return write();
    });
    return queued;
  }

  async function freeName(timestamp: string): Promise<string> {
    const name = (number: number): string => `oil_spill_${timestamp}${number === 1 ? '' : `_${number}`}.jpg`;
    let number = 1;
    while (await isThere(join(dataDir, FOLDER, name(number)))) number += 1;
    return name(number);
  }

  async function keep(jpeg: Uint8Array, localTime: string): Promise<void> {
    await expectOurs();
    await makeFolder(join(dataDir, FOLDER));
    const timestamp = localTime.slice(0, 19).replace('T', '_').replaceAll(/[-:]/g, '');
    const name = await freeName(timestamp);
    await writeAtomically(join(dataDir, FOLDER, name), jpeg);
    const before: Stored = { state, total, events };
    const all = [...events, { datetime: `${localTime.slice(0, 23)}000`, frame_path: `${FOLDER}/${name}`, timestamp }];
    [total, events] = [total + 1, all.slice(-MOST_EVENTS)];
    try {
      await write();
    } catch (error) {
      ({ total, events } = before);
      throw error;
    }
    for (const { frame_path } of all.slice(0, -MOST_EVENTS)) await removeIfPresent(join(dataDir, FOLDER, basename(frame_path)));
  }

  return {
    get state() {
      return state;
    },
    get total() {
      return total;
    },
    get events() {
      return events;
    },
    change(change) {
      state = { ...state, ...change };
      return save();
    },
    add(jpeg, localTime) {
      waiting += 1;
      state = { ...state, oil_spill_detected: true };
      return takeTurn(async () => {
        waiting -= 1;
        try {
          await keep(jpeg, localTime);
        } catch (error) {
          // The next picture tries it again.
          state = { ...state, oil_spill_detected: false };
          throw error;
        }
      });
    },
  };
}

async function read(file: string, log: Log): Promise<Stored> {
  try {
    const stored: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (isStored(stored)) return stored;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return { state: BEGIN, total: 0, events: [] };
    if (!(error instanceof SyntaxError) && !hasCode(error, 'EISDIR')) throw error;
  }
  log.error(`${file} is damaged: it lies at ${await putAside(file)} now, and the camera begins without a history`);
  return { state: BEGIN, total: 0, events: [] };
}

function isStored(value: unknown): value is Stored {
  if (!isObject(value)) return false;
  const { state, total, events } = value;
  const fits = (key: string, like: unknown): boolean => isObject(state) && typeof state[key] === typeof like;
  const isEvent = (event: unknown): boolean => isObject(event) && ['datetime', 'frame_path', 'timestamp'].every((key) => typeof event[key] === 'string');
  return Object.entries(BEGIN).every(([key, like]) => fits(key, like)) && Number.isSafeInteger(total) && Array.isArray(events) && events.every(isEvent);
}
