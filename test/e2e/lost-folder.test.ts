/** A folder that somebody else takes: nothing more is written there. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
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
  expect(server.output()).toContain('the lock on');
}, 40_000);
