/** The engine's state on the disk, beside the log: written now and then, read at a start. */
import { readFile } from 'node:fs/promises';
import { errorInfo } from '../errors.ts';
import type { Clock } from '../lib/clock.ts';
import { hasCode, writeAtomically } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';
import { createTurns } from '../lib/turns.ts';
import { createSinceFiles } from './since-files.ts';
import { readState, type EventState, type OpenState } from './state.ts';

export interface StateFile {
  /** What it says is not how it is any more. */
  readonly isOld: boolean;
  /** When it is to be taken next, by the monotonic clock. */
  readonly dueAt: number;
  readonly isDue: boolean;
  age(): void;
  /** It is due at once: the log does not tell of what has changed. */
  hasten(): void;
  /** What is to be written, as it is at this moment. */
  take(): EventState;
  /** Where that cannot be it stays old; it is said, and nobody is kept from going on. */
  write(state: EventState): Promise<void>;
  /** How these went on since it was taken; where that cannot be written it is said, and nobody is kept from going on. */
  note(open: readonly OpenState[]): Promise<void>;
  read(): Promise<StateRead>;
}

export interface StateRead {
  /** null: there is none that can be read. */
  readonly state: EventState | null;
  /** What was noted since, the oldest first. */
  readonly since: readonly OpenState[];
}

export interface StateFileParts {
  readonly file: string;
  readonly state: () => EventState;
  /** Asked before it is written: throws when it is somebody else's by now. */
  readonly expectOurs: () => Promise<void>;
  readonly clock: Clock;
  readonly words: Log;
}

/** It is written so often, and more rarely the longer that takes: looks and the log wait meanwhile. */
const EVERY_MS = 2000;
const SHARE = 0.02;
/** By then the log has no more items of ten thousand events that go on than are read at a start. */
const LATEST_MS = 15_000;

export function createStateFile({ file, state, expectOurs, clock, words }: StateFileParts): StateFile {
  let isOld = false;
  let takenAt = -Infinity;
  /** Its making and writing, the last time. */
  let tookMs = 0;
  const sinceFiles = createSinceFiles(file);
  /** Of the state that was taken last. */
  let number = 0;
  const takeTurn = createTurns();
  const dueAt = (): number => takenAt + Math.min(LATEST_MS, Math.max(EVERY_MS, tookMs / SHARE));

  return {
    get isOld() {
      return isOld;
    },
    get dueAt() {
      return dueAt();
    },
    get isDue() {
      return clock.monotonic() >= dueAt();
    },
    age() {
      isOld = true;
    },
    hasten() {
      [takenAt, isOld] = [-Infinity, true];
    },
    take() {
      [takenAt, isOld] = [clock.monotonic(), false];
      number += 1;
      const taken = { ...state(), number };
      tookMs = clock.monotonic() - takenAt;
      return taken;
    },
    async write(taken) {
      const begunAt = clock.monotonic();
      const text = JSON.stringify(taken);
      await unlessItCannot(async () => {
        await writeAtomically(file, text);
        await sinceFiles.forget(taken.number ?? 0);
      });
      tookMs += clock.monotonic() - begunAt;
    },
    async note(open) {
      const of = number;
      if (open.length > 0) await takeTurn(() => unlessItCannot(() => sinceFiles.note(of, open)));
    },
    async read() {
      const state = await readStored();
      const { newest, noted } = await sinceFiles.read(state?.number ?? 0);
      // What is noted before the first state is taken comes after what an earlier run noted.
      number = newest + 1;
      return { state, since: noted };
    },
  };

  async function unlessItCannot(write: () => Promise<void>): Promise<void> {
    try {
      await expectOurs();
      await write();
    } catch (error) {
      isOld = true;
      words.repeated('error', 'the state of events cannot be written', file, { reason: errorInfo(error).message });
    }
  }

  async function readStored(): Promise<EventState | null> {
    try {
      return readState(JSON.parse(await readFile(file, 'utf8')));
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) words.warn('the state of events cannot be read; what the log says stands for it', { file, reason: errorInfo(error).message });
      return null;
    }
  }
}
