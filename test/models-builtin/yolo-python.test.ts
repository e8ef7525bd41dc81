/** runners/python/yolo.py under the Python harness, with a stand-in for ultralytics (see stubs/). */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/lib/package.ts';
import { pythonHarness } from '../../src/runner/harness.ts';
import { startRunner } from '../../src/runner/start.ts';
import type { Json, Runner } from '../../src/types.ts';
import { python } from '../runner/fixtures.ts';
import { framesOf } from './pictures.ts';

const never = new AbortController().signal;
const WEIGHTS = { names: ['pothole', 'manhole'], found: [{ label: 0, confidence: 0.9, box: [1, 2, 30, 40] }, { label: 1, confidence: 0.3, box: [5, 5, 6, 6] }] };
let folders: readonly [string, string];
let work: string;
let runner: Runner | null = null;

beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'lookout-yolo-'));
  folders = [join(work, 'user'), join(work, 'built-in')];
  mkdirSync(folders[1]);
});

afterEach(async () => {
  await runner?.close();
  runner = null;
  rmSync(work, { recursive: true });
});

async function start(options: { readonly [key: string]: Json } = {}): Promise<Runner> {
  const setup = { name: 'potholes', folder: folders[1], weights_folders: folders, work_folder: work, options };
  const env = { PYTHONPATH: join(import.meta.dirname, 'stubs'), PYTHONDONTWRITEBYTECODE: '1' };
  const command = { ...pythonHarness(python, join(packageRoot, 'runners/python/yolo.py'), setup), cwd: work, env };
  runner = await startRunner(command, { model: 'potholes', start_deadline_ms: 20_000, onLog: () => undefined }, never);
  return runner;
}

function picture(name: string, content = [0xff, 0xd8, 0xff, 0xd9]): string {
  const file = join(work, name);
  writeFileSync(file, Uint8Array.from(content));
  return file;
}

describe('yolo.py', () => {
  it('takes the first weights of the first folder that has some, and names them', async () => {
    writeFileSync(join(folders[1], 'z.pt'), '{}');
    writeFileSync(join(folders[1], 'best.pt'), JSON.stringify(WEIGHTS));
    const { ready } = await start();
    expect(ready).toEqual({ detector: 'best.pt', labels: ['pothole', 'manhole'], device: 'cpu', mix: false, slots: 1 });
  });

  it('answers for every picture in order, also for those that cannot be read', async () => {
    writeFileSync(join(folders[1], 'best.pt'), JSON.stringify(WEIGHTS));
    const model = await start();
    const files = [picture('a.jpg'), picture('torn.jpg', [0xff, 0xd8]), join(work, 'gone.jpg'), picture('b.jpg')];
    const { predictions } = await model.predict(framesOf(files), { confidence: 0.5 }, never);
    const found = [{ class: 'pothole', confidence: 0.9, box: [1, 2, 30, 40] }];
    expect(predictions).toEqual([
      { index: 0, detections: found },
      { index: 1, error: { code: 'bad_frame', message: expect.stringContaining('truncated') as string } },
      { index: 2, error: { code: 'bad_frame', message: expect.stringContaining('gone.jpg') as string } },
      { index: 3, detections: found },
    ]);
  });

  it('answers when no picture of a batch can be read', async () => {
    writeFileSync(join(folders[1], 'best.pt'), JSON.stringify(WEIGHTS));
    const model = await start();
    const { predictions } = await model.predict(framesOf([join(work, 'gone.jpg')]), {}, never);
    expect(predictions).toEqual([{ index: 0, error: { code: 'bad_frame', message: expect.any(String) as string } }]);
  });

  it('says where weights are looked for when there are none', async () => {
    await expect(start()).rejects.toThrow(/no \*\.pt in .*user or .*built-in; put the weights there/);
  });

  it('knows a Git LFS pointer when it sees one', async () => {
    writeFileSync(join(folders[1], 'best.pt'), 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n');
    await expect(start()).rejects.toThrow('Git LFS pointer');
  });

  it('refuses weights that find no boxes at its start', async () => {
    writeFileSync(join(folders[1], 'best.pt'), JSON.stringify({ ...WEIGHTS, boxless: true }));
    await expect(start()).rejects.toThrow('weights for detection are needed');
  });
});
