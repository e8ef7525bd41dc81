/** Keeps pictures of recorded batches after they have left the spool. */
import { openEvidence } from '../../store/evidence.ts';
import type { SettingSchema, Stage } from '../../types.ts';
import type { StageContext } from '../stages.ts';

export const summary = 'pictures that are kept after their batch is recorded';
export const order = 30;

export interface EvidenceSettings {
  readonly keep_frames: 'none' | 'found' | 'all';
  readonly evidence_max_bytes: number;
}

export const settings = {
  keep_frames: {
    description: 'Which batches\' pictures are kept in data/evidence.',
    type: 'string', enum: ['none', 'found', 'all'], default: 'found',
  },
  evidence_max_bytes: {
    description: 'Bytes of kept pictures; the oldest go first.',
    type: 'integer', minimum: 0, default: 1_000_000_000,
  },
} as const satisfies Record<keyof EvidenceSettings, SettingSchema>;

/** null: none are kept. */
export function create({ config, path, janitor, log }: StageContext<EvidenceSettings>): Stage | null {
  const { keep_frames } = config;
  const evidence = openEvidence(config, { path }, log);
  // Also what was kept before there was to be none.
  janitor.join('evidence', evidence.kept);
  if (keep_frames === 'none') return null;
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
