/** The engine's state on the disk, beside the log: written now and then, read at a start. */
import { readFile } from 'node:fs/promises';
import { errorInfo } from '../errors.ts';
import type { Clock } from '../lib/clock.ts';
import { hasCode, writeAtomically } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';
import { readState, type EventState } from './state.ts';

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
  /** null: there is none that can be read. */
  read(): Promise<EventState | null>;
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
      const taken = state();
      tookMs = clock.monotonic() - takenAt;
      return taken;
    },
    async write(taken) {
      const begunAt = clock.monotonic();
      const text = JSON.stringify(taken);
      await expectOurs().then(() => writeAtomically(file, text)).catch((error: unknown) => {
        isOld = true;
        words.repeated('error', 'the state of events cannot be written', file, { reason: errorInfo(error).message });
      });
      tookMs += clock.monotonic() - begunAt;
    },
    async read() {
      try {
        return readState(JSON.parse(await readFile(file, 'utf8')));
      } catch (error) {
        if (!hasCode(error, 'ENOENT')) words.warn('the state of events cannot be read; what the log says stands for it', { file, reason: errorInfo(error).message });
        return null;
      }
    },
  };
}
