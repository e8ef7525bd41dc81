/** Pictures that are kept after their batch is recorded, under `data/evidence`, oldest removed first. */
import { readdir, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errorInfo } from '../errors.ts';
import { NOTHING, type Amount } from '../lib/amount.ts';
import { createByteBudget, type ByteBudget } from '../lib/byte-budget.ts';
import { hasCode, linkOrCopy, makeFolder, namesIn, removeIfPresent, sweepTemporaries } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';
import { createTurns } from '../lib/turns.ts';
import type { Batch, Config } from '../types.ts';
import type { Expendable } from './janitor.ts';
import { isSessionFolder } from './names.ts';
import type { Spool } from './spool.ts';

export interface Evidence {
  /** The frames of the batch at these places. Never throws: evidence is worth less than the record. */
  keep(batch: Batch, wanted: (index: number) => boolean): Promise<void>;
  /** What the janitor may let go. */
  readonly kept: Expendable;
}

/** Where a frame is, if it was kept. null: no key that Lookout gives; records are read that anybody may have written. */
export function evidenceFile(data_dir: string, key: string): string | null {
  const [session = '', file = '', ...more] = key.split('/');
  const isName = (part: string): boolean => part !== '' && part !== '.' && part !== '..' && !/[\\\0]/.test(part);
  return isName(session) && isName(file) && file.endsWith('.jpg') && more.length === 0 ? join(data_dir, FOLDER, session, file) : null;
}

const FOLDER = 'evidence';

/** Pictures of earlier runs are counted meanwhile: there may be hundreds of thousands. */
export function openEvidence(
  config: Pick<Config, 'data_dir'> & { readonly evidence_max_bytes: number }, spool: Pick<Spool, 'path'>, log: Log,
): Evidence {
  const folder = join(config.data_dir, FOLDER);
  // A session's folder goes with its last picture: not while another one is put into it.
  const takeTurn = createTurns();
  let budget: ByteBudget | null = null;
  let counting: Promise<void> | null = null;
  /** Kept since the count began, which may or may not have met them. */
  let uncounted: string[] = [];
  let troubled = false;

  async function* existing(): AsyncGenerator<string, void, void> {
    for (const session of await foldersIn(folder)) {
      const files = await takeTurn(async () => {
        await sweepTemporaries(session);
        const found = await namesIn(session);
        if (found.length === 0) await removeIfEmpty(session);
        return found;
      }).catch((error: unknown) => {
        // Somebody else's, such as lost+found, or where the disk fails.
        if (hasCode(error, 'EACCES', 'EPERM', 'EIO')) return [];
        throw error;
      });
      for (const file of files.filter((name) => name.endsWith('.jpg'))) yield join(session, file);
    }
  }

  /** Where it failed it may go now. */
  function count(): Promise<void> {
    if (budget) return Promise.resolve();
    counting ??= countAll().catch(report).finally(() => { counting = null; });
    return counting;
  }

  async function countAll(): Promise<void> {
    // What was kept before is there to be counted.
    uncounted = [];
    const made = await createByteBudget({ maxBytes: config.evidence_max_bytes, existing: existing(), remove: drop });
    await takeTurn(async () => {
      budget = made;
      // They are the newest, wherever the count has met them.
      for (const path of uncounted) made.forget(path);
      for (const path of uncounted) await made.add(path);
      uncounted = [];
    });
    troubled = false;
  }

  async function drop(file: string): Promise<void> {
    await removeIfPresent(file);
    await removeIfEmpty(dirname(file));
  }

  async function copy(batch: Batch, wanted: (index: number) => boolean): Promise<void> {
    for (const [index, { key }] of batch.frames.entries()) {
      if (!wanted(index)) continue;
      const target = join(folder, batch.session, basename(key));
      // Most often the folder is there: to ask first would be a third of the work.
      if (!(await linked(spool.path(key), target))) {
        await makeFolder(dirname(target));
        // Removed by hand meanwhile: there is nothing left to keep.
        if (!(await linked(spool.path(key), target))) continue;
      }
      if (budget) await budget.add(target);
      else uncounted.push(target);
    }
  }

  function report(error: unknown): void {
    if (!troubled) log.error(`pictures cannot be kept in ${folder}; records go on without`, { reason: errorInfo(error).message });
    troubled = true;
  }

  void count();
  return {
    async keep(batch, wanted) {
      try {
        await takeTurn(() => copy(batch, wanted));
        if (budget) troubled = false;
      } catch (error) {
        report(error);
      }
      void count();
    },
    kept: {
      folder,
      held: () => budget?.held() ?? 0,
      async letGo(wanted) {
        await count();
        return takeTurn(async (): Promise<Amount> => await budget?.letGo(wanted) ?? NOTHING);
      },
    },
  };
}

/** Of sessions: other things that lie there are not ours. */
async function foldersIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory() && isSessionFolder(entry.name)).map(({ name }) => join(folder, name));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}

async function removeIfEmpty(folder: string): Promise<void> {
  await rmdir(folder).catch((error: unknown) => {
    if (!hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error;
  });
}

/** False: the picture is not there, or the folder is not. */
async function linked(picture: string, target: string): Promise<boolean> {
  try {
    await linkOrCopy(picture, target);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}
