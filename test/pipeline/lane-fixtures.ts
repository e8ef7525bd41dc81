/** A lane over a real model folder, runtime and runner, whose model does what the test has planned. */
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { silentLog } from '../../src/lib/log.ts';
import { readCatalog } from '../../src/models/catalog.ts';
import { codeHash } from '../../src/models/fingerprint.ts';
import { createLane, type Lane, type LaneParts } from '../../src/pipeline/lane.ts';
import { create as createNode } from '../../src/runtimes/node.ts';
import type { LaneAnswer } from '../../src/types.ts';
import { framesNamed, never } from '../models/fixtures.ts';

const PLANNED = join(import.meta.dirname, '../fixtures/runners/planned.mjs');

const SETTINGS: LaneParts['settings'] = {
  model_deadline_seconds: 10, model_retries: 2, runner_restarts: 5, runner_restart_window_seconds: 60, runner_idle_seconds: 600,
};

/** What the model does at its starts and calls, one after the other; afterwards it does well. */
export type Deed = 'well' | 'die' | 'raise' | 'hang' | 'hang stubbornly' | 'dawdle';

export interface Bench {
  readonly lane: Lane;
  readonly folder: string;
  /** Starts and calls that reached the model and counted attempts, in order, e.g. `starts 123`. */
  readonly log: () => Promise<readonly string[]>;
  /** The same without the pids. */
  readonly events: () => Promise<readonly string[]>;
  readonly pids: () => Promise<readonly number[]>;
  /** Frames named like this, counted in the log. */
  readonly predict: (name: string, attempts?: number, signal?: AbortSignal) => Promise<LaneAnswer>;
  readonly writeManifest: (more?: string) => Promise<void>;
}

/** The lane is closed when the test of this context has finished; tests that run at once know theirs only by that. */
export async function planned(
  { onTestFinished }: TestContext, { starts = [], calls = [] }: { readonly starts?: readonly Deed[]; readonly calls?: readonly Deed[] },
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
  await writeFile(`${plan}.starts`, starts.join('\n'));
  await writeFile(`${plan}.calls`, calls.join('\n'));
  await writeFile(`${plan}.log`, '');

  const catalog = await readCatalog({ folders: [{ path: join(root, 'models'), origin: 'user' }], project: null, data_dir: root });
  const runtime = createNode({ data_dir: root, log: silentLog, offline: true });
  const parts: LaneParts = {
    read: () => catalog.get('planned'), prepare: (model, progress, signal) => runtime.prepare(model, progress, signal),
    codeHash, settings: { ...SETTINGS, ...settings }, log: silentLog,
  };
  const lane = createLane('planned', { ...parts, ...change(parts) });
  onTestFinished(async () => {
    await lane.close();
    await rm(root, { recursive: true, force: true });
  });
  const log = async (): Promise<readonly string[]> => (await readFile(`${plan}.log`, 'utf8')).split('\n').filter(Boolean);
  const countAttempt = (): Promise<void> => writeFile(`${plan}.log`, 'counted\n', { flag: 'a' });
  return {
    lane, folder, log, writeManifest,
    events: async () => (await log()).map((line) => line.split(' ')[0] ?? ''),
    pids: async () => [...new Set((await log()).flatMap((line) => (line.startsWith('starts ') ? [Number(line.split(' ')[1])] : [])))],
    predict: (name, attempts = 0, signal = never) => lane.predict(framesNamed(name), attempts, countAttempt, signal),
  };
}
