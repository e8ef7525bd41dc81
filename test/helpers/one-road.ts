/** One batch's road through the real server, under strace: three stored pictures, one batch, the stream's end. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import type { App } from '../../src/app.ts';
import type { Balance, StreamStatus } from '../../src/types.ts';
import { startTestApp, until } from './app.ts';
import { expectBalance, readBooksByName, type BooksByName } from './books-by-name.ts';
import { watchFrames } from './frame-watcher.ts';
import { startServer, type ServerProcess } from './server-process.ts';
import { ONE_FILE_THREAD, traced, type Call } from './strace.ts';

/** One model that answers and one that does not: the batch is recorded, and copies of its frames become a dead letter. */
export const BOTH = ['seeing', 'refusing'];
/** Calls that change the disk. */
export const KINDS = ['rename', 'fsync', 'fdatasync', 'unlink', 'link', 'mkdir', 'rmdir', 'ftruncate'];
/** Settings without streams. */
const QUIET_FILE = 'quiet.yaml';
export const QUIET = ['--config', QUIET_FILE];
const SETTLE_MS = 60_000;

export interface Roads {
  /** Folder of 1.jpg, 2.jpg and 3.jpg. */
  readonly pictures: string;
  /** A fresh folder, with its settings. */
  prepare(models: readonly string[]): Promise<string>;
  remove(): Promise<void>;
}

export async function prepareRoads(): Promise<Roads> {
  const base = await mkdtemp(join(tmpdir(), 'lookout-road-'));
  const pictures = join(base, 'pictures');
  await mkdir(pictures);
  await promisify(execFile)('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=size=160x90:rate=1', '-frames:v', '3', join(pictures, '%d.jpg')]);
  const settings = { models_dir: fileURLToPath(new URL('../fixtures/crash', import.meta.url)), model_retries: 0, log_level: 'warn' };
  const options = { interval_seconds: 0.3, batch_size: 3, duration_seconds: 1.2 };
  let rounds = 0;
  return {
    pictures,
    async prepare(models) {
      rounds += 1;
      const folder = join(base, String(rounds));
      await mkdir(join(folder, 'data'), { recursive: true });
      // JSON is YAML too.
      await writeFile(join(folder, 'data', 'lookout.yaml'), JSON.stringify({ ...settings, streams: [{ camera_id: 'CAM', url: pathToFileURL(pictures).href, models, options }] }));
      await writeFile(join(folder, QUIET_FILE), JSON.stringify(settings));
      return folder;
    },
    remove: () => rm(base, { recursive: true, force: true }),
  };
}

/** How a server's run ended. */
export interface End {
  /** Its stream and its batch's road were over; else it was killed, or refused to start, before. */
  readonly isOver: boolean;
  /** With which it ended, killed or told to stop; null: killed. */
  readonly code: number | null;
}

/** One that nothing is done to. */
const WELL: End = { isOver: true, code: 0 };

/** Runs the server until it is killed (or refuses to start) or the batch's road and the stream are over; then checks. */
export async function runAndCheck(folder: string, under: readonly string[]): Promise<End> {
  const watcher = watchFrames(join(folder, 'frames'));
  try {
    const end = await runRoad(folder, under);
    await settleAndCheck(folder, watcher.frames);
    return end;
  } finally {
    watcher.close();
  }
}

/**
 * Takes up what a server left, without streams, until all is settled; looks for every frame by its name, and for what should be
 * gone. In this process: nothing is done to this one, and what it runs is the server's own code. `first` is done before all else.
 */
export async function settleAndCheck(folder: string, seen: ReadonlySet<string>, first?: (app: App) => Promise<void>): Promise<BooksByName> {
  const lookout = await startTestApp({ config: QUIET_FILE }, folder);
  let books: Balance;
  try {
    await first?.(lookout.app);
    await until(() => lookout.app.face.books().in_spool === 0, SETTLE_MS, () => lookout.log().slice(-4000));
    books = lookout.app.face.books();
  } finally {
    await lookout.close();
  }
  const byName = await readBooksByName(folder);
  expectBalance(byName, seen, books);
  expect(await readdir(join(folder, 'frames'))).toEqual([]);
  expect((await readdir(folder, { recursive: true })).filter((name) => /\.tmp$|\.lock/.test(name))).toEqual([]);
  return byName;
}

/** The calls that one batch's road makes, from its session's folder on to the end of the process. */
export async function callsOfRoad(folder: string): Promise<readonly Call[]> {
  const log = join(folder, 'calls');
  expect(await runAndCheck(folder, traced(KINDS, log))).toEqual(WELL);
  return callsIn(log, '/frames/CAM_');
}

/** What one batch's road brings to the disk for good, in order: the synced files and folders, below the folder, from its session's on. */
export async function syncsOfRoad(folder: string): Promise<readonly string[]> {
  const log = join(folder, 'calls');
  expect(await runAndCheck(folder, traced(['fsync', 'fdatasync'], log))).toEqual(WELL);
  const synced = [...(await readFile(log, 'utf8')).matchAll(/sync\(\d+<(.*)>/g)].map(([, path = '']) => relative(folder, path));
  return synced.slice(synced.findIndex((path) => /^frames\/CAM_[^/.]+\//.test(path)));
}

/** The calls in a log, from the first line on that holds these words. */
export async function callsIn(log: string, from: string): Promise<readonly Call[]> {
  const seen = new Map<string, number>();
  const calls: Call[] = [];
  for (const line of (await readFile(log, 'utf8')).split('\n')) {
    const kind = /^\d+ +(\w+)\(/.exec(line)?.[1];
    if (kind === undefined) continue;
    const n = (seen.get(kind) ?? 0) + 1;
    seen.set(kind, n);
    if (calls.length > 0 || line.includes(from)) calls.push({ kind, n });
  }
  return calls;
}

export async function runRoad(folder: string, under: readonly string[]): Promise<End> {
  const server = await startServer({ folder, under, env: ONE_FILE_THREAD }).catch(() => null);
  if (!server) return { isOver: false, code: null };
  const killed = server.ended.then(() => false);
  const over = until(() => isRoadOver(server), 40_000, () => `the road has no end: ${server.output()}`, 200).then(() => true);
  let isOver: boolean;
  try {
    isOver = await Promise.race([killed, over]);
  } finally {
    await server.stop();
  }
  return { isOver, code: await server.ended };
}

async function isRoadOver(server: ServerProcess): Promise<boolean> {
  try {
    const { streams, books } = await server.ask('/api/streams') as { streams: readonly StreamStatus[]; books: Balance };
    return streams[0]?.state === 'stopped' && streams[0].reason.endsWith('are over') && books.in_spool === 0;
  } catch {
    // Killed while it was asked.
    return false;
  }
}
