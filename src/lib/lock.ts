/**
 * A lock between processes, on proper-lockfile, that a dead owner does not keep: it is taken over at once.
 *
 * proper-lockfile holds a lock as the folder `<path>.lock` and keeps its time fresh; alone, it would wait ten seconds
 * after an owner was killed. Here lock-folder.ts takes and frees the folder, and proper-lockfile keeps its time, notices
 * when it is another's, and frees it when the process ends. Programs that use proper-lockfile as it comes are respected.
 *
 * An owner that cannot be asked, because the machine was started anew or is another one, is waited for until it has
 * given no sign of life for a while.
 *
 * Within a process those who want the same lock stand in line, and leave it when their folder is free: the first one has
 * the lock, or tries for it against other processes.
 */
import { existsSync } from 'node:fs';
import { stat as statOf } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { lock } from 'proper-lockfile';
import { LookoutError } from '../errors.ts';
import { systemClock } from './clock.ts';
import { hasCode } from './files.ts';
import { createLines } from './line.ts';
import { free, freeSync, isOwners, isStrangers, ownersInWords, sweep, take } from './lock-folder.ts';
import { createSignOfLife } from './lock-sign.ts';
import { ownName } from './owner.ts';

export interface Lock {
  /** It is held until this is done, also by one that is compromised. */
  release(): Promise<void>;
  /** Somebody else holds it now, or its folder is gone: stop writing. */
  readonly compromised: boolean;
  /** Looks now, where the owner's signs of life would show it seconds later. Throws `locked` when somebody has taken it, `lock_lost` when it is lost otherwise. */
  expectHeld(): Promise<void>;
}

export interface LockOptions {
  readonly waitMs: number;
  /** Without a sign of life for this long, an owner that cannot be asked counts as gone. Owners give one every half of it, or every second. */
  readonly staleMs?: number;
  /** Told once, with the code that expectHeld throws from then on. */
  readonly onCompromised?: (reason: LookoutError) => void;
}

const STALE_MS = 10_000;
const POLL_MS = 20;

const standInLine = createLines();
const swept = new Set<string>();

/** Locks `path`, which need not exist, by a folder `<path>.lock` beside it. Throws `locked` after `waitMs`, or the system's error. */
export async function lockFolderOrFile(path: string, { waitMs, staleMs = STALE_MS, onCompromised }: LockOptions, signal: AbortSignal): Promise<Lock> {
  const target = resolve(path);
  const folder = `${target}.lock`;
  const name = ownName();
  const isSilent = createWatch(folder, staleMs);
  const { comesFirst, leave } = standInLine(folder);
  const began = performance.now();

  const tryFor = async (ms: number): Promise<Lock | null> => {
    const end = performance.now() + ms;
    const first = await comesFirst(ms, signal);
    for (;;) {
      signal.throwIfAborted();
      if (!first) return null;
      await sweepOnce(folder);
      const lock = (await take(folder, name, isSilent)) ? await keep(target, name, leave, staleMs, onCompromised) : null;
      if (lock || performance.now() >= end) return lock;
      await systemClock.sleep(POLL_MS, signal);
    }
  };

  try {
    let lock = await tryFor(waitMs);
    // However short the wait, it is long enough for a stranger who is silent to count as gone.
    while (!lock && performance.now() - began < 1.1 * staleMs && (await isStrangers(folder))) lock = await tryFor(POLL_MS);
    if (lock) return lock;
    throw new LookoutError('locked', `${path} is in use by ${await ownersInWords(folder)}; stop it, or use another folder`);
  } catch (error) {
    leave();
    throw error;
  }
}

/** Has proper-lockfile look after a folder that was just taken, until it is freed; null when it is gone already. */
async function keep(target: string, name: string, leave: () => void, stale: number, onCompromised: LockOptions['onCompromised']): Promise<Lock | null> {
  const folder = `${target}.lock`;
  let loss: LookoutError | null = null;
  let releasing: Promise<void> | null = null;

  const lose = (reason: Error): void => {
    if (loss) return;
    loss = lossOf(folder, name, reason);
    onCompromised?.(loss);
  };

  const sign = createSignOfLife(() => releasing !== null);

  const stop = await lock(target, {
    lockfilePath: folder,
    realpath: false,
    stale,
    onCompromised: lose,
    fs: {
      // Taken before and freed after.
      mkdir: (_folder: string, done: Done) => { done(null); },
      rmdir: (_folder: string, done: Done) => { done(null); },
      rmdirSync: () => { freeSync(folder, name); },
      ...sign.fs,
    },
  }).catch(async (error: unknown) => {
    await free(folder, name);
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  });
  if (!stop) return null;

  const release = async (): Promise<void> => {
    try {
      if (!loss) await stop();
      // From then on the folder may be the next owner's, whose time is not ours to set.
      await sign.settled();
      await free(folder, name);
    } finally {
      leave();
    }
  };
  return {
    release: () => (releasing ??= release()),
    get compromised() {
      return loss !== null;
    },
    async expectHeld() {
      if (!(await isOwners(folder, name))) lose(new Error('it is not this process\'s any more'));
      if (loss) throw loss;
    },
  };
}

function lossOf(folder: string, name: string, { message }: Error): LookoutError {
  if (!existsSync(folder)) return new LookoutError('lock_lost', `${folder} was removed while this process held it`);
  if (!existsSync(join(folder, name))) return new LookoutError('locked', `another process has taken ${folder}`);
  return new LookoutError('lock_lost', `${folder} could not be kept: ${message}`);
}

type Done = (error: null) => void;

/** Tells whether the folder has given no sign of life for so long. */
function createWatch(folder: string, staleMs: number): () => Promise<boolean> {
  let sign: { readonly mtimeMs: number; readonly seenAt: number } | null = null;
  return async () => {
    const times = await statOf(folder).catch(() => null);
    if (times === null) return false;
    const { mtimeMs } = times;
    if (sign?.mtimeMs !== mtimeMs) sign = { mtimeMs, seenAt: performance.now() };
    // By the clock on the wall at once, or in time by our own: after a power cut the first may be behind.
    return mtimeMs < Date.now() - staleMs || performance.now() - sign.seenAt > staleMs;
  };
}

/** Once per path and process. */
async function sweepOnce(folder: string): Promise<void> {
  if (swept.has(folder)) return;
  swept.add(folder);
  await sweep(folder);
}
