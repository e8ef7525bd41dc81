/** Which records a reader wants, asked of one of them, or of a summary of many that need not be looked at one by one. */
import type { RecordQuery } from '../types.ts';
import type { Facts } from './describe.ts';
import type { Summary } from './summary.ts';

export interface Wanted {
  readonly camera?: string | undefined;
  readonly model?: string | undefined;
  /** Captured then or later, in ms since 1970. */
  readonly since?: number | undefined;
}

export const EVERYTHING: Wanted = {};

export function wantedBy({ camera_id, model, since }: RecordQuery): Wanted {
  return { camera: camera_id, model, since: since === undefined ? undefined : Date.parse(since) };
}

export function isWanted({ camera, models, time }: Facts, wanted: Wanted): boolean {
  return (
    (wanted.camera === undefined || camera === wanted.camera) &&
    (wanted.model === undefined || models.includes(wanted.model)) &&
    (wanted.since === undefined || (time !== null && Date.parse(time) >= wanted.since))
  );
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
