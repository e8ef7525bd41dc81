/** `lookout models`, as it is run. */
import { execFile } from 'node:child_process';
import { chown, copyFile, mkdir, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { command, type Ended } from '../helpers/command.ts';
import { runLookout } from '../helpers/server-process.ts';
import { temporaryFolder, writeTree } from '../models/fixtures.ts';

const MANIFEST = 'runtime: node\nentry: seer.mjs\nclasses: [dog]\n';
const SEER = `export const setup = () => ({ detector: 'seer\\u001b]52;c;eA==\\u0007', labels: ['c\\u009bat'], device: 'abacus' });
console.log('seer\\u009b2J wakes\\u0007 up');
export const predict = (frames) => frames.map(() => [{ class: 'dog', confidence: 0.5, box: [10, 10, 30, 30] }, { class: 'dog', confidence: 0.25 }]);
`;

const ffmpeg = (source: string, ...words: readonly string[]): Promise<unknown> => promisify(execFile)('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', source, ...words]);

async function paint(root: string, name: string, size: string): Promise<string> {
  const file = join(root, `${name}.jpg`);
  await ffmpeg(`testsrc=s=${size}`, '-frames:v', '1', file);
  return file;
}

async function lookout(root: string, words: readonly string[]): Promise<string> {
  const { code, output } = await command(words, { folder: root });
  expect(code, output).toBe(0);
  return output;
}

test('models try makes its folder, draws each picture by its own name, and says what it runs on and never finds', async () => {
  const root = await writeTree(await temporaryFolder(), { 'models/seer/model.yaml': MANIFEST, 'models/seer/seer.mjs': SEER, 'b/keep': '' });
  const first = await paint(root, 'street', '64x48');
  await copyFile(first, join(root, 'b/street.jpg'));
  await copyFile(first, join(root, 'b/street-2.jpg'));
  const said = await lookout(root, ['models', 'try', 'seer', first, 'b/street-2.jpg', 'b/street.jpg', '--out', 'results/today']);
  expect((await readdir(join(root, 'results/today'))).sort()).toEqual(['street-2-seer.jpg', 'street-3-seer.jpg', 'street-seer.jpg']);
  expect(said).toContain(`${first}: drawn to ${join('results/today', 'street-seer.jpg')}\n`);
  expect(said).toContain(`b/street.jpg: drawn to ${join('results/today', 'street-3-seer.jpg')}\n`);
  expect(said).toContain(`${first}: dog 0.50 at 10, 10, 30, 30\n${first}: dog 0.25\n`);
  expect(said).toContain('seer: seer ]52;c;eA==  on abacus\n');
  expect(said).toContain('seer wakes  up\n');
  expect(said).toContain('seer: nothing will be found: of the classes dog none is among the model\'s labels c at\n');
  expect(said).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
});

test('models try draws pictures of any name, and does not take its drawings for pictures', async () => {
  const root = await writeTree(await temporaryFolder(), { 'models/seer/model.yaml': MANIFEST, 'models/seer/seer.mjs': SEER });
  const folder = join(root, 'odd ones');
  const names = ['my dog', 'a: b, 50%', '12:30', '-x'];
  const picture = await paint(root, 'street', '64x48');
  await mkdir(folder);
  for (const name of names) await copyFile(picture, join(folder, `${name}.jpg`));
  for (let run = 1; run <= 2; run += 1) {
    const said = await lookout(root, ['models', 'try', 'seer', 'odd ones', '--out', 'odd ones']);
    expect(said).toContain('4 pictures in ');
    expect(said.match(/: drawn to /g)).toHaveLength(4);
    expect((await readdir(folder)).sort()).toEqual(names.flatMap((name) => [`${name}-seer.jpg`, `${name}.jpg`]).sort());
  }
});

test.skipIf(process.getuid?.() !== 0)('root is told to be the user of the data folder, before it leaves anything there', async () => {
  const root = await writeTree(await temporaryFolder(), { 'models/seer/model.yaml': MANIFEST, 'models/seer/seer.mjs': SEER, 'data/keep': '' });
  await chown(join(root, 'data'), 65534, 65534);
  for (const words of [['models', 'prepare', 'seer'], ['models', 'try', 'seer', 'x.jpg'], ['replay']]) {
    const { code, output } = await command(words, { folder: root });
    expect([code, output]).toEqual([2, expect.stringContaining("sudo -u '#65534'")]);
  }
  expect(await readdir(join(root, 'data'))).toEqual(['keep']);
  await writeTree(root, { 'models/animals/yolov8n.pt': 'w' });
  expect(await lookout(root, ['models', 'list'])).toMatch(/^animals +built-in .*\n +\S+models\/animals has no manifest .* not used: yolov8n\.pt/m);
});

/** Damages what it is shown, and fails for pictures of the width that it is told. */
const MOODY = `import { writeFileSync } from 'node:fs';
export const setup = () => { console.log('moody wakes up'); return { labels: ['dog'] }; };
export const predict = (frames, { bad }) => {
  console.log('moody looks at', frames.map(({ width }) => width).join());
  for (const { file } of frames) writeFileSync(file, '');
  if (frames.some(({ width }) => width === bad)) throw new Error('too small for me');
  return frames.map(({ width }) => Array(width === 96 ? 3000 : 1).fill({ class: 'a\\nb\\u009bc', confidence: 0.5, box: [10, 10, 30, 30] }));
};
`;

test('models try takes folders, videos and pictures of any kind, says live what the model prints, and as JSON what came of it', async () => {
  const root = await writeTree(await temporaryFolder(), {
    'models/moody/model.yaml': 'runtime: node\nentry: moody.mjs\nversion: 1.0\nmax_batch: 2\noptions: {bad: 32}\n', 'models/moody/moody.mjs': MOODY,
    'pictures/torn.jpg': 'no picture', 'pictures/notes.txt': '',
  });
  const large = await paint(join(root, 'pictures'), 'a', '96x48');
  const before = await readFile(large);
  for (const [name, size] of [['b.png', '64x48'], ['c.jpg', '32x32']] as const) await ffmpeg(`testsrc=s=${size}`, '-frames:v', '1', join(root, 'pictures', name));
  await ffmpeg('testsrc=s=64x48:r=10:d=3.5', join(root, 'street.mp4'));
  // Its document is long, and whole when the process has ended.
  const running = await runLookout(['models', 'try', 'moody', 'pictures', 'street.mp4', '--every', '1.5', '--json'], { folder: root });
  expect(await running.ended, running.output()).toBe(0);

  const said = JSON.parse(running.printed()) as { pictures: Record<string, unknown>[] };
  expect(running.printed()).not.toContain('\u009b');
  const found = [{ class: 'a\nb\u009bc', confidence: 0.5, box: [10, 10, 30, 30] }];
  expect(said).toMatchObject({ model: 'moody', version: '1.0', detector: null, labels: ['dog'] });
  expect(said.pictures).toEqual([
    { picture: 'pictures/a.jpg', width: 96, height: 48, detections: Array(3000).fill(found[0]) as unknown, drawing: 'a-moody.jpg' },
    { picture: 'pictures/b.png', width: 64, height: 48, detections: found, drawing: 'b-moody.jpg' },
    { picture: 'pictures/c.jpg', width: 32, height: 32, error: expect.stringMatching(/^Model moody: the call failed: moody\.mjs:\d+: Error: too small for me$/) as string },
    { picture: 'pictures/torn.jpg', width: 0, height: 0, error: 'it cannot be read as a picture' },
    ...['0', '1.5', '3'].map((at) => ({ picture: `street.mp4 at ${at} s`, width: 64, height: 48, detections: found, drawing: `street-${at}s-moody.jpg` })),
  ]);
  expect((await readdir(root)).filter((name) => name.endsWith('.jpg')).sort()).toEqual(['a-moody.jpg', 'b-moody.jpg', 'street-0s-moody.jpg', 'street-1.5s-moody.jpg', 'street-3s-moody.jpg']);
  expect(await readFile(large)).toEqual(before);
  // In calls as a lane would make them.
  expect(running.output().split('\n').filter((line) => line.startsWith('moody '))).toEqual(['moody wakes up', ...['96', '64', '32', '64,64', '64'].map((sizes) => `moody looks at ${sizes}`)]);
});

test('models try ends with 1 where no picture could be looked at, and says each thing once', async () => {
  const root = await writeTree(await temporaryFolder(), {
    'models/moody/model.yaml': 'runtime: node\nentry: moody.mjs\noptions: {bad: 64}\n', 'models/moody/moody.mjs': MOODY,
    'models/broken/model.yaml': 'runtime: node\nentry: broken.mjs\n', 'models/broken/broken.mjs': '\nimport "surely-not-here";\n',
    'models/slow/model.yaml': 'runtime: node\nentry: slow.mjs\ndeadline_seconds: 0.5\n', 'models/slow/slow.mjs': 'export const predict = () => new Promise((done) => setTimeout(done, 60000));\n',
    'empty/notes.txt': '',
  });
  const picture = await paint(root, 'street', '64x48');
  const tried = (...words: readonly string[]): Promise<Ended> => command(['models', 'try', ...words], { folder: root });
  const failed = await tried('moody', picture, picture);
  expect(failed.code).toBe(1);
  expect(failed.output).toMatch(/street\.jpg: Model moody: the call failed: moody\.mjs:\d+: Error: too small for me\n2 pictures in \d+ ms; 2 of them failed\n$/);
  const broken = await tried('broken', picture);
  expect(broken.code).toBe(1);
  expect(broken.output).toContain("lookout: Model broken: the runner gave up before it was ready: broken.mjs:2: Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'surely-not-here'");
  // Its stack, which was seen live, is not quoted.
  expect(broken.output.match(/at packageResolve/g)).toHaveLength(1);
  expect(await tried('slow', picture)).toMatchObject({ code: 1, output: expect.stringContaining('slow gave no answer for 1 frames within 0.5 s') as string });
  expect(await tried('moody', 'empty')).toMatchObject({ code: 2, output: expect.stringContaining('there is no picture in empty') as string });
  expect(await tried('moody', 'absent.jpg')).toMatchObject({ code: 2, output: expect.stringContaining('there is no absent.jpg') as string });
});

test('the help of models try tells the settings that it goes by, and no others', async () => {
  const said = await lookout(await temporaryFolder(), ['models', 'try', '--help']);
  expect([...said.matchAll(/^ {2}--([\w-]+)/gm)].map(([, name]) => name)).toEqual([
    'out', 'json', 'every', 'config', 'data-dir', 'models-dir', 'project', 'model-deadline-seconds', 'offline', 'log-level', 'log-format',
  ]);
});

test('a model finds neither the token nor the passwords of cameras in its environment, and of the rest what its manifest names', async () => {
  const given = { LOOKOUT_TOKEN: 'secret', CAM_PASS: 'secret', API_KEY: 'k3y', OTHER: 'x' };
  const spying = `Object.entries(process.env).filter(([name]) => ${JSON.stringify([...Object.keys(given), 'KEY', 'OMP_NUM_THREADS'])}.includes(name)).map((pair) => pair.join("=")).sort().join()`;
  const files = { 'spy.mjs': `export const setup = () => ({ detector: ${spying} || "nothing" });\nexport const predict = (frames) => frames.map(() => []);\n` };
  const root = await writeTree(await temporaryFolder(), {
    'models/spy/model.yaml': 'runtime: node\nentry: spy.mjs\n', 'models/spy/spy.mjs': files['spy.mjs'],
    'models/keyed/model.yaml': 'runtime: node\nentry: spy.mjs\ncpus: 3\nenv:\n  KEY: "id:${API_KEY}"\n  OTHER: $${OTHER}\n', 'models/keyed/spy.mjs': files['spy.mjs'],
    'models/curious/model.yaml': 'runtime: node\nentry: spy.mjs\nenv: {KEY: "${LOOKOUT_TOKEN}"}\n', 'models/curious/spy.mjs': files['spy.mjs'],
    'models/old/model.yaml': 'runtime: node\nentry: old.mjs\nprotocol: oneshot\n',
    'models/old/old.mjs': `import { writeFileSync } from "node:fs";\nwriteFileSync(process.argv.at(-1), JSON.stringify([{ detections: [{ label: ${spying} }] }]));\n`,
    'data/lookout.yaml': 'streams:\n  - {camera_id: gate, url: "rtsp://${USER}:${CAM_PASS}@cam/", enabled: false}\n',
  });
  const picture = await paint(root, 'street', '64x48');
  const tried = async (model: string): Promise<string> => (await command(['models', 'try', model, picture], { folder: root, env: { ...given, USER: 'a' } })).output;
  expect(await tried('spy')).toContain('spy: nothing');
  expect(await tried('keyed')).toContain('keyed: KEY=id:k3y,OMP_NUM_THREADS=3,OTHER=${OTHER}');
  expect(await tried('curious')).toContain('model curious: its manifest\'s env.KEY takes LOOKOUT_TOKEN, which is not in Lookout\'s environment, or is a secret of its own');
  const old = await tried('old');
  expect(old).toContain('API_KEY=k3y,OTHER=x');
  expect(old).not.toContain('secret,');
});
