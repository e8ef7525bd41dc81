/** Pictures that are kept after their batch is recorded, under `data/evidence`, oldest removed first. */
import { mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { createByteBudget } from '../lib/byte-budget.ts';
import { hasCode, linkOrCopy, namesIn, removeIfPresent, sweepTemporaries } from '../lib/files.ts';
import type { Batch, Config, LaneAnswer } from '../types.ts';
import type { Spool } from './spool.ts';

export interface Evidence {
  keep(batch: Batch, answers: Readonly<Record<string, LaneAnswer>>): Promise<void>;
}

export async function openEvidence(
  config: Pick<Config, 'data_dir' | 'keep_frames' | 'evidence_max_bytes'>, spool: Pick<Spool, 'path'>,
): Promise<Evidence> {
  const folder = join(config.data_dir, 'evidence');
  const existing: string[] = [];
  for (const session of await namesIn(folder)) {
    await sweepTemporaries(join(folder, session));
    existing.push(...(await namesIn(join(folder, session))).map((file) => join(folder, session, file)));
  }
  const budget = await createByteBudget({ maxBytes: config.evidence_max_bytes, existing, remove: removeIfPresent });

  return {
    async keep(batch, answers) {
      if (config.keep_frames === 'none') return;
      const found = config.keep_frames === 'found' ? framesWithFindings(answers) : null;
      for (const [index, { key }] of batch.frames.entries()) {
        if (found && !found.has(index)) continue;
        const target = join(folder, batch.session, basename(key));
        await mkdir(dirname(target), { recursive: true });
        await linkOrCopy(spool.path(key), target).catch((error: unknown) => {
          // Removed by hand meanwhile: there is nothing left to keep.
          if (!hasCode(error, 'ENOENT')) throw error;
        });
        await budget.add(target);
      }
    },
  };
}

function framesWithFindings(answers: Readonly<Record<string, LaneAnswer>>): ReadonlySet<number> {
  const predictions = Object.values(answers).flatMap((answer) => ('predictions' in answer ? answer.predictions : []));
  return new Set(predictions.filter((one) => 'detections' in one && one.detections.length > 0).map(({ index }) => index));
}
