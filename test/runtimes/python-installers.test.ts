/** What may send a model's packages elsewhere, and how that shows before its environment is sealed. */
import { chmod, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { see, temporaryFolder, writeTree } from '../models/fixtures.ts';
import { run, fixtures, place, modelFiles } from './python-models.ts';

describe('settings of the host that send packages elsewhere', () => {
  afterEach(() => { vi.unstubAllEnvs(); });

  test.each<[string, Readonly<Record<string, string>>]>([
    ['variables of pip', { PIP_TARGET: '/elsewhere', PIP_USER: '1', PIP_PREFIX: '/elsewhere', PIP_ROOT: '/elsewhere', PIP_DRY_RUN: '1', PIP_REQUIRE_VIRTUALENV: '1' }],
    ['a file of pip', { 'pip.conf': '[global]\nquiet = 2\nuser = true\nprefix = /elsewhere\nno-deps = true\ndry-run = true\n[install]\ntarget = /elsewhere\n' }],
    ['variables and a file of uv', { UV_TARGET: '/elsewhere', UV_SYSTEM_PYTHON: '1', 'uv.toml': '[pip]\ntarget = "/elsewhere"\nsystem = true\n' }],
  ])('do not reach a build: %s', async (_name, settings) => {
    const { prepare, root } = await place(modelFiles('m', 'tinydep==1.0'));
    for (const [name, value] of Object.entries(settings)) {
      const there = value.replaceAll('/elsewhere', join(root, 'elsewhere'));
      if (name === 'pip.conf' || name === 'uv.toml') await writeTree(root, { [name]: there });
      vi.stubEnv(name === 'pip.conf' ? 'PIP_CONFIG_FILE' : name === 'uv.toml' ? 'UV_CONFIG_FILE' : name, name.includes('.') ? join(root, name) : there);
    }
    expect(await see(await prepare('m'))).toBe('1.0');
    await expect(readdir(join(root, 'elsewhere'))).rejects.toThrow('ENOENT');
  });

  test('leave their indexes to a build: a file says where packages are found', async () => {
    const { prepare, root } = await place(modelFiles('m', 'tinydep==1.0'));
    await rename(join(root, 'models/m/wheels'), join(root, 'elsewhere'));
    await writeTree(root, { 'pip.conf': `[global]\nfind-links =\n    ${join(root, 'elsewhere')}\nuser = true\n`, 'uv.toml': `find-links = ["${join(root, 'elsewhere')}"]\n[pip]\ntarget = "/nowhere"\n` });
    vi.stubEnv('PIP_FIND_LINKS', '');
    vi.stubEnv('PIP_CONFIG_FILE', join(root, 'pip.conf'));
    vi.stubEnv('UV_CONFIG_FILE', join(root, 'uv.toml'));
    expect(await see(await prepare('m'))).toBe('1.0');
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

  test.each<[string, string, string, string]>([
    ['nothing came', 'tinydep==1.0', 'true', 'tinydep is not there'],
    ['another version came', 'tinydep==1.0', `/usr/bin/python3 -m zipfile -e wheels/tinydep-2.0-py3-none-any.whl ${site}`, 'tinydep==1.0 was asked for, and 2.0 is there'],
    ['what a package needs did not come', 'needy', `/usr/bin/python3 -m zipfile -e wheels/needy-1.0-py3-none-any.whl ${site}`, 'tinydep, which needy needs, is not there'],
    ['a folder of the model did not come', './local', 'true', './local is not there'],
  ])('%s', async (_name, requirement, install, words) => {
    const { prepare, root } = await place({ ...modelFiles('m', requirement), 'models/m/local/pyproject.toml': '[project]\nname = "local"\nversion = "1.0"\n' });
    await run('/usr/bin/python3', [join(fixtures, 'packages/make_wheel.py'), join(root, 'models/m/wheels'), 'needy', '1.0', 'tinydep>=1.0', 'absent; extra == "more"', 'absent; python_version < "3"']);
    await uvIs(install);
    await expect(prepare('m')).rejects.toThrow(`the installer says that all went well, but ${words}; look for settings of uv that send packages elsewhere`);
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

describe('a wheel that lies in wheels/', () => {
  afterEach(() => { vi.unstubAllEnvs(); });

  /** Another place where packages are found holds these. */
  async function elsewhere(root: string, ...wheels: (readonly string[])[]): Promise<void> {
    for (const [name = '', version = '', ...needs] of wheels) await run('/usr/bin/python3', [join(fixtures, 'packages/make_wheel.py'), join(root, 'elsewhere'), name, version, ...needs]);
    vi.stubEnv('PIP_FIND_LINKS', join(root, 'elsewhere'));
  }
  const only = async (root: string, version: string): Promise<void> => {
    for (const file of await readdir(join(root, 'models/m/wheels'))) if (!file.includes(`-${version}-`)) await rm(join(root, 'models/m/wheels', file));
  };

  test.each<[string, string, string]>([
    ['wins over a newer one elsewhere', 'tinydep', '1.0'],
    ['wins in a range that the newer one is in', 'tinydep>=1.0', '1.0'],
    ['loses where another version is asked for', 'tinydep==3.0', '3.0'],
    ['wins where another package needs it', 'needy', '1.0'],
  ])('%s', async (_name, requirement, version) => {
    const { prepare, root } = await place(modelFiles('m', requirement));
    await only(root, '1.0');
    await elsewhere(root, ['tinydep', '3.0'], ['needy', '1.0', 'tinydep']);
    expect(await see(await prepare('m'))).toBe(version);
  });

  test('wins over another build of the same version', async () => {
    const { prepare, root } = await place(modelFiles('m', 'tinydep==1.0'));
    await only(root, '1.0');
    await elsewhere(root, ['tinydep', '3.0']);
    // A second build is preferred by every installer; this one says that it is 3.0.
    await run('/usr/bin/python3', ['-c', `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as old, zipfile.ZipFile(sys.argv[2], "w") as new:
    for name in old.namelist():
        text = old.read(name).decode()
        new.writestr(name.replace("-3.0.", "-1.0."), text.replace("Version: 3.0", "Version: 1.0").replace("-3.0.", "-1.0."))
`, join(root, 'elsewhere/tinydep-3.0-py3-none-any.whl'), join(root, 'elsewhere/tinydep-1.0-2-py3-none-any.whl')]);
    expect(await see(await prepare('m'))).toBe('1.0');
  });
});
