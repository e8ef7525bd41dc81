/** What may send a model's packages elsewhere, and how that shows before its environment is sealed. */
import { chmod, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { see, temporaryFolder, writeTree } from '../models/fixtures.ts';
import { hasUv, makeWheel, missesUv, modelFiles, place, run, type Place } from './python-models.ts';

describe('settings of the host', () => {
  afterEach(() => { vi.unstubAllEnvs(); });

  /** The one wheel is where a file of the installer's says; other settings lead to `astray`. */
  async function amid(file: string, text: string, settings: Readonly<Record<string, string>>): Promise<Place> {
    const placed = await place(modelFiles('m', 'tinydep==1.0'));
    const named = (words: string): string => words.replaceAll(/\/(astray|index)\b/g, (path) => join(placed.root, path));
    await rename(join(placed.root, 'models/m/wheels'), join(placed.root, 'index'));
    await writeTree(placed.root, { [file]: named(text) });
    for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, name.endsWith('_CONFIG_FILE') ? join(placed.root, file) : named(value));
    return placed;
  }

  // Apart, as a variable wins over a file.
  test.each<[string, string, Readonly<Record<string, string>>]>([
    ['variables of pip', '[global]\nfind-links = /index\n', { PIP_TARGET: '/astray', PIP_USER: '1', PIP_PREFIX: '/astray', PIP_ROOT: '/astray', PIP_DRY_RUN: '1', PIP_REQUIRE_VIRTUALENV: '1' }],
    ['a file of pip', '[global]\nfind-links =\n    /index\nquiet = 2\nuser = true\nprefix = /astray\nno-deps = true\ndry-run = true\n[install]\ntarget = /astray\n', {}],
  ])('send no packages elsewhere, and say where they are found: %s', async (_name, text, settings) => {
    const { prepare, root } = await amid('pip.conf', text, { PIP_CONFIG_FILE: '', PIP_FIND_LINKS: '', ...settings });
    expect(await see(await prepare('m'))).toBe('1.0');
    await expect(readdir(join(root, 'astray'))).rejects.toThrow('ENOENT');
  });

  test.skipIf(!hasUv)(`send no packages elsewhere, and say where they are found: variables and a file of uv${missesUv}`, async () => {
    const { prepare, root } = await amid(
      'uv.toml', 'find-links = ["/index"]\n[pip]\ntarget = "/astray"\nsystem = true\n', { UV_CONFIG_FILE: '', UV_TARGET: '/astray', UV_SYSTEM_PYTHON: '1' },
    );
    expect(await see(await prepare('m'))).toBe('1.0');
    await expect(readdir(join(root, 'astray'))).rejects.toThrow('ENOENT');
  });
});

/** From now on uv is this shell script; `$python` is the interpreter of the environment. */
async function uvIs(install: string): Promise<void> {
  const folder = await writeTree(await temporaryFolder(), {
    uv: `#!/bin/sh\ncase "$1 $2" in\n"--version "*) echo uv 0.99.0;;\nvenv*) for last; do :; done; exec /usr/bin/python3 -m venv --without-pip "$last";;\n"pip install") python=$4; ${install};;\nesac\n`,
  });
  await chmod(join(folder, 'uv'), 0o755);
  vi.stubEnv('PATH', `${folder}:${process.env['PATH'] ?? ''}`);
  vi.stubEnv('UV_INDEX_URL', 'http://127.0.0.1:1/');
}

describe('an environment is sealed only when what was asked for is in it', () => {
  afterEach(() => { vi.unstubAllEnvs(); });
  const site = '"$($python -c \'import sysconfig; print(sysconfig.get_path("purelib"))\')"';

  test('another version came, others did not, what a package needs or a folder of the model neither', async () => {
    const requirements = ['tinydep==1.0', 'otherdep', 'needy', './local'];
    const { prepare, root } = await place({ ...modelFiles('m', requirements.join('\n')), 'models/m/local/pyproject.toml': '[project]\nname = "local"\nversion = "1.0"\n' });
    await makeWheel(join(root, 'models/m/wheels'), 'needy', '1.0', 'neededdep>=1.0', 'absent; extra == "more"', 'absent; python_version < "3"');
    await uvIs(['tinydep-2.0', 'needy-1.0'].map((wheel) => `/usr/bin/python3 -m zipfile -e wheels/${wheel}-py3-none-any.whl ${site}`).join(' && '));
    const missing = './local is not there; neededdep, which needy needs, is not there; otherdep is not there; tinydep==1.0 was asked for, and 2.0 is there';
    await expect(prepare('m')).rejects.toThrow(`the installer says that all went well, but ${missing}; look for settings of uv that send packages elsewhere`);
    expect(await readdir(join(root, 'data/runtimes/m').concat('/', (await readdir(join(root, 'data/runtimes/m')))[0] ?? ''))).toEqual(['build.log']);
  });

  test('requirements for other machines and other Pythons are not missed', async () => {
    const elsewhere = ['absent', 'absent[more]', 'absent >= 1.0', './absent', './absent[more] ', './wheels/tinydep-2.0-py3-none-any.whl', 'absent @ file:///absent '];
    const lines = ['tinydep==1.0', 'tinydep; sys_platform != "win32"', ...elsewhere.flatMap((one) => [`${one}; sys_platform == "win32"`, `${one}; python_version < "3" or extra == "more"`]), 'absent @ https://none.invalid/absent.whl ;python_version < "3"'];
    // A folder beside it has the same name.
    const { prepare } = await place({ ...modelFiles('m', lines.join('\n')), 'models/m/absent/pyproject.toml': '[project]\nname = "absent"\nversion = "1.0"\n' });
    expect(await see(await prepare('m'))).toBe('1.0');
  });
});

test('a wheel that lies in wheels/ wins over what lies elsewhere, unless another version is asked for', async () => {
  const requirements = { newer: 'newer', ranged: 'ranged>=1.0', other: 'other==3.0', needed: 'needy', rebuilt: 'rebuilt==1.0' };
  const names = Object.keys(requirements);
  const { prepare, root } = await place({
    ...modelFiles('m', Object.values(requirements).join('\n')),
    'models/m/model.yaml': 'runtime: python\nentry: detector.py\n',
    'models/m/detector.py': `import ${names.join(', ')}\n\ndef predict(frames, options):\n    return [[{"class": " ".join(one.VERSION for one in (${names.join(', ')})), "confidence": 1}] for _ in frames]\n`,
  });
  const elsewhere = join(root, 'elsewhere');
  for (const name of names) {
    await makeWheel(join(root, 'models/m/wheels'), name, '1.0');
    await makeWheel(elsewhere, name, '3.0');
  }
  await makeWheel(elsewhere, 'needy', '1.0', 'needed');
  // A second build of a version is preferred by every installer; this one says that it is 3.0.
  await run('/usr/bin/python3', ['-c', `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as old, zipfile.ZipFile(sys.argv[2], "w") as new:
    for name in old.namelist():
        text = old.read(name).decode()
        new.writestr(name.replace("-3.0.", "-1.0."), text.replace("Version: 3.0", "Version: 1.0").replace("-3.0.", "-1.0."))
`, join(elsewhere, 'rebuilt-3.0-py3-none-any.whl'), join(elsewhere, 'rebuilt-1.0-2-py3-none-any.whl')]);
  vi.stubEnv('PIP_FIND_LINKS', elsewhere);
  onTestFinished(() => { vi.unstubAllEnvs(); });
  expect(await see(await prepare('m'))).toBe('1.0 1.0 3.0 1.0 1.0');
});
