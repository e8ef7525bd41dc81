import { execFileSync } from 'node:child_process';
import { chmod, mkdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LookoutError } from '../../src/errors.ts';
import { readCatalog, type Catalog } from '../../src/models/catalog.ts';
import { openedFiles } from '../helpers/opened-files.ts';
import { mayBecomeNobody, NOBODY } from '../helpers/nobody.ts';
import { temporaryFolder, writeTree } from './fixtures.ts';

const MANIFEST = 'runtime: python\nentry: detector.py\n';

async function catalogOf(root: string, more: { project?: string; offline?: boolean } = {}): Promise<Catalog> {
  const folders = [{ path: join(root, 'user'), origin: 'user' as const }, { path: join(root, 'built-in'), origin: 'built-in' as const }];
  return readCatalog({ folders, project: more.project ?? null, data_dir: join(root, 'data'), offline: more.offline ?? false });
}

const namesOf = async (catalog: Catalog): Promise<readonly string[]> => (await catalog.list()).map(({ name }) => name);

async function errorOf(promise: Promise<unknown>): Promise<LookoutError> {
  const error: unknown = await promise.then(() => null, (reason: unknown) => reason);
  if (error instanceof LookoutError) return error;
  throw new Error(`expected a LookoutError, got ${String(error)}`);
}

test('reads every key of a manifest and makes paths absolute', async () => {
  const root = await writeTree(await temporaryFolder(), {
    'user/weeds/detector.py': '',
    'user/weeds/model.yaml': `name: weeds
version: "2.1"
runtime: python
entry: detector.py
section: weeds_found
classes: [thistle]
class_map: {thistle: weed}
confidence: 0.4
deadline_seconds: 20
setup_deadline_seconds: 300
state: stream
look: batch
max_batch: 4
mix: true
instances: 2
probe: import json
weights:
  - {file: "*.pt"}
  - {file: small.onnx, url: "https://example.org/small.onnx", sha256: ${'A'.repeat(64)}, required: false}
options: {size: 320}
requirements: [needs.txt]
env: {API_KEY: "$\{WEEDS_KEY}", THREADS: 2}
memory_mb: 900
cpus: 2
`,
  });
  const folder = join(root, 'user/weeds');
  expect(await (await catalogOf(root)).get('weeds')).toEqual({
    name: 'weeds',
    folder,
    origin: 'user',
    version: '2.1',
    runtime: 'python',
    protocol: 'lines',
    entry: join(folder, 'detector.py'),
    args: [],
    requirements: [join(folder, 'needs.txt')],
    section: 'weeds_found',
    classes: ['thistle'],
    class_map: { thistle: 'weed' },
    confidence: 0.4,
    deadline_seconds: 20,
    setup_deadline_seconds: 300,
    state: 'stream',
    look: 'batch',
    max_batch: 4,
    mix: true,
    instances: 2,
    probe: 'import json',
    weights: [
      { file: '*.pt', url: null, sha256: null, required: true },
      { file: 'small.onnx', url: 'https://example.org/small.onnx', sha256: 'a'.repeat(64), required: false },
    ],
    weights_folders: [folder, join(root, 'data/weights/weeds')],
    options: { size: 320 },
    env: { API_KEY: '${WEEDS_KEY}', THREADS: '2' },
    memory_mb: 900,
    cpus: 2,
    adopted_venv: null,
    notice: null,
  });
});

test('finds the usual requirement files of each runtime when the manifest names none', async () => {
  const root = await writeTree(await temporaryFolder(), {
    'user/a/model.yaml': MANIFEST, 'user/a/requirements.txt': '',
    'user/b/model.yaml': MANIFEST, 'user/b/requirements.txt': '', 'user/b/requirements_b.txt': '', 'user/b/pyproject.toml': '', 'user/e/model.yaml': MANIFEST, 'user/e/pyproject.toml': '',
    'user/c/model.json': '{"runtime": "node", "entry": "c.mjs"}', 'user/c/package.json': '{}', 'user/c/package-lock.json': '{}', 'user/c/requirements.txt': '',
    'user/d/model.yaml': 'runtime: command\nentry: sh\n',
  });
  const catalog = await catalogOf(root);
  const requirements = async (name: string): Promise<readonly string[]> => (await catalog.get(name)).requirements.map((file) => file.replace(`${root}/user/`, ''));
  expect(await requirements('a')).toEqual(['a/requirements.txt']);
  expect(await requirements('b')).toEqual(['b/requirements_b.txt']);
  expect(await requirements('e')).toEqual(['e/pyproject.toml']);
  expect(await requirements('c')).toEqual(['c/package.json', 'c/package-lock.json']);
  expect(await catalog.get('d')).toMatchObject({ requirements: [], protocol: 'oneshot', entry: 'sh' });
});

test('names every fault of a manifest at once, each with its line and column', async () => {
  const root = await writeTree(await temporaryFolder(), {
    'user/bad/model.yaml': 'name: good\nversion: [1.0]\nruntime: python\nentri: x.py\nsection: batch\nweights:\n  - file: ../up.pt\n    urls: http://x\n',
    'user/torn/model.yaml': 'runtime: [python\nentry: x\n',
    'user/env/model.yaml': 'runtime: python\nentry: x.py\nenv: {LOOKOUT_SETUP: x, "A-B": y, OK: z}\n',
    'user/other/model.yaml': 'name: another\nruntime: python\nentry: x.py\nweights:\n  - file: "*.pt"\n    url: https://example.org/a.pt\n',
    'user/json/model.json': '{\n\t"runtime": "python",\n\t"entry": "x.py",\n\t"confidence": 3\n}',
  });
  const catalog = await catalogOf(root);
  const bad = await errorOf(catalog.get('bad'));
  expect(bad.code).toBe('model_unavailable');
  const file = join(root, 'user/bad/model.yaml');
  expect(bad.message.split('\n').slice(1).sort()).toEqual([
    `${file}:1:1: entry is missing`,
    `${file}:2:1: version must be a text`,
    `${file}:4:1: unknown key "entri"; did you mean "entry"?`,
    `${file}:5:1: section must be lower-case letters, digits and _, and none of basic, batch, models, schema_version`,
    `${file}:7:5: weights.0.file must be a path inside the model folder, with * in its last part at most`,
    `${file}:8:5: unknown key "urls"; did you mean "url"?`,
  ]);
  const env = await errorOf(catalog.get('env'));
  expect(env.message.match(/:3:\d+: \S+ is no name of a variable/g)).toEqual([':3:7: LOOKOUT_SETUP is no name of a variable', ':3:25: A-B is no name of a variable']);
  expect((await errorOf(catalog.get('torn'))).message).toMatch(/torn\/model\.yaml:\d+:\d+: /);
  expect((await errorOf(catalog.get('other'))).message).toMatch(/:1:1: name is "another"[^]*:5:5: a file that is fetched needs its whole name/);
  expect((await errorOf(catalog.get('json'))).message).toMatch(/model\.json:4:2: confidence must be <= 1/);
});

test('keeps the name of what cameras say themselves', async () => {
  const root = await writeTree(await temporaryFolder(), { 'user/camera/model.yaml': 'runtime: python\nentry: x.py\n' });
  expect((await errorOf((await catalogOf(root)).get('camera'))).message).toBe(`model camera: what cameras say that they have seen is recorded under this name; rename ${join(root, 'user/camera')}`);
});

test('takes a number for a text, as it is written', async () => {
  const root = await writeTree(await temporaryFolder(), {
    'user/2024/model.yaml': 'name: 2024\nversion: 1.10\nruntime: python\nentry: x.py\nargs: [--size, 640]\nclasses: [0, 16, 007]\nclass_map: {16: 1.0, dog: cat}\n',
    'user/json/model.json': '{"version": 1.0, "runtime": "python", "entry": "x.py"}',
    'user/wrong/model.yaml': 'version: 1.0\nruntime: python\nentry: x.py\nsection: 5\nmax_batch: x\n',
  });
  const catalog = await catalogOf(root);
  expect(await catalog.get('2024')).toMatchObject({ version: '1.10', args: ['--size', '640'], classes: ['0', '16', '007'], class_map: { 16: '1.0', dog: 'cat' } });
  expect((await catalog.get('json')).version).toBe('1.0');
  const { message } = await errorOf(catalog.get('wrong'));
  expect(message.split('\n').slice(1).map((line) => line.replace(/^.*:(\d+:\d+): /, '$1 '))).toEqual([
    '4:1 section must be lower-case letters, digits and _, and none of basic, batch, models, schema_version', '5:1 max_batch must be a whole number',
  ]);
});

test('refuses a step out of the folder, also behind a line end', async () => {
  const files = ['../up.pt', 'a/../../up.pt', 'a\n/../../../up.pt', 'a\u2028/../../up.pt', '..'];
  const manifest = { runtime: 'python', entry: 'x.py', requirements: files, weights: files.map((file) => ({ file })) };
  const root = await writeTree(await temporaryFolder(), { 'user/sly/model.json': JSON.stringify(manifest) });
  const { message } = await errorOf((await catalogOf(root)).get('sly'));
  for (const i of files.keys()) {
    expect(message).toContain(`requirements.${i} must be a path inside`);
    expect(message).toContain(`weights.${i}.file must be a path inside`);
  }
});

test('lists what it can and says of a broken model why, without harm to the others', async () => {
  const root = await writeTree(await temporaryFolder(), {
    'user/bad/model.yaml': 'nonsense: 1\n',
    'user/good/model.yaml': MANIFEST,
    'user/empty/notes.txt': '',
    'user/batch/model.yaml': MANIFEST,
    'user/.git/config': '', 'user/__pycache__/x': '', 'user/my model/model.yaml': MANIFEST, 'user/README.md': '',
  });
  const catalog = await catalogOf(root);
  const entries = await catalog.list();
  expect(entries.map((entry) => [entry.name, 'model' in entry])).toEqual([['bad', false], ['batch', false], ['empty', false], ['good', true]]);
  const empty = entries.find(({ name }) => name === 'empty');
  expect(empty && 'error' in empty && empty.error.message).toContain(join(root, 'user/empty/run_inference.py'));
  expect(catalog.notices()).toEqual([expect.stringContaining('my model is passed over')]);
});

test('tells names without reading a manifest', async () => {
  const root = await writeTree(await temporaryFolder(), { 'user/bad/model.yaml': 'nonsense: 1\n', 'user/good/model.yaml': MANIFEST, 'built-in/animals/model.yaml': MANIFEST, 'built-in/good/model.yaml': MANIFEST });
  const catalog = await catalogOf(root);
  expect(await openedFiles(() => namesOf(catalog))).toBe(3);
  expect(await openedFiles(async () => { expect(await catalog.names()).toEqual(['animals', 'bad', 'good']); })).toBe(0);
});

test('names a manifest that is no file, or not in UTF-8, without harm to the others', async () => {
  const root = await writeTree(await temporaryFolder(), { 'user/good/model.yaml': MANIFEST, 'user/folder/model.yaml/x': '', 'user/void/model.yaml': '', 'user/list/model.yaml': `${MANIFEST}classes: dog\nconfidence: high\n` });
  await mkdir(join(root, 'user/wide'));
  await mkdir(join(root, 'user/old'));
  await mkdir(join(root, 'user/pipe'));
  execFileSync('mkfifo', [join(root, 'user/pipe/model.yaml')]);
  await writeFile(join(root, 'user/wide/model.yaml'), Buffer.from(`\uFEFF${MANIFEST}`, 'utf16le'));
  await writeFile(join(root, 'user/old/model.yaml'), Buffer.from(`${MANIFEST}class_map: {dog: H\u00fcnd}\n`, 'latin1'));
  const said = new Map((await (await catalogOf(root)).list()).map((entry) => [entry.name, 'error' in entry ? entry.error.message : '']));
  expect(said.get('good')).toBe('');
  for (const name of ['folder', 'pipe']) expect(said.get(name)).toMatch(/^model \w+: its manifest is wrong:\n\S+model\.yaml: it is not a file$/);
  for (const name of ['wide', 'old']) expect(said.get(name)).toMatch(/model\.yaml: it is not in UTF-8; save it so$/);
  expect(said.get('void')).toMatch(/:1:1: the file must be a mapping of keys to values$/);
  expect(said.get('list')).toMatch(/:3:1: classes must be a list\n\S+:4:1: confidence must be a number$/);
});

test('runs no built-in model in the place of one whose manifest cannot be read', async () => {
  const root = await writeTree(await temporaryFolder(), { 'user/animals/best.pt': '', 'built-in/animals/model.yaml': MANIFEST, 'user/good/model.yaml': MANIFEST });
  const manifest = join(root, 'user/animals/model.yaml');
  // It leads to itself, which nobody can follow, root neither.
  await symlink(manifest, manifest);
  const catalog = await catalogOf(root);
  const why = expect.stringMatching(`^${manifest} cannot be read: ELOOP.*; let Lookout's user read it$`) as string;
  expect(await errorOf(catalog.get('animals'))).toMatchObject({ code: 'model_unavailable', message: why });
  expect(await catalog.list()).toMatchObject([{ name: 'animals', error: { message: why } }, { name: 'good', model: {} }]);
});

test.skipIf(!mayBecomeNobody)('runs no built-in model in the place of one whose folder is closed (needs root, and a Node that may change its user)', async () => {
  const root = await writeTree(await temporaryFolder(), { 'elsewhere/a/model.yaml': MANIFEST, 'user/b/model.yaml': MANIFEST, 'built-in/a/model.yaml': MANIFEST, 'built-in/b/model.yaml': MANIFEST });
  await symlink(join(root, 'elsewhere/a'), join(root, 'user/a'));
  await chmod(root, 0o755);
  for (const closed of ['elsewhere', 'user/b']) await chmod(join(root, closed), 0o700);
  process.seteuid?.(NOBODY);
  try {
    const error = { message: expect.stringContaining('cannot be read: EACCES') as string };
    expect(await (await catalogOf(root)).list()).toMatchObject([{ name: 'a', error }, { name: 'b', error }]);
  } finally {
    process.seteuid?.(0);
  }
});

test.skipIf(!mayBecomeNobody)('passes over a folder of models that may not be read, and says so (needs root, and a Node that may change its user)', async () => {
  const root = await writeTree(await temporaryFolder(), { 'user/a/model.yaml': MANIFEST, 'built-in/b/model.yaml': MANIFEST });
  await chmod(root, 0o755);
  await chmod(join(root, 'user'), 0o700);
  process.seteuid?.(NOBODY);
  try {
    const catalog = await catalogOf(root);
    expect(await namesOf(catalog)).toEqual(['b']);
    expect(catalog.notices()).toEqual([expect.stringMatching(`^${join(root, 'user')} is passed over: EACCES`)]);
  } finally {
    process.seteuid?.(0);
  }
});

test('answers an unknown name with the known ones', async () => {
  const root = await writeTree(await temporaryFolder(), { 'user/a/model.yaml': MANIFEST, 'built-in/b/model.yaml': MANIFEST });
  const error = await errorOf((await catalogOf(root)).get('nope'));
  expect(error).toMatchObject({ code: 'unknown_model', message: 'there is no model "nope"; known models: a, b' });
});

test('sees a change in the folder at the next look', async () => {
  const root = await writeTree(await temporaryFolder(), { 'user/a/model.yaml': MANIFEST });
  const catalog = await catalogOf(root);
  expect(await namesOf(catalog)).toEqual(['a']);
  await writeTree(root, { 'user/a/model.yaml': `${MANIFEST}version: "2"\n`, 'user/late/model.yaml': MANIFEST });
  expect((await catalog.get('a')).version).toBe('2');
  expect(await namesOf(catalog)).toEqual(['a', 'late']);
  await rm(join(root, 'user/a'), { recursive: true });
  expect((await errorOf(catalog.get('a'))).code).toBe('unknown_model');
});

test('prefers the model of the user to the built-in one of the same name', async () => {
  const root = await writeTree(await temporaryFolder(), { 'user/a/model.yaml': `${MANIFEST}version: mine\n`, 'built-in/a/model.yaml': `${MANIFEST}version: theirs\n` });
  expect(await (await catalogOf(root)).get('a')).toMatchObject({ version: 'mine', origin: 'user', notice: null });
});

test('falls back to the built-in model when a folder of the same name has only weights, and looks for weights there first', async () => {
  const root = await writeTree(await temporaryFolder(), {
    'user/animals/yolo.onnx': 'w', 'user/animals/yolov8n.pt': 'w', 'user/animals/requirements_animals.txt': 'torch',
    'built-in/animals/model.yaml': `${MANIFEST}weights: [{file: yolo*.onnx}]\n`,
  });
  const model = await (await catalogOf(root)).get('animals');
  expect(model.folder).toBe(join(root, 'built-in/animals'));
  expect(model.origin).toBe('built-in');
  expect(model.weights_folders).toEqual(['user/animals', 'built-in/animals', 'data/weights/animals'].map((path) => join(root, path)));
  expect(model.notice).toContain(`${join(root, 'user/animals')} has no manifest and no script that runs it, so the built-in model`);
  expect(model.notice).toMatch(/ is used; weights are looked for in both: yolo\*\.onnx; not used: yolov8n\.pt \(Weights in /);
});

test('takes a folder that is named as the user\'s and as the built-in one for built-in', async () => {
  const root = await writeTree(await temporaryFolder(), { 'built-in/a/model.yaml': MANIFEST });
  await symlink(join(root, 'built-in'), join(root, 'user'));
  expect(await (await catalogOf(root)).get('a')).toMatchObject({ origin: 'built-in', notice: null });
});

test('runs the Flask orchestrator\'s layout without a manifest, wherever its script stands', async () => {
  const root = await writeTree(await temporaryFolder(), {
    'run_inference.py': '', 'user/animals/requirements_animals.txt': '', 'user/animals/yolov8n.pt': '', 'user/potholes/best.pt': '',
    'user/garbage/x.pth': '', 'user/trees/run_inference.py': '',
  });
  const catalog = await catalogOf(root);
  expect(await catalog.get('animals')).toMatchObject({
    runtime: 'python', protocol: 'oneshot', entry: join(root, 'run_inference.py'), section: 'stray_animal', adopted_venv: null,
    requirements: [join(root, 'user/animals/requirements_animals.txt')], weights_folders: [join(root, 'user/animals'), join(root, 'data/weights/animals')],
  });
  expect(await catalog.get('potholes')).toMatchObject({ section: 'pothole', requirements: [] });
  expect(await catalog.get('garbage')).toMatchObject({ section: 'garbage' });
  expect(await catalog.get('trees')).toMatchObject({ section: null, entry: join(root, 'user/trees/run_inference.py') });
});

/** How the scripts of the Flask orchestrator's first and third version begin, and one that a user wrote. */
const SCRIPTS = {
  first: 'if model_name != \'animals\':\n    raise ValueError("Only \'animals\' model is supported in this build")\n',
  third: 'if model_name not in ["animals", "potholes", "garbage"]:\n    raise ValueError(f"Model \'{model_name}\' not supported. Supported models: animals, potholes, garbage")\nparser.add_argument("--model-name", help="Model name, e.g., yolo_v8")\n',
  own: 'model = YOLO(os.path.join("models", args.model_name, "best.pt"))  # all kinds are supported\n',
};

test.for([
  ['first', ['animals']], ['third', ['animals', 'potholes', 'garbage']], ['own', ['animals', 'potholes', 'garbage', 'yolo_v8']],
] as const)('takes the built-in model of a folder of weights where the %s script would refuse its name', async ([which, runs]) => {
  const names = ['animals', 'potholes', 'garbage', 'yolo_v8'];
  const root = await writeTree(await temporaryFolder(), {
    'flask/run_inference.py': SCRIPTS[which],
    ...Object.fromEntries(names.flatMap((name) => [
      [`flask/models/${name}/best.pt`, ''], [`flask/models/${name}/requirements_${name}.txt`, 'torch'], [`built-in/${name}/model.yaml`, MANIFEST],
    ])),
    'flask/models/trees/best.pt': '',
  });
  const catalog = await catalogOf(root, { project: join(root, 'flask') });
  for (const name of names) {
    const model = await catalog.get(name);
    if (runs.some((one) => one === name)) expect(model, name).toMatchObject({ entry: join(root, 'flask/run_inference.py'), origin: 'user' });
    else expect(model, name).toMatchObject({ folder: join(root, 'built-in', name), origin: 'built-in', weights_folders: [join(root, 'flask/models', name), join(root, 'built-in', name), join(root, 'data/weights', name)] });
  }
  // There is nothing else to take, and the script has the word.
  expect(await catalog.get('trees')).toMatchObject({ entry: join(root, 'flask/run_inference.py') });
});

test('lists the others where a script cannot be read', async () => {
  const root = await writeTree(await temporaryFolder(), { 'flask/run_inference.py/x': '', 'flask/models/animals/best.pt': '', 'built-in/animals/model.yaml': MANIFEST });
  expect(await namesOf(await catalogOf(root, { project: join(root, 'flask') }))).toEqual(['animals']);
});

test('uses the models, the script and the finished environments of a project in place', async () => {
  const root = await writeTree(await temporaryFolder(), {
    'user/animals/model.yaml': MANIFEST, 'built-in/motion/model.yaml': MANIFEST,
    'flask/run_inference.py': '', 'flask/models/animals/requirements_animals.txt': '', 'flask/models/potholes/requirements_potholes.txt': '',
    'flask/venvs/animals/.deps_installed': 'ok', 'flask/venvs/animals/bin/python': '', 'flask/venvs/potholes/bin/python': '',
  });
  await chmod(join(root, 'flask/venvs/animals/bin/python'), 0o755);
  const catalog = await catalogOf(root, { project: join(root, 'flask') });
  expect(await namesOf(catalog)).toEqual(['animals', 'motion', 'potholes']);
  expect(await catalog.get('animals')).toMatchObject({ entry: join(root, 'flask/run_inference.py'), adopted_venv: join(root, 'flask/venvs/animals') });
  expect(await catalog.get('potholes')).toMatchObject({
    adopted_venv: null,
    notice: expect.stringContaining(`${join(root, 'flask/venvs/potholes')} has no .deps_installed, as if its installation was cut short, so`) as string,
  });
});

test('adopts an environment of a project that was made by hand, without a marker, where there are no requirements', async () => {
  const root = await writeTree(await temporaryFolder(), {
    'flask/run_inference.py': '', 'flask/models/trees/best.pt': '', 'flask/models/weeds/best.pt': '',
    'flask/venvs/trees/bin/python': '', 'flask/venvs/weeds/lib/x': '',
  });
  const catalog = await catalogOf(root, { project: join(root, 'flask') });
  expect(await catalog.get('trees')).toMatchObject({ adopted_venv: join(root, 'flask/venvs/trees'), notice: expect.not.stringContaining('instead') as string });
  expect(await catalog.get('weeds')).toMatchObject({ adopted_venv: null });
  await writeTree(root, { 'flask/models/trees/requirements.txt': 'torch\n' });
  expect(await catalog.get('trees')).toMatchObject({ adopted_venv: null, notice: expect.stringContaining('has no .deps_installed') as string });
});

test('adopts an environment of a project only until its requirements change, followed to the last file', async () => {
  const root = await writeTree(await temporaryFolder(), {
    'flask/run_inference.py': '', 'flask/models/animals/requirements_animals.txt': '-r base.txt\n', 'flask/models/animals/base.txt': 'torch\n',
    'flask/venvs/animals/.deps_installed': 'ok', 'flask/venvs/animals/bin/python': '',
  });
  const made = new Date(2025, 0, 2);
  const at = (path: string): string => join(root, 'flask', path);
  for (const path of ['models/animals/requirements_animals.txt', 'models/animals/base.txt', 'venvs/animals/.deps_installed']) await utimes(at(path), made, made);
  const catalog = await catalogOf(root, { project: join(root, 'flask') });
  expect(await catalog.get('animals')).toMatchObject({ adopted_venv: at('venvs/animals'), notice: expect.not.stringContaining('instead') as string });
  await utimes(at('models/animals/base.txt'), made, new Date(2025, 0, 3));
  expect(await catalog.get('animals')).toMatchObject({
    adopted_venv: null,
    notice: expect.stringContaining(`${at('models/animals/base.txt')} changed after ${at('venvs/animals')} was made, so an environment of its own is built instead`) as string,
  });
});

test.skipIf(process.platform !== 'linux')('says of a model whose requirements cannot be read why, without harm to the others', async () => {
  const root = await writeTree(await temporaryFolder(), {
    'flask/run_inference.py': '', 'flask/models/animals/x': '', 'flask/venvs/animals/bin/python': '', 'user/good/model.yaml': MANIFEST,
  });
  await symlink('/proc/self/clear_refs', join(root, 'flask/models/animals/requirements.txt'));
  const catalog = await catalogOf(root, { project: join(root, 'flask') });
  expect(await catalog.list()).toMatchObject([{ name: 'animals', error: { code: 'model_unavailable', message: expect.stringContaining('requirements.txt cannot be read') as string } }, { name: 'good', model: {} }]);
});

test('leaves the addresses of weights out when offline', async () => {
  const root = await writeTree(await temporaryFolder(), { 'user/a/model.yaml': `${MANIFEST}weights: [{file: a.pt, url: "https://example.org/a.pt"}]\n` });
  expect((await (await catalogOf(root, { offline: true })).get('a')).weights).toEqual([{ file: 'a.pt', url: null, sha256: null, required: true }]);
});

test('lives with folders that are not there', async () => {
  const root = await temporaryFolder();
  const catalog = await catalogOf(root);
  expect(await namesOf(catalog)).toEqual([]);
  await mkdir(join(root, 'user/a'), { recursive: true });
  await writeFile(join(root, 'user/a/model.yaml'), MANIFEST);
  expect((await catalog.get('a')).name).toBe('a');
});
