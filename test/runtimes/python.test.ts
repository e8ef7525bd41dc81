import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readFile, readdir, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test, vi } from 'vitest';
import { findInterpreter } from '../../src/runtimes/tools/interpreter.ts';
import { listen, see, writeTree } from '../models/fixtures.ts';
import { BARE, DETECTOR, fixtures, hasUv, MANIFEST, missesUv, modelFiles, place, run, wheels } from './python-models.ts';

/** The same in the Flask orchestrator's contract. */
const SCRIPT = `import argparse, json, os, sys
try:
    import tinydep
    version = tinydep.VERSION
except ImportError:
    version = "none"
parser = argparse.ArgumentParser()
for flag in ("--model-name", "--frames", "--output-file"):
    parser.add_argument(flag, required=True)
said = parser.parse_args()
label = " ".join([said.model_name, version, os.path.basename(os.getcwd())])
with open(said.output_file, "w") as output:
    json.dump([{"frame_path": f, "detections": [{"label": label, "confidence": 1, "bbox": [0, 0, 1, 1]}], "inference_time_ms": 3} for f in json.loads(said.frames)], output)
`;

/** The fixture program that prepares a model, in a process of its own. */
function prepareElsewhere(root: string, name: string): { readonly lines: string[]; until(text: string): Promise<void>; kill(): void; readonly ended: Promise<unknown> } {
  const child = spawn(process.execPath, ['--import', join(fixtures, 'runners/load-typescript.mjs'), join(fixtures, 'models/prepare.ts'), join(root, 'models'), name, join(root, 'data')], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => { child.kill('SIGKILL'); });
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => lines.push(line));
  return {
    lines,
    until: (text) => vi.waitUntil(() => lines.some((line) => line.includes(text)), { timeout: 20_000, interval: 5 }).then(() => undefined),
    kill: () => child.kill('SIGKILL'),
    ended: once(child, 'close'),
  };
}

/** Command lines of the processes that have to do with a folder. */
async function processesOf(root: string): Promise<readonly string[]> {
  const { stdout } = await run('ps', ['-eo', 'args']);
  return stdout.split('\n').filter((line) => line.includes(root));
}

test('lets two models import their own version of one package, and builds anew when requirements or a wheel beside them changed, keeping the environments before', async () => {
  const toml = '[project]\nname = "new"\ndependencies = [\n  "tinydep==2.0", # pinned\n  "absent; sys_platform == \'win32\'",\n]\noptional-dependencies.dev = ["absent"]\n';
  // Found on the PATH.
  vi.stubEnv('LOOKOUT_PYTHON', '');
  onTestFinished(() => { vi.unstubAllEnvs(); });
  const { prepare, root } = await place({ ...BARE, 'models/new/model.yaml': MANIFEST, 'models/new/detector.py': DETECTOR, 'models/new/pyproject.toml': toml });
  await rm(join(root, 'models/bare/wheels/tinydep-2.0-py3-none-any.whl'));
  const bare = await prepare('bare');
  await writeTree(root, { 'models/bare/model.yaml': MANIFEST, 'models/bare/requirements.txt': 'tinydep\n', 'models/bare/detector.py': DETECTOR });
  const { lines, tell } = listen();
  const old = await prepare('bare', tell);
  vi.unstubAllEnvs();
  let said = '';
  const fresh = await prepare('new', (line) => { if (line.includes('pyproject.toml')) said = line; });
  expect(said).toMatch(/^installing pyproject\.toml with (pip|uv) \d/);
  expect([await see(old), await see(fresh)]).toEqual(['1.0', '2.0']);

  expect(lines[0]).toMatch(/^creating the virtual environment with Python 3\.\d+\.\d+$/);
  expect(lines.join('\n')).toMatch(/installing requirements\.txt with (pip|uv) \d/);
  expect(lines.at(-1)).toMatch(/^the environment is ready after [\d.]+ s: 1 package, [\d.]+ MB$/);
  expect(lines).toHaveLength(4);
  const folder = join(root, 'data/runtimes/bare');
  expect(await readFile(join(folder, old.fingerprint ?? '', 'build.log'), 'utf8')).toMatch(/tinydep.?==?-?1\.0|tinydep-1\.0/);
  const facts = await readFile(join(folder, old.fingerprint ?? '', 'environment.json'), 'utf8');
  expect(JSON.parse(facts)).toMatchObject({ model: 'bare', fingerprint: old.fingerprint, packages: ['tinydep==1.0'] });

  await cp(wheels, join(root, 'models/bare/wheels'), { recursive: true });
  const later = await prepare('bare');
  expect(await see(later)).toBe('2.0');
  expect((await readdir(folder)).sort()).toEqual([bare, old, later].map(({ fingerprint }) => fingerprint).sort());
});

test('says what is wrong with a pyproject.toml before it builds anything', async () => {
  const { prepare, root } = await place({ ...BARE, 'models/bare/pyproject.toml': '[project\n' });
  const { tell, count } = listen();
  await expect(prepare('bare', tell)).rejects.toThrow(/pyproject\.toml is no TOML: /);
  await writeTree(root, { 'models/bare/pyproject.toml': '[project]\ndependencies = "tinydep"\n' });
  await expect(prepare('bare', tell)).rejects.toThrow('pyproject.toml: [project] dependencies must be a list of texts');
  expect(count('creating')).toBe(0);
});

test('builds once for callers in this process and in another', async () => {
  const { prepare, root } = await place(BARE);
  const { tell, count } = listen();
  const other = prepareElsewhere(root, 'bare');
  const [first, second] = await Promise.all([prepare('bare', tell), prepare('bare', tell), other.ended]);
  expect(count('creating') + other.lines.filter((line) => line.includes('creating')).length).toBe(1);
  expect(first.fingerprint).toBe(second.fingerprint);
  expect(other.lines.at(-1)).toBe(`prepared ${String(first.fingerprint)}`);
});

test('builds anew after the process that built was killed in the middle', async () => {
  const { prepare, root } = await place(modelFiles('m', 'tinydep==1.0'));
  for (const when of ['creating', 'installing']) {
    const other = prepareElsewhere(root, 'm');
    await other.until(when);
    other.kill();
    await other.ended;
    const [name = ''] = await readdir(join(root, 'data/runtimes/m'));
    expect(await readdir(join(root, 'data/runtimes/m', name))).not.toContain('environment.json');
    await vi.waitUntil(async () => (await processesOf(root)).length === 0, { timeout: 5_000, interval: 50 });
  }
  const began = Date.now();
  let waited = 0;
  const prepared = await prepare('m', (line) => {
    if (line.startsWith('creating')) waited = Date.now() - began;
  });
  // A lock that a dead process keeps would hold it up for ten seconds.
  expect(waited).toBeLessThan(8_000);
  expect(await see(prepared)).toBe('1.0');
});

test('looks for an interpreter once to prepare and start, and again for a later start', async () => {
  const { prepare, root } = await place(BARE);
  const wrapper = `#!/bin/sh\necho asked >>${join(root, 'asked')}\nexec /usr/bin/python3 "$@"\n`;
  await writeFile(join(root, 'python'), wrapper, { mode: 0o755 });
  vi.stubEnv('LOOKOUT_PYTHON', join(root, 'python'));
  onTestFinished(() => { vi.unstubAllEnvs(); });
  const asked = async (): Promise<number> => (await readFile(join(root, 'asked'), 'utf8')).split('\n').length - 1;
  await prepare('bare');
  const before = await asked();
  const prepared = await prepare('bare');
  await see(prepared);
  expect(await asked() - before).toBe(1);
  await see(prepared);
  expect(await asked() - before).toBe(2);
});

test('builds anew before a later start when the interpreter is gone', async () => {
  const { prepare, root } = await place(BARE);
  const prepared = await prepare('bare');
  expect(await see(prepared)).toBe('bare');
  const python = join(root, 'data/runtimes/bare', prepared.fingerprint ?? '', 'bin/python');
  await unlink(python);
  await symlink('/no/such/python', python);
  expect(await see(prepared)).toBe('bare');
});

test('keeps an environment whose interpreter is there and fails, and says so', async () => {
  const { prepare, root } = await place(BARE);
  const prepared = await prepare('bare');
  const folder = join(root, 'data/runtimes/bare', prepared.fingerprint ?? '');
  await rename(join(folder, 'bin/python'), join(folder, 'good python'));
  await writeFile(join(folder, 'bin/python'), '#!/bin/sh\nkill -KILL $$\n', { mode: 0o755 });
  await expect(prepare('bare')).rejects.toThrow(/the interpreter .*bin\/python fails, though it is there; .*was killed by SIGKILL/);
  await rename(join(folder, 'good python'), join(folder, 'bin/python'));
  const { tell, lines } = listen();
  expect(await see(await prepare('bare', tell))).toBe('bare');
  expect(lines).toEqual([]);
});

test('builds anew when the import probe changed, and refuses an environment whose probe fails, with its last lines, or never ends', async () => {
  const { prepare, root } = await place(BARE);
  expect(await see(await prepare('bare'))).toBe('bare');
  await writeTree(root, { 'models/bare/model.yaml': 'runtime: python\nentry: detector.py\nprobe: import otherdep\n' });
  await expect(prepare('bare')).rejects.toMatchObject({ code: 'model_unavailable', message: expect.stringContaining("No module named 'otherdep'") as string });
  await writeTree(root, { 'models/bare/model.yaml': 'runtime: python\nentry: detector.py\nsetup_deadline_seconds: 0.5\nprobe: print("waiting", flush=True); import time; time.sleep(60)\n' });
  await expect(prepare('bare')).rejects.toMatchObject({ code: 'model_unavailable', message: expect.stringMatching(/time\.sleep\(60\) was not over after 0\.5 s \(setup_deadline_seconds\) and was ended/) as string });
  await writeTree(root, { 'models/bare/model.yaml': 'runtime: python\nentry: detector.py\nprobe: import json\n' });
  expect(await see(await prepare('bare'))).toBe('bare');
});

test('an interpreter is the same after a patch, and is told by its full version', async () => {
  const { version, facts } = await findInterpreter(new AbortController().signal);
  expect(version.split('.').length).toBeGreaterThan(2);
  expect(facts['version']).toBe(version.split('.').slice(0, 2).join('.'));
});

test('says what the installer said when it fails', async () => {
  const { prepare } = await place(modelFiles('m', 'nodep==9'));
  await expect(prepare('m')).rejects.toMatchObject({ code: 'model_unavailable', message: expect.stringMatching(/^model m: its environment could not be built: ERROR: No matching distribution found for nodep==9\npython pip install .* exited with code 1[^]*nodep/) as string });
});

test('stops within a second in the middle of a build', async () => {
  const { prepare, root } = await place({ ...BARE, 'models/bare/model.yaml': 'runtime: python\nentry: detector.py\nprobe: import time; time.sleep(60)\n' });
  const controller = new AbortController();
  let aborted = 0;
  const failed = prepare('bare', (line) => {
    if (!line.startsWith('probing')) return;
    setTimeout(() => {
      aborted = Date.now();
      controller.abort(new Error('enough'));
    }, 200);
  }, controller.signal);
  await expect(failed).rejects.toThrow('enough');
  expect(Date.now() - aborted).toBeLessThan(1_500);
  expect(await processesOf(root)).toEqual([]);
});

test.skipIf(!hasUv)(`installs with uv when it is there${missesUv}`, async () => {
  for (const name of Object.keys(process.env).filter((name) => name.startsWith('PIP_'))) vi.stubEnv(name, undefined);
  onTestFinished(() => { vi.unstubAllEnvs(); });
  const { prepare } = await place(modelFiles('m', 'tinydep==2.0'));
  const { tell, count } = listen();
  expect(await see(await prepare('m', tell))).toBe('2.0');
  expect(count('installing requirements.txt with uv')).toBe(1);
});

test('runs the Flask orchestrator\'s script in an environment of its own, where the script stands', async () => {
  const { prepare, root } = await place({ 'run_inference.py': SCRIPT, 'models/animals/requirements_animals.txt': 'tinydep==2.0\n' });
  expect(await see(await prepare('animals'))).toBe(`animals 2.0 ${root.split('/').at(-1) ?? ''}`);
});

test('uses an environment that the Flask orchestrator made, and builds one when its interpreter does not start', async () => {
  const { prepare, root, model } = await place({ 'run_inference.py': SCRIPT, 'models/animals/best.pt': '', 'venvs/animals/.deps_installed': 'ok' }, true);
  await run('/usr/bin/python3', ['-m', 'venv', '--without-pip', join(root, 'venvs/animals')]);
  const adopted = await prepare('animals');
  expect((await model('animals')).adopted_venv).toBe(join(root, 'venvs/animals'));
  expect(adopted.fingerprint).toBeNull();
  expect(await see(adopted)).toMatch(/^animals none /);

  await unlink(join(root, 'venvs/animals/bin/python'));
  await writeFile(join(root, 'venvs/animals/bin/python'), '#!/no/such/python\n', { mode: 0o755 });
  const { tell, count } = listen();
  const built = await prepare('animals', tell);
  expect([count('does not start'), count('creating the virtual environment')]).toEqual([1, 1]);
  expect(await see(built)).toMatch(/^animals none /);
});

test('names the interpreters it tried when LOOKOUT_PYTHON cannot be used', async () => {
  const { prepare } = await place(BARE);
  vi.stubEnv('LOOKOUT_PYTHON', '/no/such/python');
  onTestFinished(() => { vi.unstubAllEnvs(); });
  await expect(prepare('bare')).rejects.toMatchObject({ code: 'model_unavailable', message: expect.stringMatching(/LOOKOUT_PYTHON cannot make virtual environments \(\/no\/such\/python: .*(No such file|not found)/) as string });
});
