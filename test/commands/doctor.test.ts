/** What `lookout doctor` says of machines on which something is wrong. */
import { createServer, type AddressInfo } from 'node:net';
import { readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { command, type Ended } from '../helpers/command.ts';
import { testFolder } from '../store/folder.ts';

const folder = testFolder();

/** Without the two examinations that take longest. */
const doctor = (flags: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Ended> => (
  command(['doctor', '--port', '0', '--capture-engine', 'ffmpeg', ...flags], { folder: folder.path, env: { LOOKOUT_PYTHON: 'false', ...env } })
);

/** Its exit code, and its line about each thing: it says nothing else. */
function told({ code, output }: Ended) {
  const lines = output.trimEnd().split('\n');
  expect(lines.filter((line) => !/^(ok|missing) /.test(line))).toEqual([]);
  return { code, lineOf: (name: string) => lines.find((line) => line.slice(8).startsWith(`${name} `)) ?? '' };
}

async function fakeProgram(name: string, script: string): Promise<string> {
  const file = join(folder.path, name);
  await writeFile(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return file;
}

it('finds everything where everything is', async () => {
  const { code, lineOf } = told(await command(['doctor', '--port', '0'], { folder: folder.path }));
  expect(code).toBe(0);
  for (const name of ['node', 'ffmpeg', 'data folder', 'frames folder', 'port']) expect(lineOf(name)).toMatch(/^ok /);
  expect(lineOf('port')).toContain('127.0.0.1:0 is free');
  expect(await readdir(folder.path)).toEqual([]);
});

it('says where times would be told otherwise than the environment means them, and where not', async () => {
  const { output } = await doctor([], { TZ: 'IST' });
  expect(output).toContain('missing time zone      TZ=IST is no name of one: times are in UTC -> set time_zone to Asia/');
  expect(output).toContain("warn  lookout: the environment's TZ=IST is no name of a time zone, so times in records and schedules are in UTC; set time_zone to Asia/");
  const { lineOf, code } = told(await doctor([], { TZ: 'MSK-3' }));
  expect([code, lineOf('time zone')]).toEqual([0, expect.stringMatching(/^ok .*UTC\+03:00/)]);
});

it('says which folder cannot be made, and how full the disk is all the same', async () => {
  await writeFile(join(folder.path, 'file'), '');
  await symlink('nowhere', join(folder.path, 'link'));
  const { code, lineOf } = told(await doctor(['--data-dir', 'file/data', '--frames-dir', 'link']));
  expect(code).toBe(1);
  expect(lineOf('data folder')).toMatch(/^missing .*ENOTDIR.* -> make it writable/);
  expect(lineOf('frames folder')).toMatch(/^missing .*ENOENT.* -> make it writable/);
  expect(lineOf('disk')).toMatch(/GB free/);
});

it.each([
  ['ffmpeg version 4.4.2-0ubuntu0.22.04.1', 'missing', 1],
  ['ffmpeg version n5.0.3', 'missing', 1],
  ['ffmpeg version 5.1.9-0+deb12u1', 'ok', 0],
  ['ffmpeg version N-113684-g8a2a5f5', 'ok', 0],
])('judges %s as %s', async (version, word, code) => {
  const found = told(await doctor([], { LOOKOUT_FFMPEG: await fakeProgram('ffmpeg', `echo '${version} Copyright (c)'`) }));
  expect(found.code).toBe(code);
  expect(found.lineOf('ffmpeg').startsWith(word)).toBe(true);
  expect(found.lineOf('ffmpeg').includes('too old')).toBe(word === 'missing');
});

it('asks for the Python that environments are made with', async () => {
  const old = await fakeProgram('python3', 'echo "Traceback" >&2; echo "AssertionError: older than 3.9" >&2; exit 1');
  const { code, lineOf } = told(await doctor([], { LOOKOUT_PYTHON: old }));
  expect([code, lineOf('python')]).toEqual([0, expect.stringMatching(/^missing .*older than 3\.9.* -> apt-get install -y python3 python3-venv/)]);
});

it('tries what setpriv is needed for: some have no --pdeathsig', async () => {
  // The tests' own leash names its command after a --.
  await fakeProgram('setpriv', '[ "$1" = --version ] && exit 0; [ "$3" = -- ] || exit 1; shift 3; exec "$@"');
  const { code, lineOf } = told(await doctor([], { PATH: `${folder.path}:${process.env['PATH'] ?? ''}` }));
  expect([code, lineOf('setpriv').split(' ')[0]]).toEqual([0, 'missing']);
});

it('says why a port cannot be had', async () => {
  const server = createServer();
  onTestFinished(() => { server.close(); });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => { resolve((server.address() as AddressInfo).port); });
  });
  const taken = told(await doctor(['--port', String(port)]));
  expect([taken.code, taken.lineOf('port')]).toEqual([1, expect.stringContaining(`127.0.0.1:${port} is in use -> stop the program`)]);
  const elsewhere = told(await doctor(['--host', '192.0.2.1', '--insecure']));
  expect([elsewhere.code, elsewhere.lineOf('port')]).toEqual([1, expect.stringContaining('192.0.2.1:0 is no address of this machine -> ')]);
  expect(told(await doctor(['--host', '[::1]'])).lineOf('port')).toContain('[::1]:0 is free');
});
