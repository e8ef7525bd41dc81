/** Pictures that are kept after their batch is recorded, under `data/evidence`, oldest removed first. */
import { mkdir, readdir, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errorInfo } from '../errors.ts';
import { createByteBudget, type ByteBudget } from '../lib/byte-budget.ts';
import { hasCode, linkOrCopy, namesIn, removeIfPresent, sweepTemporaries } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';
import { createTurns } from '../lib/turns.ts';
import type { Batch, Config } from '../types.ts';
import type { Spool } from './spool.ts';

export interface Evidence {
  /** The frames of the batch at these places. Never throws: evidence is worth less than the record. */
  keep(batch: Batch, wanted: (index: number) => boolean): Promise<void>;
}

export async function openEvidence(
  config: Pick<Config, 'data_dir'> & { readonly evidence_max_bytes: number }, spool: Pick<Spool, 'path'>, log: Log,
): Promise<Evidence> {
  const folder = join(config.data_dir, 'evidence');
  // A session's folder goes with its last picture: not while another one is put into it.
  const takeTurn = createTurns();
  let budget: ByteBudget | null = null;
  let troubled = false;

  async function open(): Promise<ByteBudget> {
    const existing: string[] = [];
    for (const session of await foldersIn(folder)) {
      await sweepTemporaries(session);
      const files = await namesIn(session);
      if (files.length === 0) await removeIfEmpty(session);
      existing.push(...files.map((file) => join(session, file)));
    }
    return createByteBudget({ maxBytes: config.evidence_max_bytes, existing, remove: drop });
  }

  async function drop(file: string): Promise<void> {
    await removeIfPresent(file);
    await removeIfEmpty(dirname(file));
  }

  async function copy(batch: Batch, wanted: (index: number) => boolean): Promise<void> {
    budget ??= await open();
    for (const [index, { key }] of batch.frames.entries()) {
      if (!wanted(index)) continue;
      const target = join(folder, batch.session, basename(key));
      await mkdir(dirname(target), { recursive: true });
      await linkOrCopy(spool.path(key), target).catch((error: unknown) => {
        // Removed by hand meanwhile: there is nothing left to keep.
        if (!hasCode(error, 'ENOENT')) throw error;
      });
      await budget.add(target);
    }
  }

  async function attempt(work: () => Promise<void>): Promise<void> {
    try {
      await takeTurn(work);
      troubled = false;
    } catch (error) {
      if (!troubled) log.error(`pictures cannot be kept in ${folder}; records go on without`, { reason: errorInfo(error).message });
      troubled = true;
    }
  }

  await attempt(async () => { budget = await open(); });
  return {
    keep: (batch, wanted) => attempt(() => copy(batch, wanted)),
  };
}

/** Other things that lie there are not ours. */
async function foldersIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
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
