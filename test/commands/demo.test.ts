/** The demo as a stranger runs it, with a model that needs nothing. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { narrateModels } from '../../src/commands/demo.ts';
import { createFakeFace } from '../helpers/fake-face.ts';
import { runLookout } from '../helpers/server-process.ts';
import { testFolder } from '../store/folder.ts';

const folder = testFolder();
const QUICK = { LOOKOUT_PORT: '0', LOOKOUT_DEFAULT_MODELS: 'motion', LOOKOUT_INTERVAL_SECONDS: '0.5', LOOKOUT_BATCH_SIZE: '4' };

async function demo(flags: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const running = await runLookout(['demo', '--records', '1', ...flags], { folder: folder.path, env: { ...QUICK, ...env } });
  onTestFinished(() => { running.kill('SIGKILL'); });
  expect(await running.ended, running.output()).toBe(0);
  return running.output();
}

it('is ruled by the environment like every command', async () => {
  const output = await demo([], { LOOKOUT_DATA_DIR: 'mine', LOOKOUT_LOG_LEVEL: 'debug' });
  expect(output).toMatch(/ debug /);
  expect(output).toContain(`appended to ${join(folder.path, 'mine/predictions.json')}`);
  expect(await readdir(folder.path)).toEqual(['mine']);
});

it('keeps its frames in the data folder that a flag names', async () => {
  await demo(['--data-dir', 'there'], {});
  expect(await readdir(folder.path)).toEqual(['there']);
  expect(await readdir(join(folder.path, 'there'))).toContain('frames');
});

it.each(['v1', 'v2', 'v3'])('tells what was found in records of %s, whatever the section is called', async (format) => {
  for (const [name, section, thing] of [['eyes', 'stray_animal', 'cow'], ['more', 'stray_animal', 'dog'], ['own', 'null', 'car']] as const) {
    const own = join(folder.path, 'models', name);
    await mkdir(own, { recursive: true });
    await writeFile(join(own, 'model.yaml'), `runtime: node\nentry: model.mjs\nsection: ${section}\n`);
    await writeFile(join(own, 'model.mjs'), `export const predict = (frames) => frames.map(() => [{ class: '${thing}', confidence: 1, box: [0, 0, 9, 9] }]);\n`);
  }
  const output = await demo([], { LOOKOUT_DEFAULT_MODELS: 'eyes,more,own', LOOKOUT_RECORD_FORMAT: format });
  expect([...output.matchAll(/^ {2}(\w+) \(.*\): (.*) in \d+ ms$/gm)].map(([, model, found]) => `${model ?? ''}: ${found ?? ''}`)).toEqual([
    expect.stringMatching(/^eyes: \d x cow$/), expect.stringMatching(/^more: \d x dog$/), expect.stringMatching(/^own: \d x car$/),
  ]);
});

it('watches its camera at the port of today, also in a stream that the API had started', async () => {
  await mkdir(join(folder.path, 'data/demo'), { recursive: true });
  const stream = { camera_id: 'DEMO-CAM', url: 'rtsp://127.0.0.1:9/street', models: ['motion'], options: {}, enabled: true };
  await writeFile(join(folder.path, 'data/demo/streams.json'), JSON.stringify([stream]));
  expect(await demo([], {})).toContain('record DEMO-CAM_');
});

it('reads the models\' folders once a second at most', async () => {
  const face = createFakeFace();
  const models = vi.spyOn(face, 'models');
  await narrateModels({ face }, AbortSignal.timeout(1500));
  expect(models).toHaveBeenCalledTimes(2);
});
