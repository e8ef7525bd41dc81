import { execFile } from 'node:child_process';
import { mkdir, readFile, rename, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, onTestFinished, test, vi } from 'vitest';
import { codeHash, fingerprint, modelFiles } from '../../src/models/fingerprint.ts';
import type { Model } from '../../src/types.ts';
import { followRequirements } from '../../src/models/requirement-files.ts';
import { modelIn, temporaryFolder, writeTree } from './fixtures.ts';

const FACTS = { version: '3.11.2' };
const hashOf = async (model: Model): Promise<string> => codeHash(model, (await modelFiles(model)).files.values());

test('follows requirement files to every local file that they name', async () => {
  const root = await writeTree(await temporaryFolder(), {
    'requirements.txt': `# -r never.txt
requests==2.31.0 ; python_version > "3"   # ./not-this
torch>=2,<3
-r more/base.txt
-cconstraints.txt
--find-links=./wheels
./local[extra]
tool @ file:///opt/tool.whl
archive/thing-1.0-py3-none-any.whl \\
  --hash=sha256:abc
git+https://example.org/repo.git
-e ../beside
`,
    'more/base.txt': '--requirement deeper.txt\n',
    'more/deeper.txt': '-r ../requirements.txt\n',
    'constraints.txt': 'numpy<2\n',
  });
  const found = await followRequirements([join(root, 'requirements.txt')], root);
  expect(found).toEqual([
    '/opt/tool.whl',
    join(root, '../beside'),
    ...['archive/thing-1.0-py3-none-any.whl', 'constraints.txt', 'local', 'more/base.txt', 'more/deeper.txt', 'requirements.txt', 'wheels'].map((path) => join(root, path)),
  ].sort());
});

test('follows a package.json to its local packages', async () => {
  const root = await writeTree(await temporaryFolder(), {
    'package.json': '{"dependencies": {"a": "file:packages/a", "b": "^1.0.0", "c": "../c"}, "devDependencies": {"d": "file:d"}}',
  });
  expect(await followRequirements([join(root, 'package.json'), join(root, 'package-lock.json')], root)).toEqual([join(root, '../c'), ...['package-lock.json', 'package.json', 'packages/a'].map((path) => join(root, path))]);
});

test.for([
  ['{"dependencies": {"a": "file:a"}, "optionalDependencies": null}', ['a']],
  ['{"dependencies": "./a"}', []], ['{"dependencies": ["file:a"]}', []], ['{"dependencies": 5}', []], ['null', []], ['5', []], ['"file:a"', []], ['[null]', []], ['{', []],
] as const)('takes from a package.json what can be told: %s', async ([text, packages]) => {
  const root = await writeTree(await temporaryFolder(), { 'package.json': text });
  expect(await followRequirements([join(root, 'package.json')], root)).toEqual([...packages, 'package.json'].map((path) => join(root, path)));
});

test('follows variables of the environment as pip does, and leaves out what is no path', async () => {
  vi.stubEnv('PACKAGES', '/opt/packages').stubEnv('EMPTY', '').stubEnv('lower', '/opt').stubEnv('LOOKOUT_TOKEN', 'secret');
  onTestFinished(() => { vi.unstubAllEnvs(); });
  const root = await writeTree(await temporaryFolder(), {
    'requirements.txt': `file://$\{PACKAGES}/one
two @ file://$\{PACKAGES}/two#egg=two
-r $\{PACKAGES}/more.txt
$\{PACKAGES}/a.whl
file://$PACKAGES/no
file://$\{NOT_SET}/no
file://$\{EMPTY}/no
file://$\{lower}/no
file://$\{LOOKOUT_TOKEN}/no
file://./no
file://elsewhere/no
file:///a%zz
file:///a%2Fno
file://[::no
no @ file://%/no
`,
  });
  expect(await followRequirements([join(root, 'requirements.txt')], root)).toEqual([
    ...['a.whl', 'more.txt', 'one', 'two'].map((path) => join('/opt/packages', path)), join(root, 'requirements.txt'),
  ].sort());
});

test.skipIf(process.platform !== 'linux')('says which requirement file cannot be read', async () => {
  const root = await temporaryFolder();
  // Nobody may read it, root neither.
  await symlink('/proc/self/clear_refs', join(root, 'requirements.txt'));
  await expect(followRequirements([join(root, 'requirements.txt')], root)).rejects.toMatchObject({
    code: 'model_unavailable', message: expect.stringMatching(`^${join(root, 'requirements.txt')} cannot be read: E.+; let Lookout's user read it$`) as string,
  });
});

test('gives a new fingerprint for every change of what goes into an environment, and only then', async () => {
  const root = await writeTree(await temporaryFolder(), { 'm/requirements.txt': '-r base.txt\n./local\n', 'm/base.txt': 'a==1\n', 'm/local/setup.py': '1', 'm/detector.py': '1' });
  const model = modelIn(join(root, 'm'), { requirements: [join(root, 'm/requirements.txt')] });
  const first = await fingerprint(model, FACTS);
  expect(first).toMatch(/^[0-9a-f]{16}$/);

  await writeTree(root, { 'm/detector.py': '2', 'm/local/build/lib.py': 'left behind by pip', 'm/local/x.egg-info/PKG-INFO': '' });
  expect(await fingerprint(model, FACTS)).toBe(first);
  await rename(join(root, 'm'), join(root, 'moved'));
  expect(await fingerprint(modelIn(join(root, 'moved'), { requirements: [join(root, 'moved/requirements.txt')] }), FACTS)).toBe(first);
  await rename(join(root, 'moved'), join(root, 'm'));

  const seen = new Set([first]);
  const differs = async (facts = FACTS): Promise<void> => {
    const next = await fingerprint(model, facts);
    expect(seen).not.toContain(next);
    seen.add(next);
  };
  await differs({ version: '3.11.3' });
  await writeFile(join(root, 'm/base.txt'), 'a==2\n');
  await differs();
  await writeFile(join(root, 'm/local/setup.py'), '2');
  await differs();
  await writeFile(join(root, 'm/requirements.txt'), './local\n');
  await differs();
});

test('gives a new code hash when code or weights change, wherever they lie', async () => {
  const root = await writeTree(await temporaryFolder(), { 'm/detector.py': '1', 'run_inference.py': '1', 'fetched/a.onnx': 'w' });
  const model = modelIn(join(root, 'm'), { entry: join(root, 'run_inference.py'), weights: [{ file: '*.onnx', url: null, sha256: null, required: true }], weights_folders: [join(root, 'm'), join(root, 'fetched')] });
  const seen = new Set([await hashOf(model)]);
  const differs = async (): Promise<void> => {
    const next = await hashOf(model);
    expect(seen).not.toContain(next);
    seen.add(next);
  };
  await writeTree(root, { 'm/detector.py': '2' });
  await differs();
  await writeTree(root, { 'm/lib/box.py': '' });
  await differs();
  await writeTree(root, { 'run_inference.py': '2' });
  await differs();
  await writeTree(root, { 'fetched/a.onnx': 'v' });
  await differs();

  const last = await hashOf(model);
  await writeTree(root, { 'm/__pycache__/detector.pyc': '', 'm/runs/predict/1.jpg': '', 'm/train.log': '', 'm/env/pyvenv.cfg': '', 'm/env/lib/a.py': '', 'fetched/other.txt': '' });
  await symlink(join(root, 'm'), join(root, 'm/loop'));
  expect(await hashOf(model)).toBe(last);
});

test('sees edits of what is declared also where tools leave things behind, and behind links', async () => {
  const root = await writeTree(await temporaryFolder(), { 'm/build/index.mjs': '1', 'm/runs/train/best.pt': '1', 'nas/a.pt': '1', 'm/.hidden/needs.txt': 'a==1', 'm/packages/local/setup.py': '1' });
  const m = join(root, 'm');
  await symlink(join(root, 'nas'), join(m, 'weights'));
  await writeTree(m, { 'requirements.txt': './packages/local' });
  const weights = ['runs/train/best.pt', 'weights/*.pt'].map((file) => ({ file, url: null, sha256: null, required: true }));
  const model = modelIn(m, { entry: join(m, 'build/index.mjs'), weights, requirements: ['requirements.txt', '.hidden/needs.txt'].map((file) => join(m, file)) });
  const first = await modelFiles(model);
  expect([...first.files.values()].map(({ path, word }) => `${path} ${word.split(' ', 1).join()}`).sort()).toEqual(
    ['.hidden/needs.txt', 'build/index.mjs', 'packages/local/setup.py', 'requirements.txt', 'runs/train/best.pt', 'weights/a.pt'].map((file) => `${join(m, file)} ${file}`),
  );
  for (const file of ['.hidden/needs.txt', 'build/index.mjs', 'runs/train/best.pt', 'weights/a.pt']) {
    const before = await hashOf(model);
    await writeTree(m, { [file]: 'edited' });
    expect(await hashOf(model), file).not.toBe(before);
  }
});

test('reads big weights by size and time of change alone', async () => {
  const root = await temporaryFolder();
  const big = join(root, 'm/big.pt');
  await mkdir(join(root, 'm'));
  await writeFile(big, '');
  await truncate(big, 4 * 1024 ** 4);
  await utimes(big, 1, 1);
  const model = modelIn(join(root, 'm'));
  const first = await hashOf(model);
  await utimes(big, 1, 2);
  expect(await hashOf(model)).not.toBe(first);
});

/** Bytes that this process has read so far. */
async function bytesRead(): Promise<number> {
  return Number(/^rchar: (\d+)/m.exec(await readFile('/proc/self/io', 'utf8'))?.[1]);
}

test.skipIf(process.platform !== 'linux')('reads a file again only when it may have changed', async () => {
  const root = await temporaryFolder();
  const sizes = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`m/pictures/${i}.jpg`, 'x'.repeat(1_000_000)]));
  const model = modelIn(join(await writeTree(root, sizes), 'm'));
  await delay(2_100);
  const look = async (): Promise<{ readonly hash: string; readonly read: number }> => {
    const before = await bytesRead();
    return { hash: await hashOf(model), read: await bytesRead() - before };
  };
  const first = await look();
  expect(first.read).toBeGreaterThan(20_000_000);
  const second = await look();
  expect(second.hash).toBe(first.hash);
  expect(second.read).toBeLessThan(1_000_000);

  // Of the same size and with its old time, as a copy that preserves times leaves it.
  const changed = join(root, 'm/pictures/7.jpg');
  const { atime, mtime } = await stat(changed);
  await writeFile(changed, 'y'.repeat(1_000_000));
  await utimes(changed, atime, mtime);
  expect((await look()).hash).not.toBe(first.hash);
});

test('reads a folder of many files with few of them open', async () => {
  const root = await writeTree(await temporaryFolder(), Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`pictures/${i}.jpg`, `${i}`])));
  const program = `import { contents } from ${JSON.stringify(join(import.meta.dirname, '../../src/models/hashing.ts'))}; console.log((await contents(${JSON.stringify(root)}, '/')).length)`;
  const loader = join(import.meta.dirname, '../fixtures/runners/load-typescript.mjs');
  const words = ['-c', 'ulimit -n 80; exec "$@"', 'sh', process.execPath, '--import', loader, '--input-type=module', '--eval', program];
  expect((await promisify(execFile)('sh', words)).stdout).toBe('300\n');
});
