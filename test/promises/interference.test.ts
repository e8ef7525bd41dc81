/** One dead camera and one dying model beside healthy ones cost these no time: measured without and with them in one run. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { startDemoCamera } from '../../src/demo/index.ts';
import { startTestApp } from '../helpers/app.ts';
import { inFull, tellFigure } from './figures.ts';

const PHASES = inFull ? 6 : 2;
const PHASE_MS = inFull ? 60_000 : 4000;
/** What is over when a phase begins of what the one before it began. */
const SETTLING_MS = 1000;
const GOOD = ['CAM-1', 'CAM-2', 'CAM-3'];
const DYING = 'export function predictFrame() { process.exit(7); }\n';

const median = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;

it('delays no record of healthy cameras beside a dead one and a model that dies with every frame', async ({ onTestFinished }) => {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-interference-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  await mkdir(join(folder, 'models/dying'), { recursive: true });
  await writeFile(join(folder, 'models/dying/model.yaml'), 'runtime: node\nentry: model.mjs\n');
  await writeFile(join(folder, 'models/dying/model.mjs'), DYING);
  const camera = await startDemoCamera({ cameras: { scene: { kind: 'scene', width: 640, height: 360, fps: 10, keyframe_seconds: 0.5 } } }, new AbortController().signal);
  onTestFinished(() => camera.close());
  const lookout = await startTestApp({ log_level: 'error' }, folder);
  onTestFinished(() => lookout.close());

  const latencies: { readonly at: number; readonly ms: number }[] = [];
  lookout.app.onRecord(({ batch }, id) => {
    if (GOOD.includes(id)) latencies.push({ at: Date.now(), ms: Date.now() - Date.parse(batch.frames.at(-1)?.captured_at ?? '') });
  });
  const start = (camera_id: string, rtsp_url: string, model_name: readonly string[]): Promise<unknown> => (
    lookout.post('/start_stream', { camera_id, rtsp_url, model_name, interval_seconds: 0.5, batch_size: 2, capture_mode: 'keyframes' }));
  for (const id of GOOD) await start(id, camera.url('scene'), ['motion']);
  for (const id of GOOD) await lookout.records(id, 2, 30_000);

  /** Latencies of the records of a phase. */
  async function measured(): Promise<readonly number[]> {
    await sleep(SETTLING_MS);
    const from = Date.now();
    await sleep(PHASE_MS);
    return latencies.filter(({ at }) => at > from).map(({ ms }) => ms);
  }

  const [without, beside]: [number[], number[]] = [[], []];
  for (let phase = 0; phase < PHASES; phase += 2) {
    without.push(...await measured());
    await start('DEAD', 'rtsp://127.0.0.1:9/x', ['motion']);
    await start('DOOMED', camera.url('scene'), ['dying']);
    beside.push(...await measured());
    for (const id of ['DEAD', 'DOOMED']) await lookout.post('/stop_stream', { camera_id: id });
  }
  const [alone, disturbed] = [median(without), median(beside)];
  tellFigure('interference', `${alone.toFixed(0)} ms without, ${disturbed.toFixed(0)} ms beside them (medians of ${without.length} and ${beside.length} records)`);
  expect(Math.min(without.length, beside.length)).toBeGreaterThan(GOOD.length * PHASE_MS / 2000 * PHASES / 2);
  expect(disturbed - alone).toBeLessThan(inFull ? Math.max(50, 0.1 * alone) : 500);
}, 60_000 + PHASES * (PHASE_MS + 10_000));
