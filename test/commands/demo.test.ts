/** The demo as a stranger runs it, with a model that needs nothing. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runLookout } from '../helpers/server-process.ts';
import { testFolder } from '../pipeline/folder.ts';

const folder = testFolder();
const QUICK = { LOOKOUT_PORT: '0', LOOKOUT_DEFAULT_MODELS: 'motion', LOOKOUT_INTERVAL_SECONDS: '0.5', LOOKOUT_BATCH_SIZE: '4' };

async function demo(flags: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const running = await runLookout(['demo', '--records', '1', ...flags], { folder: folder.path, env: { ...QUICK, ...env } });
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
