/** Chooses the frame that the record shows, and reads its picture, scaled where that is asked for. */
import { errorInfo } from '../../errors.ts';
import { scaleJpeg } from '../../lib/ffmpeg.ts';
import { chooseSnapshot } from '../../record/enrich.ts';
import type { Stage } from '../../types.ts';
import type { StageContext } from '../stages.ts';

export const summary = 'the picture that a record shows';
export const order = 10;

/** null: records show none. */
export function create({ config, path, log }: StageContext): Stage | null {
  if (config.snapshot === 'none') return null;
  const most = config.snapshot_max_width ?? Infinity;
  return async (work) => {
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
      return { ...work, snapshot: { index, ...scaled, jpeg: await scaleJpeg(path(frame.key), scaled) } };
    } catch (error) {
      log.warn(`${batch.id}: its picture is shown as it was captured, because it could not be scaled`, { reason: errorInfo(error).message });
      return whole;
    }
  };
}
