/** A folder that somebody else takes: nothing more is written there. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { until } from '../helpers/app.ts';
import { PICTURE } from '../http/records.ts';
import { startServer } from '../helpers/server-process.ts';

it('stops in order, as a failure, when the lock on its data folder is taken from it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-lost-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const server = await startServer({ folder });
  onTestFinished(() => server.kill9());
  const lock = join(folder, 'data', '.lookout.lock');
  await rm(lock, { recursive: true });
  await mkdir(lock);
  expect(await server.ended).toBe(1);
  expect(server.output()).toContain(`the lock on ${join(folder, 'data')} was lost: another process has taken ${lock}\nwhat to try: stop the other process`);
}, 40_000);

it.each(['removed', 'taken over'])('writes no manifest and no frame once the lock on its frames folder was %s, whatever is under way', async (how) => {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-lost-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [model, pictures, frames] = [join(folder, 'models', 'hanging'), join(folder, 'pictures'), join(folder, 'frames')];
  await mkdir(model, { recursive: true });
  await mkdir(pictures);
  await writeFile(join(model, 'model.yaml'), 'runtime: command\nentry: sh\nargs: [-c, "sleep 600; true"]\nversion: "1"\n');
  for (let number = 100; number < 200; number += 1) await writeFile(join(pictures, `${number}.jpg`), Buffer.from(PICTURE, 'base64'));
  await mkdir(join(folder, 'data'));
  const stream = { camera_id: 'CAM', url: pathToFileURL(pictures).href, models: ['hanging'], options: { interval_seconds: 0.2, batch_size: 3 } };
  await writeFile(join(folder, 'data', 'lookout.yaml'), JSON.stringify({ streams: [stream], grace_seconds: 1 }));
  const server = await startServer({ folder });
  onTestFinished(() => server.kill9());
  // Frames, manifests and what else is whole.
  const read = async (): Promise<readonly string[]> => (await readdir(frames, { recursive: true })).filter((name) => /^CAM.*\.(json|jpg)$/.test(name)).sort();
  // A session's folder gets its name while the folders are read.
  const files = (): Promise<readonly string[]> => read().catch(read);
  const manifests = async (): Promise<readonly string[]> => (await files()).filter((name) => /Z\.json$/.test(name));
  const asked = async (name: string): Promise<boolean> => (await readFile(join(frames, name), 'utf8')).includes('"attempts":1');
  let manifest = '';
  await until(async () => {
    for (const name of await manifests()) if (await asked(name)) manifest = name;
    return manifest !== '';
  }, 20_000, server.output);

  const lock = join(frames, '.lookout.lock');
  await rm(lock, { recursive: true });
  if (how === 'taken over') await mkdir(lock);
  // As its next owner may have left it.
  await writeFile(join(frames, manifest), 'of the next owner');
  const left = await files();
  expect(await server.ended).toBe(1);
  expect(server.output()).toContain(how === 'removed' ? `${lock} was removed while this process held it\nwhat to try: start Lookout again` : `another process has taken ${lock}\nwhat to try: stop the other process`);
  expect(await readFile(join(frames, manifest), 'utf8')).toBe('of the next owner');
  expect(await files()).toEqual(left);
}, 40_000);
