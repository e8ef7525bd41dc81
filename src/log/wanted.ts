/** Which records a reader wants, asked of one of them, or of a summary of many that need not be looked at one by one. */
import type { RecordQuery } from '../types.ts';
import type { Facts } from './describe.ts';
import type { Summary } from './summary.ts';

export interface Wanted {
  readonly id?: string | undefined;
  readonly camera?: string | undefined;
  readonly model?: string | undefined;
  /** Captured then or later, in ms since 1970. */
  readonly since?: number | undefined;
}

export const EVERYTHING: Wanted = {};

export function wantedBy({ id, camera_id, model, since }: Partial<RecordQuery>): Wanted {
  return { id, camera: camera_id, model, since: since === undefined ? timeOf(id) : Date.parse(since) };
}

export function isWanted({ id, camera, models, time }: Facts, wanted: Wanted): boolean {
  return (
    (wanted.id === undefined || id === wanted.id) &&
    (wanted.camera === undefined || camera === wanted.camera) &&
    (wanted.model === undefined || models.includes(wanted.model)) &&
    (wanted.since === undefined || (time !== null && Date.parse(time) >= wanted.since))
  );
}

/** The id of a batch ends in the time of its first frame: what stands before needs no looking at. */
function timeOf(id = ''): number | undefined {
  const [, ...parts] = /-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})000Z$/.exec(id) ?? [];
  const [year, month, day, hour, minute, second, ms] = parts.map(Number);
  return year === undefined || month === undefined ? undefined : Date.UTC(year, month - 1, day, hour, minute, second, ms);
}

/** False: none of its records is wanted. */
export function mayHold({ cameras, models, latest }: Summary, { camera, model, since }: Wanted): boolean {
  return (camera === undefined || cameras.includes(camera)) && (model === undefined || models.includes(model)) && reaches(latest, since);
}

/** True: none of its records is wanted, nor any that stands before them. */
export function isPast({ latest_so_far }: Summary, { since }: Wanted): boolean {
  return !reaches(latest_so_far, since);
}

function reaches(latest: number | null, since: number | undefined): boolean {
  return since === undefined || (latest !== null && latest >= since);
}
