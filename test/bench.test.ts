/** The programs of the benchmark still fit the parts that they put together. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { makeClip } from '../src/demo/index.ts';
import { never, temporaryFolder } from './models/fixtures.ts';

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
