/** What the state of a stream means for those who want something of it. */
import type { StreamStatus } from '../types.ts';

/** It captures, or does as soon as somebody asks: it can be watched, and stopped. */
export function isOn({ capturing, state }: Pick<StreamStatus, 'capturing' | 'state'>): boolean {
  return capturing || state === 'asleep';
}
