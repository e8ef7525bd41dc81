/** `lookout models`, as it is run. */
import { copyFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runLookout } from '../helpers/server-process.ts';
import { paint } from '../models-builtin/pictures.ts';
import { temporaryFolder, writeTree } from '../models/fixtures.ts';

const MANIFEST = 'runtime: node\nentry: seer.mjs\nclasses: [dog]\n';
const SEER = `export const setup = () => ({ detector: 'seer', labels: ['cat'], device: 'abacus' });
export const predict = (frames) => frames.map(() => [{ class: 'dog', confidence: 0.5, box: [10, 10, 30, 30] }, { class: 'dog', confidence: 0.25 }]);
`;

async function lookout(root: string, words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const running = await runLookout(words, { folder: root, env });
  expect(await running.ended, running.output()).toBe(0);
  return running.output();
}

test('models try makes its folder, draws each picture by its own name, and says what it runs on and never finds', async () => {
  const root = await writeTree(await temporaryFolder(), { 'models/seer/model.yaml': MANIFEST, 'models/seer/seer.mjs': SEER, 'b/keep': '' });
  const first = paint(root, 'street', { size: '64x48' });
  await copyFile(first, join(root, 'b/street.jpg'));
  await copyFile(first, join(root, 'b/street-2.jpg'));
  const said = await lookout(root, ['models', 'try', 'seer', first, 'b/street-2.jpg', 'b/street.jpg', '--out', 'results/today']);
  expect((await readdir(join(root, 'results/today'))).sort()).toEqual(['street-2-seer.jpg', 'street-3-seer.jpg', 'street-seer.jpg']);
  expect(said).toContain(`${first}: drawn to ${join('results/today', 'street-seer.jpg')}\n`);
  expect(said).toContain(`b/street.jpg: drawn to ${join('results/today', 'street-3-seer.jpg')}\n`);
  expect(said).toContain(`${first}: dog 0.50 at 10, 10, 30, 30\n${first}: dog 0.25\n`);
  expect(said).toContain('seer: seer on abacus\n');
  expect(said).toContain('seer: nothing will be found: of the classes dog none is among the model\'s labels cat\n');
});

test('a model finds neither the token nor the passwords of cameras in its environment', async () => {
  const root = await writeTree(await temporaryFolder(), {
    'models/spy/model.yaml': 'runtime: node\nentry: spy.mjs\n',
    'models/spy/spy.mjs': 'export const setup = () => ({ detector: ["LOOKOUT_TOKEN", "CAM_PASS", "HARMLESS"].filter((name) => name in process.env).join() });\nexport const predict = (frames) => frames.map(() => []);\n',
    'data/lookout.yaml': 'streams:\n  - {camera_id: gate, url: "rtsp://admin:${CAM_PASS}@cam/", enabled: false}\n',
  });
  const said = await lookout(root, ['models', 'try', 'spy', paint(root, 'street', { size: '64x48' })], { LOOKOUT_TOKEN: 'secret', CAM_PASS: 'secret', HARMLESS: 'x' });
  expect(said).toContain('spy: HARMLESS');
});
