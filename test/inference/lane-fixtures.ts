/** A lane over a real model folder, runtime and runner, whose model does what the test has planned. */
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { LookoutError } from '../../src/errors.ts';
import { silentLog } from '../../src/lib/log.ts';
import { readCatalog } from '../../src/models/catalog.ts';
import { modelFiles } from '../../src/models/fingerprint.ts';
import { createLane, type LaneParts } from '../../src/inference/lane.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { create as createNode } from '../../src/runtimes/node.ts';
// The first model would wait while it is made of TypeScript, and the tests wait for seconds.
import '../../src/runtimes/tools/node.ts';
import type { Lane, Look, Prepared, Runner, RunnerFrame, StreamRef } from '../../src/types.ts';
import { never } from '../models/fixtures.ts';

const PLANNED = join(import.meta.dirname, '../fixtures/runners/planned.mjs');

const SETTINGS: LaneParts['settings'] = {
  model_deadline_seconds: 10, model_retries: 2, runner_restarts: 5, runner_restart_window_seconds: 60, runner_idle_seconds: 600, queue_total: 200, batch_size: 10,
};

const STREAM: StreamRef = { camera_id: 'CAM-1', session: 'CAM-1_0a1b2c3d', interval_seconds: 3, batch_size: 10, from: 'live' };

/** What the model does at its starts and calls, one after the other; afterwards it does well. */
export type Deed = 'well' | 'die' | 'raise' | 'hang' | 'hang stubbornly' | 'dawdle';

export interface Bench {
  readonly lane: Lane;
  readonly folder: string;
  /** Starts and calls that reached the model, in order, e.g. `starts 123`. */
  readonly log: () => Promise<readonly string[]>;
  /** The same without the pids. */
  readonly events: () => Promise<readonly string[]>;
  readonly pids: () => Promise<readonly number[]>;
  /** Asks about a frame of this name, which the model tells as the class that it found. */
  readonly look: (name: string, stream?: Partial<StreamRef>, signal?: AbortSignal) => Promise<Look>;
  readonly writeManifest: (more?: string) => Promise<void>;
}

/**
 * The lane is closed when the test of this context has finished; tests that run at once know theirs only by that. `known`: the
 * model is up and was asked about a frame before its plan begins, so that calls of several are made.
 */
export async function planned(
  { onTestFinished }: TestContext, { starts = [], calls = [], known = false }: { readonly starts?: readonly Deed[]; readonly calls?: readonly Deed[]; readonly known?: boolean },
  settings: Partial<LaneParts['settings']> = {}, change: (parts: LaneParts) => Partial<LaneParts> = () => ({}),
): Promise<Bench> {
  const root = await mkdtemp(join(tmpdir(), 'lookout-lane-'));
  const folder = join(root, 'models/planned');
  const plan = join(root, 'plan');
  const writeManifest = (more = ''): Promise<void> =>
    writeFile(join(folder, 'model.yaml'), `runtime: node\nentry: detector.mjs\nversion: "1"\noptions: { plan: ${plan} }\n${more}`);
  await mkdir(folder, { recursive: true });
  await copyFile(PLANNED, join(folder, 'detector.mjs'));
  await writeManifest();
  const catalog = await readCatalog({ folders: [{ path: join(root, 'models'), origin: 'user' }], project: null, data_dir: root });
  const runtime = createNode({ data_dir: root, offline: true });
  const parts: LaneParts = {
    read: () => catalog.get('planned'), prepare: (model, progress, signal) => runtime.prepare(model, progress, signal),
    files: modelFiles, print: () => undefined, settings: { ...SETTINGS, ...settings }, clock: systemClock, log: silentLog,
    view: (keys) => Promise.resolve({ files: keys, close: () => Promise.resolve() }),
  };
  const lane = createLane('planned', { ...parts, ...change(parts) });
  onTestFinished(async () => {
    await lane.close();
    await rm(root, { recursive: true, force: true });
  });
  const log = async (): Promise<readonly string[]> => (await readFile(`${plan}.log`, 'utf8')).split('\n').filter(Boolean);
  let sequence = 0;
  const look: Bench['look'] = (key, stream = {}, signal = never) => lane.look(
    { key, captured_at: '2025-03-01T12:00:00.000Z', sequence: sequence += 1, width: 640, height: 480 }, { ...STREAM, ...stream }, signal);
  if (known) await look('before');
  await writeFile(`${plan}.starts`, starts.join('\n'));
  await writeFile(`${plan}.calls`, calls.join('\n'));
  await writeFile(`${plan}.log`, '');
  return {
    lane, folder, log, look, writeManifest,
    events: async () => (await log()).map((line) => line.split(' ')[0] ?? ''),
    pids: async () => [...new Set((await log()).flatMap((line) => (line.startsWith('starts ') ? [Number(line.split(' ')[1])] : [])))],
  };
}

/** An environment whose runners have no process: each says what class it finds, in words of its own. One that throws `runner_died` is gone. */
export async function madeUp(start: () => Promise<(frames: readonly RunnerFrame[]) => string>): Promise<Prepared> {
  // Until then the test has asked what it asks.
  await systemClock.sleep(50, never);
  return { fingerprint: null, markUsed: () => Promise.resolve(), start: async () => runnerOf(await start()) };
}

function runnerOf(classOf: (frames: readonly RunnerFrame[]) => string): Runner {
  let end: (why: string) => void = () => undefined;
  const ended = new Promise<string>((resolve) => { end = resolve; });
  return {
    ready: { detector: null, labels: null, device: null, mix: true, slots: 1 }, ended,
    predict: (frames) => new Promise((resolve) => {
      try {
        const found = { class: classOf(frames), confidence: 0.5, box: [0, 0, 1, 1] as const };
        resolve({ inference_ms: 1, predictions: frames.map(({ index }) => ({ index, detections: [found] })) });
      } catch (error) {
        if (error instanceof LookoutError && error.code === 'runner_died') end(error.message);
        throw error;
      }
    }),
    memory: () => Promise.resolve(null),
    close: () => {
      end('closed');
      return Promise.resolve();
    },
  };
}
