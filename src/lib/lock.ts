/**
 * A lock between processes, on proper-lockfile, that a dead owner does not keep: it is taken over at once.
 *
 * proper-lockfile holds a lock as the folder `<path>.lock` and keeps its time fresh; alone, it would wait ten seconds
 * after an owner was killed. Here the folder comes and goes, by one rename each, with a file in it that names the owner
 * (owner.ts). Taking over is renaming the dead owner's file to one's own: no other owner has that name, so two who do it
 * at once cannot take the lock from each other. Programs that use proper-lockfile as it comes are respected.
 *
 * An owner that cannot be asked, because the machine was started anew or is another one, is waited for until it has
 * given no sign of life for a while.
 */
import { rmdirSync, stat, unlinkSync, utimes } from 'node:fs';
import { mkdir, readdir, rename, rm, rmdir, stat as statOf, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { callbackify } from 'node:util';
import { lock } from 'proper-lockfile';
import { LookoutError } from '../errors.ts';
import { systemClock } from './clock.ts';
import { hasCode } from './files.ts';
import { fateOf, isThisProcess, ownName, readOwner } from './owner.ts';

export interface Lock {
  release(): Promise<void>;
  /** Somebody else holds it now, or its folder is gone: stop writing. */
  readonly compromised: boolean;
}

export interface LockOptions {
  readonly waitMs: number;
  readonly onCompromised?: (reason: Error) => void;
}

/** Without a sign of life for this long, an owner that cannot be asked counts as gone. */
const STALE_MS = 10_000;
const STRANGER_MARGIN_MS = 1000;
const POLL_MS = 20;

/** Names under which this process holds locks; any other of its own is what a release left that failed. */
const heldHere = new Set<string>();

/** Locks `path`, which need not exist, by a folder `<path>.lock` beside it. Throws `locked` after `waitMs`, or the system's error. */
export async function lockFolderOrFile(path: string, options: LockOptions, signal: AbortSignal): Promise<Lock> {
  const target = resolve(path);
  const folder = `${target}.lock`;
  const judge = createJudge();
  const began = performance.now();
  await sweepOnce(folder);
  for (;;) {
    signal.throwIfAborted();
    const taken = await tryLock(target, folder, judge, options);
    if (taken) return taken;
    const patience = judge.metStranger ? Math.max(options.waitMs, STALE_MS + STRANGER_MARGIN_MS) : options.waitMs;
    if (performance.now() - began >= patience) {
      throw new LookoutError('locked', `${path} is in use by ${await ownersInWords(folder)}; stop it, or use another folder`);
    }
    await systemClock.sleep(POLL_MS, signal);
  }
}

async function tryLock(target: string, folder: string, judge: Judge, { onCompromised }: LockOptions): Promise<Lock | null> {
  const name = ownName();
  let compromised = false;
  heldHere.add(name);
  try {
    const release = await lock(target, {
      lockfilePath: folder,
      realpath: false,
      stale: STALE_MS,
      fs: namedFolders(name, judge),
      onCompromised: (reason) => {
        compromised = true;
        heldHere.delete(name);
        onCompromised?.(reason);
      },
    });
    return {
      release: async () => {
        if (compromised) return;
        heldHere.delete(name);
        await release().catch((error: unknown) => {
          // Taken over or removed by hand a moment ago: it is not ours any more, which is what release is for.
          if (!hasCode(error, 'ENOTEMPTY', 'ENOENT')) throw error;
        });
      },
      get compromised() {
        return compromised;
      },
    };
  } catch (error) {
    heldHere.delete(name);
    // ENOTEMPTY: it looked stale to proper-lockfile, but has an owner who lives.
    if (hasCode(error, 'ELOCKED', 'EEXIST', 'ENOTEMPTY')) return null;
    throw error;
  }
}

/** The file system as proper-lockfile is to see it: the folders it makes are born with their owner's name inside. */
function namedFolders(name: string, judge: Judge): object {
  return {
    stat,
    utimes,
    mkdir: callbackify(async (folder: string) => {
      const owners = await names(folder);
      if (owners === null) await bear(folder, name);
      else if (!(await takeOver(folder, owners, name, judge))) throw held();
    }),
    rmdir: callbackify(async (folder: string) => {
      if (!(await names(folder))?.includes(name)) {
        await rmdir(folder);
        return;
      }
      await rename(folder, `${folder}.${name}`);
      await rm(`${folder}.${name}`, { recursive: true });
    }),
    rmdirSync: (folder: string) => {
      unlinkSync(join(folder, name));
      rmdirSync(folder);
    },
  };
}

/** Makes the folder with the name inside in one step. */
async function bear(folder: string, name: string): Promise<void> {
  const draft = `${folder}.${name}`;
  try {
    await mkdir(draft);
    await writeFile(join(draft, name), '');
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw hasCode(error, 'ENOTEMPTY', 'EEXIST') ? held() : error;
  }
}

async function takeOver(folder: string, owners: readonly string[], name: string, judge: Judge): Promise<boolean> {
  for (const owner of owners) {
    if (!(await judge.isGone(folder, owner))) continue;
    try {
      await rename(join(folder, owner), join(folder, name));
      return true;
    } catch (error) {
      // ENOENT: somebody else has just taken it over.
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  }
  return false;
}

/** What proper-lockfile takes for a folder that is there. */
function held(): Error {
  return Object.assign(new Error('the lock is held'), { code: 'EEXIST' });
}

interface Judge {
  isGone(folder: string, name: string): Promise<boolean>;
  /** It has seen an owner that cannot be asked. */
  readonly metStranger: boolean;
}

/** Of one who waits for a lock. */
function createJudge(): Judge {
  let sign: { readonly mtimeMs: number; readonly seenAt: number } | null = null;

  /** By the clock on the wall at once, or in time by our own: after a power cut the first may be behind. */
  async function isSilent(folder: string): Promise<boolean> {
    const times = await statOf(folder).catch(() => null);
    if (times === null) return false;
    const { mtimeMs } = times;
    if (sign?.mtimeMs !== mtimeMs) sign = { mtimeMs, seenAt: performance.now() };
    return mtimeMs < Date.now() - STALE_MS || performance.now() - sign.seenAt > STALE_MS;
  }

  return {
    async isGone(folder, name) {
      const owner = readOwner(name);
      const fate = owner ? fateOf(owner) : 'unknown';
      if (fate === 'unknown') return isSilent(folder);
      return fate === 'gone' || (owner !== null && isThisProcess(owner) && !heldHere.has(name));
    },
    get metStranger() {
      return sign !== null;
    },
  };
}

async function ownersInWords(folder: string): Promise<string> {
  const owners = ((await names(folder)) ?? []).map((name) => readOwner(name)?.pid ?? name);
  return owners.length === 0 ? 'another program' : `process ${owners.join(', ')}`;
}

async function names(folder: string): Promise<readonly string[] | null> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

const swept = new Set<string>();

/** Removes what processes left that were killed between making a folder and renaming it; once per path and process. */
async function sweepOnce(folder: string): Promise<void> {
  if (swept.has(folder)) return;
  swept.add(folder);
  const prefix = `${basename(folder)}.`;
  for (const draft of (await names(dirname(folder)) ?? []).filter((name) => name.startsWith(prefix))) {
    const owner = readOwner(draft.slice(prefix.length));
    if (owner && fateOf(owner) === 'gone') await rm(join(dirname(folder), draft), { recursive: true, force: true });
  }
}
