/** The whole of Lookout under load, on the disk and in real time: what no clock of a test's own can show. */
import { execFile } from 'node:child_process';
import { link, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, type TestContext } from 'vitest';
import type { BatchRecord } from '../../src/types.ts';
import { startTestApp, until, type TestApp } from '../helpers/app.ts';

/** The least, however busy the machine is; and the most. */
const SECONDS = 10;
const PATIENCE_MS = 90_000;

/** Finds one thing in each frame, which takes it so long; pictures of the camera BAD end it. */
const MODEL = `
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export async function predictFrame(frame, { ms }) {
  if (frame.stream.startsWith('BAD_')) process.exit(7);
  await wait(ms);
  return [{ class: 'thing', confidence: 1, box: [0, 0, 1, 1] }];
}
`;

interface Stream {
  readonly camera_id: string;
  readonly models: readonly string[];
  readonly interval_seconds: number;
  readonly batch_size: number;
}

/** Runs these models (milliseconds per frame, by name) and streams for a while, until there is enough to see. */
async function run(models: Readonly<Record<string, number>>, streams: readonly Stream[], isEnough: (records: readonly BatchRecord[]) => boolean, onTestFinished: TestContext['onTestFinished']): Promise<{ readonly app: TestApp; readonly records: readonly BatchRecord[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-load-'));
  for (const [name, ms] of Object.entries(models)) {
    await mkdir(join(folder, 'models', name), { recursive: true });
    await writeFile(join(folder, 'models', name, 'model.yaml'), `runtime: node\nentry: model.mjs\noptions: { ms: ${ms} }\n`);
    await writeFile(join(folder, 'models', name, 'model.mjs'), MODEL);
  }
  await mkdir(join(folder, 'pictures'));
  await promisify(execFile)('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=size=160x90:rate=1', '-frames:v', '1', join(folder, 'pictures', '0.jpg')]);
  // A folder of pictures is a camera until the last was shown.
  for (let picture = 1; picture < (PATIENCE_MS / 1000 + SECONDS) * 11; picture += 1) await link(join(folder, 'pictures', '0.jpg'), join(folder, 'pictures', `${picture}.jpg`));
  const app = await startTestApp({ join_deadline_seconds: 1, allow_schemes: ['file'], default_models: Object.keys(models) }, folder);
  onTestFinished(async () => {
    await app.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  const written: BatchRecord[] = [];
  app.app.onRecord((record) => written.push(record));
  for (const { interval_seconds, batch_size, ...stream } of streams) {
    await app.app.face.start({ ...stream, url: pathToFileURL(join(folder, 'pictures')).href, options: { interval_seconds, batch_size } });
  }
  await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000));
  await until(() => isEnough(written), PATIENCE_MS, () => `only ${written.length} records`);
  return { app, records: written };
}

function things(records: readonly BatchRecord[], model: string): number {
  return records.reduce((sum, record) => sum + ((record[model] as { detections: readonly unknown[] } | undefined)?.detections.length ?? 0), 0);
}

const cameraOf = ({ batch }: BatchRecord): string => batch.session.replace(/_[0-9a-f]{8}$/, '');

describe.concurrent('a load that is too much', () => {
  it('leaves a model at 1.2 times its capacity working beside a fast one, to the end', async ({ onTestFinished }) => {
    const { records } = await run({ fast: 1, slow: 120 }, [{ camera_id: 'CAM', models: ['fast', 'slow'], interval_seconds: 0.1, batch_size: 5 }], ({ length }) => length >= 15, onTestFinished);
    // Of the last batches too: four of the five frames of a batch are what it can on a quiet machine.
    const last = records.slice(-8);
    expect(things(last, 'fast')).toBeGreaterThanOrEqual(30);
    expect(things(last, 'slow')).toBeGreaterThanOrEqual(12);
  });

  it('costs each of 20 cameras the same share of a model', async ({ onTestFinished }) => {
    const cameras = Array.from({ length: 20 }, (_, index) => `CAM-${index}`);
    const { records } = await run({ slow: 70 }, cameras.map((camera_id) => ({ camera_id, models: ['slow'], interval_seconds: 0.5, batch_size: 2 })), (written) => things(written, 'slow') > 100, onTestFinished);
    const looks = cameras.map((camera) => things(records.filter((record) => cameraOf(record) === camera), 'slow'));
    const mean = looks.reduce((sum, one) => sum + one, 0) / looks.length;
    expect(Math.min(...looks) / mean, looks.join(' ')).toBeGreaterThan(0.4);
  });

  it('by one camera of ten whose pictures end the model costs the others no batch', async ({ onTestFinished }) => {
    const healthy = Array.from({ length: 9 }, (_, index) => `CAM-${index}`);
    const { app, records } = await run({ slow: 10 }, ['BAD', ...healthy].map((camera_id) => ({ camera_id, models: ['slow'], interval_seconds: 0.5, batch_size: 4 })), ({ length }) => length >= 30, onTestFinished);
    // What a busy machine could not even capture is no batch.
    for (const camera of healthy) expect(app.app.face.stream(camera)?.books, camera).toMatchObject({ dead_lettered: 0, dropped: expect.not.objectContaining({ queue_full: expect.anything() as unknown }) as unknown });
    const theirs = records.filter((record) => cameraOf(record) !== 'BAD');
    // Nearly all on a quiet machine; each end of the runner takes a busy one seconds.
    expect(theirs.length).toBeGreaterThanOrEqual(20);
    expect(things(theirs, 'slow') / theirs.reduce((sum, { batch }) => sum + batch.frames.length, 0)).toBeGreaterThan(0.3);
  });
});
