import { execFile } from 'node:child_process';
import { chmod, chown, cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test, vi } from 'vitest';
import { runModelsAs } from '../../src/lib/account.ts';
import { readCatalog } from '../../src/models/catalog.ts';
import { prepareModel } from '../../src/models/prepare.ts';
import { create } from '../../src/runtimes/node.ts';
import { installNode } from '../../src/runtimes/tools/install-node.ts';
import type { Model, Prepared, Progress } from '../../src/types.ts';
import { mayRunAsNobody, NOBODY } from '../helpers/nobody.ts';
import { listen, never, see, temporaryFolder, writeTree } from '../models/fixtures.ts';

/** Says in its one detection which version it loaded from its environment. */
const DETECTOR = `import { version } from 'tiny';
export const predict = (frames) => frames.map(() => [{ class: version, confidence: 1, box: [0, 0, 1, 1] }]);
`;
const LOCAL = { name: 'm', version: '1.0.0', dependencies: { tiny: 'file:packages/tiny' } };
const tiny = (version: string): string => JSON.stringify({ name: 'tiny', version, main: 'index.js', scripts: { install: 'exit 1' } });
const MODEL = {
  'models/m/model.yaml': 'runtime: node\nentry: detector.mjs\nprobe: import "tiny"\n',
  'models/m/detector.mjs': DETECTOR,
  'models/m/package.json': JSON.stringify(LOCAL),
  'models/m/packages/tiny/package.json': tiny('1.0.0'),
  'models/m/packages/tiny/index.js': 'exports.version = require("./package.json").version;\n',
};

/** Where an installed Lookout keeps its own models. */
async function place(files: Readonly<Record<string, string>>, offline = true): Promise<{ root: string; model: () => Promise<Model>; prepare: (progress?: Progress) => Promise<Prepared> }> {
  const root = await writeTree(join(await temporaryFolder(), 'node_modules/lookout'), files);
  const catalog = await readCatalog({ folders: [{ path: join(root, 'models'), origin: 'user' }], project: null, data_dir: join(root, 'data') });
  const runtime = create({ data_dir: join(root, 'data'), offline });
  const model = (): Promise<Model> => catalog.get('m');
  return { root, model, prepare: async (progress = () => undefined) => prepareModel(await model(), runtime, progress, never) };
}

test('installs packages without their scripts, away from the model\'s folder, for whatever program of it, and anew when a local one changes', async () => {
  const { root, prepare } = await place(MODEL);
  const { tell, count } = listen();
  const first = await prepare(tell);
  expect(await see(first)).toBe('1.0.0');
  expect(count('installing package.json with npm')).toBe(1);
  const folder = join(root, 'data/runtimes/m', first.fingerprint ?? '');
  expect(JSON.parse(await readFile(join(folder, 'environment.json'), 'utf8'))).toMatchObject({
    tools: { node: process.versions.node },
    // npm 9 copies it.
    packages: [expect.stringMatching(/^(packages\/)?tiny==1\.0\.0$/)],
  });
  await expect(readFile(join(root, 'models/m/package-lock.json'))).rejects.toThrow('ENOENT');

  // A program that no harness speaks to imports from there too.
  await writeTree(root, {
    'models/m/model.yaml': 'runtime: node\nentry: m.mjs\nprotocol: oneshot\n',
    'models/m/m.mjs': 'import { writeFileSync } from "node:fs";\nimport { version } from "tiny";\nwriteFileSync(process.argv.at(-1), JSON.stringify([{ detections: [{ label: version }] }]));\n',
  });
  const alone = await prepare();
  expect(alone.fingerprint).toBe(first.fingerprint);
  expect(await see(alone)).toBe('1.0.0');

  await writeFile(join(root, 'models/m/packages/tiny/package.json'), tiny('2.0.0'));
  const second = await prepare();
  expect(second.fingerprint).not.toBe(first.fingerprint);
  expect(await see(second)).toBe('2.0.0');
});

test.skipIf(!mayRunAsNobody)('copies local packages as the user that models run as, whose links lead into nothing of Lookout\'s (needs root, and the project where others may read it)', async () => {
  const { root, model } = await place(MODEL);
  await chmod(join(root, '../..'), 0o755);
  const [folder, own] = [join(root, 'environment'), join(root, 'own')];
  for (const one of [folder, own]) await mkdir(one);
  await symlink(own, join(folder, 'packages'));
  await chown(folder, NOBODY, NOBODY);
  runModelsAs({ name: 'nobody', uid: NOBODY, gid: NOBODY, home: '/' });
  onTestFinished(() => { runModelsAs(null); });
  const tell = (): void => undefined;
  await expect(installNode(folder, await model(), true, { step: tell, output: tell }, never)).rejects.toThrow(/EACCES: permission denied, .*packages\/tiny/);
  expect(await readdir(own)).toEqual([]);
});

test('keeps to the lock file, and builds anew before a later start when the packages are gone', async () => {
  const { root, prepare } = await place({
    ...MODEL,
    'models/m/package-lock.json': JSON.stringify({
      ...LOCAL,
      lockfileVersion: 3,
      packages: { '': LOCAL, 'node_modules/tiny': { resolved: 'packages/tiny', link: true }, 'packages/tiny': { version: '1.0.0', hasInstallScript: true } },
    }),
  });
  const prepared = await prepare();
  expect(await see(prepared)).toBe('1.0.0');
  await rm(join(root, 'data/runtimes/m', prepared.fingerprint ?? '', 'node_modules'), { recursive: true });
  expect(await see(prepared)).toBe('1.0.0');
});

test.each<[string, Readonly<Record<string, string>>]>([
  ['in variables', { npm_config_global: 'true', npm_config_dry_run: 'true', npm_config_prefix: '/astray' }],
  ['in a file', { npm_config_userconfig: '/.npmrc', npm_config_prefix: '/astray' }],
])('is not led elsewhere by npm\'s settings of the host: %s', async (_name, settings) => {
  const { root, prepare } = await place(MODEL);
  await writeFile(join(root, '.npmrc'), `global=true\nlocation=global\ndry-run=true\npackage-lock-only=true\nprefix=${join(root, 'astray')}\n`);
  for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value.startsWith('/') ? join(root, value) : value);
  onTestFinished(() => { vi.unstubAllEnvs(); });
  expect(await see(await prepare())).toBe('1.0.0');
  await expect(readdir(join(root, 'astray'))).rejects.toThrow('ENOENT');
});

test('says what npm said when it fails, and which local package is out of reach', async () => {
  const { root, prepare } = await place({ ...MODEL, 'models/m/package.json': JSON.stringify({ dependencies: { absent: '1.0.0' } }) });
  await expect(prepare()).rejects.toMatchObject({ code: 'model_unavailable', message: expect.stringMatching(/model m: its environment could not be built: npm install [^]*ENOTCACHED/) as string });
  await writeFile(join(root, 'models/m/package.json'), JSON.stringify({ dependencies: { tiny: 'file:../tiny' } }));
  await expect(prepare()).rejects.toThrow('the local package ../tiny must lie in the model folder');
});

test('tells a program that no harness speaks to what it is by LOOKOUT_SETUP, and the others by the harness alone', async () => {
  const { prepare } = await place({
    'models/m/model.yaml': 'runtime: node\nentry: m.mjs\n',
    'models/m/m.mjs': 'export const predict = (frames) => frames.map(() => [{ class: String(process.env.LOOKOUT_SETUP), confidence: 1, box: [0, 0, 1, 1] }]);\n',
  });
  expect(await see(await prepare())).toBe('undefined');
  const alone = await place({
    'models/m/model.yaml': 'runtime: node\nentry: m.mjs\nprotocol: oneshot\noptions: {a: 1}\n',
    'models/m/m.mjs': 'import { writeFileSync } from "node:fs";\nconst { name, options } = JSON.parse(process.env.LOOKOUT_SETUP);\nwriteFileSync(process.argv.at(-1), JSON.stringify([{ detections: [{ label: `${name} ${options.a}` }] }]));\n',
  });
  expect(await see(await alone.prepare())).toBe('m 1');
});

test('starts where a manifest\'s PATH holds nothing, and gives it every variable as it is written', async () => {
  const { prepare } = await place({
    'models/m/model.yaml': 'runtime: node\nentry: m.mjs\nenv: {PATH: /opt/tool/bin, parent: "it\'s $1", self: " ", later: ""}\n',
    'models/m/m.mjs': 'const { PATH, parent, self, later } = process.env;\nexport const predict = (frames) => frames.map(() => [{ class: JSON.stringify([PATH, parent, self, later]), confidence: 1, box: [0, 0, 1, 1] }]);\n',
  });
  expect(await see(await prepare())).toBe(JSON.stringify(['/opt/tool/bin', "it's $1", ' ', '']));
});

test('tells what is done, how much and how long, and keeps what npm says with its addresses in build.log', async () => {
  const { root, prepare } = await place({ ...MODEL, 'models/m/package.json': JSON.stringify({ ...LOCAL, dependencies: { tiny: '1.0.0' } }) }, false);
  await cp(join(root, 'models/m/packages/tiny'), join(root, 'package'), { recursive: true });
  await promisify(execFile)('tar', ['-czf', 'tiny.tgz', 'package'], { cwd: root });
  const tarball = await readFile(join(root, 'tiny.tgz'));
  const server = createServer((request, response) => {
    const dist = { tarball: `${registry()}tiny/-/tiny-1.0.0.tgz` };
    const packument = { name: 'tiny', 'dist-tags': { latest: '1.0.0' }, versions: { '1.0.0': { name: 'tiny', version: '1.0.0', dist } } };
    response.end(request.url?.endsWith('.tgz') === true ? tarball : JSON.stringify(packument));
  });
  const registry = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', () => { resolve(); }); });
  onTestFinished(() => { server.close(); });
  vi.stubEnv('npm_config_registry', registry());
  vi.stubEnv('npm_config_cache', join(root, 'cache'));
  onTestFinished(() => { vi.unstubAllEnvs(); });
  const { tell, lines } = listen();
  const { fingerprint } = await prepare(tell);
  // What has come is told once a second, so that a fast machine tells nothing of it.
  expect(lines.filter((line) => !line.startsWith('packages fetched: '))).toEqual([
    expect.stringMatching(/^installing package\.json with npm \d/), 'probing: import "tiny"', expect.stringMatching(/^the environment is ready after [\d.]+ s: 1 package, [\d.]+ MB$/),
  ]);
  const log = await readFile(join(root, 'data/runtimes/m', fingerprint ?? '', 'build.log'), 'utf8');
  expect(log).toContain(`npm http fetch GET 200 ${registry()}tiny/-/tiny-1.0.0.tgz`);
  expect(log).toContain('installing package.json');
});
