/** The programs of the benchmark still fit the parts that they put together. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { makeClip } from '../src/demo/index.ts';
import { never, temporaryFolder } from './models/fixtures.ts';

/** Nothing checks their types, and most run in no test. */
test('every program and row finds the parts that it imports', async () => {
  const bench = join(import.meta.dirname, '../bench');
  const files = (await readdir(bench, { recursive: true })).filter((name) => name.endsWith('.mjs'));
  const missing = await Promise.all(files.map(async (name) => {
    const file = join(bench, name);
    const imports = [...(await readFile(file, 'utf8')).matchAll(/^import \{([^}]+)\} from '(\.[^']+)';/gms)];
    return Promise.all(imports.map(async ([, names = '', from = '']) => {
      const exported = await exportsOf(join(file, '..', from));
      return names.split(',').map((each) => (each.trim().split(' as ')[0] ?? '')).filter((each) => each !== '' && !exported.includes(each)).map((each) => `${name}: ${each} of ${from}`);
    }));
  }));
  expect(files.length).toBeGreaterThan(30);
  expect(missing.flat(2)).toEqual([]);
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

/** By the text: some of the modules begin to measure when they are imported. */
async function exportsOf(file: string): Promise<readonly string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const declared = [...text.matchAll(/^export (?:async )?(?:const|let|function\*?|class) (\w+)/gm)].map(([, name = '']) => name);
  const listed = [...text.matchAll(/^export \{([^}]+)\}/gm)].flatMap(([, names = '']) => names.split(',').map((each) => each.trim().split(' as ').at(-1) ?? ''));
  return [...declared, ...listed];
}

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
