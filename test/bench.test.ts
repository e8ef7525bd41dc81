/** The programs of the benchmark still fit the parts that they put together. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { makeClip } from '../src/demo/index.ts';
import { never, temporaryFolder } from './models/fixtures.ts';

/**
 * They import what is built, which has no types: here the sources stand in its place. Told are only pieces, arguments and
 * properties that are missing, which is what goes wrong when a piece changes that they use.
 */
const MISSING = /^bench.*error TS(2305|2307|2554|2614|2724|2739|2740|2741):/;

test('fits the parts that it puts together', async () => {
  const folder = await temporaryFolder();
  const root = join(import.meta.dirname, '..');
  for (const [name, to] of [['bench', 'bench'], ['dist', 'src'], ['node_modules', 'node_modules'], ['package.json', 'package.json']] as const) await symlink(join(root, to), join(folder, name));
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({
    extends: join(root, 'tsconfig.json'), compilerOptions: { allowJs: true, checkJs: true, strict: false, exactOptionalPropertyTypes: false, preserveSymlinks: true }, include: ['bench/**/*.mjs'],
  }));
  const { stdout } = await execa('node', ['node_modules/typescript/lib/tsc.js', '-p', '.', '--pretty', 'false'], { cwd: folder, reject: false });
  // It has looked: of what it says about programs without types, most is no mistake.
  expect(stdout).toMatch(/^bench.*error TS/m);
  expect(stdout.split('\n').filter((line) => MISSING.test(line))).toEqual([]);
});

test('captures from its own camera', async () => {
  const folder = await temporaryFolder();
  const clip = join(folder, 'clip.mp4');
  await makeClip(clip, { seconds: 2, width: 320, height: 180, fps: 25, bitrate: '500k', keyframe_seconds: 1, b_frames: 0, clock: false }, never);
  const [url = ''] = await linesOf(program('camera', clip, '1'), 1);
  const capture = program('capture', folder, '0.5');
  capture.stdin.write(`${url}\n`);
  await expect.poll(async () => (await readdir(folder, { recursive: true })).some((name) => name.endsWith('.jpg')), { timeout: 30_000 }).toBe(true);
  capture.stdin.end();
  const [books = ''] = await linesOf(capture, 1);
  expect((JSON.parse(books) as { captured: number }).captured).toBeGreaterThan(0);
});

test('pushes to a server that writes each picture to a file', async () => {
  const folder = await temporaryFolder();
  const picture = join(import.meta.dirname, 'bench.test.ts');
  const [url = ''] = await linesOf(program('receiving', folder), 1);
  const cameras = program('pushing', picture, '20', JSON.stringify([{ url, headers: {} }]));
  await expect.poll(async () => (await readdir(folder)).length, { timeout: 30_000 }).toBeGreaterThan(5);
  cameras.stdin.write('\n');
  const [line = ''] = await linesOf(cameras, 1);
  const { answered, refused } = JSON.parse(line) as { answered: readonly number[]; refused: readonly string[] };
  expect([answered.length > 0, refused]).toEqual([true, []]);
  expect(await readFile(join(folder, '1.jpg'))).toEqual(await readFile(picture));
});

type Program = ReturnType<typeof program>;

function program(name: string, ...args: readonly string[]) {
  const child = spawn(process.execPath, [join(import.meta.dirname, `../bench/programs/${name}.mjs`), ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(async () => {
    const ended = child.exitCode === null ? once(child, 'exit') : null;
    child.stdin.end();
    await ended;
  });
  return child;
}

async function linesOf({ stdout }: Program, count: number): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: stdout })) if (lines.push(line) === count) break;
  return lines;
}
