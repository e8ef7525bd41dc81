/** Fixture programs as commands, and what the runner tests ask of processes. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { LookoutError } from '../../src/errors.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { RunnerCommand } from '../../src/runner/command.ts';
import { nodeHarness, pythonHarness } from '../../src/runner/harness.ts';
import { startRunner, type StartOptions } from '../../src/runner/start.ts';
import type { Json, Runner, RunnerFrame } from '../../src/types.ts';

export const folder = join(import.meta.dirname, '../fixtures/runners');
export const python = process.env['LOOKOUT_PYTHON'] ?? 'python3';
export const never = new AbortController().signal;

export type Language = 'python' | 'node';

/** A model of the fixtures, by its name without suffix, under the harness of its language. */
export function harnessed(language: Language, model: string, options: { readonly [key: string]: Json } = {}): RunnerCommand {
  const setup = { name: 'fixture', folder: '/models/fixture', weights_folders: ['/weights'], work_folder: '/work', options };
  const words = language === 'python'
    ? pythonHarness(python, join(folder, `${model}.py`), setup)
    : nodeHarness(process.execPath, join(folder, `${model}.mjs`), setup);
  return { ...words, cwd: folder, env: {} };
}

/** A program that speaks the protocol itself. */
export function raw(behaviour: string): RunnerCommand {
  return { file: process.execPath, args: [join(folder, 'raw.mjs'), behaviour], cwd: folder, env: {} };
}

export function frames(size: number): RunnerFrame[] {
  return Array.from({ length: size }, (_, index) => ({
    index,
    stream: 'CAM-001_0a1b2c3d',
    sequence: 40 + index,
    file: `/frames/${index}.jpg`,
    captured_at: '2025-03-01T12:00:00.000Z',
    width: 640,
    height: 480,
  }));
}

export interface Runners {
  readonly start: (command: RunnerCommand, options?: Partial<StartOptions>, signal?: AbortSignal) => Promise<Runner>;
  /** Every line that the runners wrote. */
  readonly logs: string[];
}

/** Starts runners that are closed after the test. */
export function runners(): Runners {
  const started: Runner[] = [];
  const logs: string[] = [];
  afterEach(async () => {
    await Promise.all(started.splice(0).map((runner) => runner.close()));
    logs.length = 0;
  });
  return {
    logs,
    start: async (command, options = {}, signal = never) => {
      const runner = await startRunner(command, { model: 'fixture', start_deadline_ms: 20_000, onLog: (line) => logs.push(line), ...options }, signal);
      started.push(runner);
      return runner;
    },
  };
}

/** One runner for all tests of a suite that leave it as it was. */
export function warmRunner(command: RunnerCommand): Pick<Runner, 'predict'> {
  let runner: Runner;
  beforeAll(async () => { runner = await startRunner(command, { model: 'fixture', start_deadline_ms: 20_000, onLog: () => undefined }, never); });
  afterAll(() => runner.close());
  return { predict: (...call) => runner.predict(...call) };
}

/** The error of a promise that must fail. */
export async function failure(promise: Promise<unknown>): Promise<LookoutError> {
  const outcome: unknown = await promise.then(() => 'it succeeded', (error: unknown) => error);
  if (outcome instanceof LookoutError) return outcome;
  throw new Error(`not a LookoutError: ${String(outcome)}`);
}

/** The pids that fixture programs wrote into their log, in order. */
export function pids(logs: readonly string[]): number[] {
  return logs.flatMap((line) => [...line.matchAll(/pid (\d+)/g)].map((match) => Number(match[1])));
}

/** A zombie that nobody has reaped yet is not alive. */
export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    // ESRCH: no such process. ENOENT: it went between the two looks, or there is no /proc and it stands.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH' && !existsSync('/proc/self');
  }
}

/** Polls until `condition` holds; throws after `ms`. */
export async function until(condition: () => boolean, ms = 5000): Promise<void> {
  const deadline = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not so within ${ms} ms: ${condition.toString()}`);
    await systemClock.sleep(10, never);
  }
}
