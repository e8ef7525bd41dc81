/** Chooses the frame that the record shows, and reads its picture, scaled where that is asked for. */
import { errorInfo } from '../../errors.ts';
import { createScaler } from '../../lib/scaler.ts';
import { chooseSnapshot } from '../../record/enrich.ts';
import type { SettingSchema, Stage } from '../../types.ts';
import type { StageContext } from '../stages.ts';

export const summary = 'the picture that a record shows';
export const order = 10;

export interface SnapshotSettings {
  readonly snapshot: 'first' | 'best' | 'none';
  /** Pixels; null: as captured. */
  readonly snapshot_max_width: number | null;
}

export const settings = {
  snapshot: {
    description: 'The frame shown in a record: the first, that of the surest detection, or none.',
    type: 'string', enum: ['first', 'best', 'none'], default: 'first',
  },
  snapshot_max_width: {
    description: 'Snapshots are scaled down to this many pixels; null: as captured.',
    type: ['integer', 'null'], minimum: 16, maximum: 16_384, default: null,
  },
} as const satisfies Record<keyof SnapshotSettings, SettingSchema>;

/** null: records show none. */
export function create({ config, signal: ended, log }: StageContext<SnapshotSettings>): Stage | null {
  if (config.snapshot === 'none') return null;
  const most = config.snapshot_max_width ?? Infinity;
  const scaleJpeg = createScaler(ended);
  return async (work, signal) => {
    const { batch, answers, pictures } = work;
    const index = chooseSnapshot(batch, answers, config.snapshot);
    const frame = index === null ? undefined : batch.frames[index];
    if (index === null || frame === undefined) return work;
    const jpeg = await pictures.read(index);
    if (jpeg === null) return { ...work, damaged: [...work.damaged, index] };
    const { width, height } = frame;
    const whole = { ...work, snapshot: { index, width, height, jpeg } };
    if (width <= most) return whole;
    const scaled = { width: most, height: Math.round((height * most) / width) };
    try {
      return { ...work, snapshot: { index, ...scaled, jpeg: await scaleJpeg(jpeg, scaled) } };
    } catch (error) {
      signal.throwIfAborted();
      log.repeated('warn', 'its picture is shown as it was captured, because it could not be scaled', batch.camera_id, { reason: errorInfo(error).message });
      return whole;
    }
  };
}
