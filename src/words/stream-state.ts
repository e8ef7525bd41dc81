/** What the state of a stream means for those who want something of it. */
import type { StreamOptions, StreamStatus } from '../types.ts';

/** It captures, or does as soon as somebody asks: it can be watched, and stopped. */
export function isOn({ capturing, state }: Pick<StreamStatus, 'capturing' | 'state'>): boolean {
  return capturing || state === 'asleep';
}

/** Its camera gives nothing now, and its reason says why. */
export function isAway({ state }: Pick<StreamStatus, 'state'>): boolean {
  return state === 'failed' || state === 'reconnecting';
}

/** Of a stream whose pictures come, a new one is missed after so long: its newest is an old one. */
export function lateAfterSeconds({ interval_seconds: seconds }: Pick<StreamOptions, 'interval_seconds'>): number {
  return Math.max(3 * seconds, seconds + 15);
}
