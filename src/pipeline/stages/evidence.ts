/** Keeps pictures of recorded batches after they have left the spool. */
import { openEvidence } from '../../store/evidence.ts';
import type { Stage } from '../../types.ts';
import type { StageContext } from '../stages.ts';

export const summary = 'pictures that are kept after their batch is recorded';
export const order = 30;

/** null: none are kept. */
export async function create({ config, path, log }: StageContext): Promise<Stage | null> {
  const { keep_frames } = config;
  if (keep_frames === 'none') return null;
  const evidence = await openEvidence(config, { path }, log);
  return async (work) => {
    const { batch, answers, record } = work;
    const found = (index: number): boolean => Object.values(answers).some((looks) => {
      const look = looks[index];
      return look !== undefined && 'detections' in look && look.detections.length > 0;
    });
    if (record) await evidence.keep(batch, (index) => keep_frames === 'all' || found(index));
    return work;
  };
}
