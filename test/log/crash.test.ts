import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BatchRecord } from '../../src/types.ts';
import { compileSources, type Compiled } from '../helpers/compiled.ts';
import { sampleRecord } from './sample-record.ts';
import { logFolder, type LogFolder } from './log-folder.ts';

const never = new AbortController().signal;
const fixture = (name: string): string => new URL(`../fixtures/log/${name}`, import.meta.url).pathname;
const PICTURE = 300_000;

let compiled: Compiled;
let at: LogFolder;
const children: ChildProcess[] = [];

beforeAll(async () => {
  compiled = await compileSources();
});
afterAll(() => compiled.remove());
beforeEach(async () => {
  at = await logFolder();
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await at.remove();
});

/** A child whose lines of output are collected. */
function run(command: string, args: readonly string[]) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  // All output has come by then.
  const ended = once(child, 'close');
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => { output += text; });
  return { child, ended, lines: () => output.split('\n').slice(0, -1) };
}

const appender = (prefix: string, bytes: number, times?: number) =>
  run(process.execPath, [fixture('append-loop.mjs'), compiled.folder, at.folder, prefix, String(bytes), ...(times ? [String(times)] : [])]);

const ids = async (): Promise<string[]> => (await at.parse() as BatchRecord[]).map(({ batch }) => batch.id);

describe('killed while it appends, twenty times,', { retry: 0 }, () => {
  it('the log keeps every record that it acknowledged, once, in a file that is whole', async () => {
    const acknowledged: string[] = [];
    for (let round = 0; round < 20; round += 1) {
      const { child, ended, lines } = appender(`round${round}`, PICTURE);
      await once(child.stdout, 'data');
      await delay(Math.random() * 40);
      child.kill('SIGKILL');
      await ended;
      acknowledged.push(...lines());
    }
    await (await at.open()).close();
    const found = await ids();
    expect(found).toHaveLength(new Set(found).size);
    expect(found).toEqual(expect.arrayContaining(acknowledged));
    // Of each round at most the one record that was not acknowledged yet.
    expect(found.length - acknowledged.length).toBeLessThanOrEqual(20);
  });
});

describe('two processes that append to one file', () => {
  it('both get all their records into it', async () => {
    const [a, b] = [appender('a', 1_000, 40), appender('b', 1_000, 40)];
    await Promise.all([a.ended, b.ended]);
    expect((await ids()).sort()).toEqual([...a.lines(), ...b.lines()].sort());
    expect(await ids()).toHaveLength(80);
  });
});

describe('a program that reads the file with Python while records are appended', () => {
  it('sees valid JSON, at worst at its second try', async () => {
    const log = await at.open();
    const reader = run('/usr/bin/python3', [fixture('read-loop.py'), at.files.predictions]);
    for (let count = 0; count < 60; count += 1) await log.append([sampleRecord(`r${count}`, { picture: 'x'.repeat(30_000) })], never);
    await delay(300);
    reader.child.stdin.end();
    await reader.ended;
    const seen = JSON.parse(reader.lines()[0] ?? '') as Record<string, number>;
    expect(seen).toMatchObject({ failures: 0, longest: 60 });
    expect(seen['reads']).toBeGreaterThan(5);
    await log.close();
  });
});

describe('a limit on the size of files', () => {
  const limited = (...more: string[]) =>
    run('bash', ['-c', 'ulimit -f 1024; exec "$0" "$@"', process.execPath, fixture('append-loop.mjs'), compiled.folder, at.folder, 'r', String(PICTURE), ...more]);

  it('that kills in the middle of a write, leaves a file that is repaired', async () => {
    const { ended, lines } = limited();
    await ended;
    expect(lines()).toEqual(['r-0', 'r-1', 'r-2']);
    await expect(at.parse()).rejects.toThrow(SyntaxError);
    await (await at.open()).close();
    expect(await ids()).toEqual(['r-0', 'r-1', 'r-2']);
    expect(await at.named('predictions.damaged-')).toHaveLength(1);
  });

  it('that refuses the rest of a write, as a full disk does, fails the append and leaves the file as it was', async () => {
    const { ended, lines } = limited('99', 'survive');
    await ended;
    expect(lines().slice(0, 3)).toEqual(['r-0', 'r-1', 'r-2']);
    expect(lines()[3]).toMatch(/^log_failed: .*EFBIG/);
    expect(await ids()).toEqual(['r-0', 'r-1', 'r-2']);
    await (await at.open()).close();
    expect(at.warnings).toEqual([]);
    expect(await readdir(at.folder)).toEqual(['predictions.json', 'records.idx']);
  });

  it('that refuses a copy of a damaged end, leaves none of it', async () => {
    await (await at.open()).close();
    await writeFile(at.files.predictions, `[\n${JSON.stringify(sampleRecord('a'))},\n{"basic":"${'x'.repeat(1_100_000)}`);
    const { ended, lines } = limited('1', 'survive');
    await ended;
    expect(lines()).toEqual([expect.stringMatching(/^log_failed: .*EFBIG/)]);
    expect(await readdir(at.folder)).toEqual(['predictions.json', 'records.idx']);
  });
});
