/** What models' own user may do in folders that are Lookout's. Only root can try it. */
import { chmod, chown, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { copyForModels, letModelsPass, makeReadable, runModelsAs } from '../../src/lib/account.ts';
import { NOBODY } from '../helpers/nobody.ts';

const MODELS = NOBODY;
const ADMINS = 50;

/** A folder of the test's own, until whose end models run as another user. */
async function whileModelsAreOthers(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-account-'));
  runModelsAs({ name: 'nobody', uid: MODELS, gid: MODELS, home: '/' });
  onTestFinished(async () => {
    runModelsAs(null);
    await rm(folder, { recursive: true });
  });
  return folder;
}

it.skipIf(process.getuid?.() !== 0).each([
  ['is closed to its group', 0o2700, ADMINS, 0o710, MODELS],
  ['is Lookout\'s alone', 0o2700, 0, 0o710, MODELS],
  ['models pass already', 0o2710, MODELS, 0o710, MODELS],
  ['everybody passes', 0o2711, MODELS, 0o711, MODELS],
  ['others share', 0o2770, ADMINS, 0o2770, ADMINS],
])('a set-group-id folder that %s does not make new files theirs', async (_what, mode, group, expected, owner) => {
  const folder = await whileModelsAreOthers();
  const data = join(folder, 'data');
  await mkdir(data);
  await chown(data, 0, group);
  await chmod(data, mode);
  await letModelsPass(data);
  await writeFile(join(data, 'streams.json'), '');
  await mkdir(join(data, 'evidence'));
  const facts = await stat(data);
  expect([facts.mode & 0o7777, facts.gid]).toEqual([expected, owner]);
  for (const name of ['streams.json', 'evidence']) expect((await stat(join(data, name))).gid, name).toBe(owner === ADMINS ? ADMINS : 0);
  // What is made there for models is theirs to read.
  await makeReadable(join(data, 'weights'));
  await writeFile(join(data, 'weights/w.bin'), '');
  expect((await stat(join(data, 'weights/w.bin'))).gid).toBe(MODELS);
});

it.skipIf(process.getuid?.() !== 0)('a copy for models is theirs to read and nobody\'s to change, whosever the original is', async () => {
  const folder = await whileModelsAreOthers();
  const [picture, copy] = [join(folder, 'a.jpg'), join(folder, 'b.jpg')];
  await writeFile(picture, 'jpeg');
  await chown(picture, MODELS, ADMINS);
  await copyForModels(picture, copy);
  const { uid, gid, mode } = await stat(copy);
  expect([uid, gid, mode & 0o7777]).toEqual([0, MODELS, 0o440]);
});
