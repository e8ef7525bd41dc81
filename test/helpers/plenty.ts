/** A disk on which there always is room. */
import type { Room } from '../../src/store/janitor.ts';

export const plenty: Room = { trouble: null, silence: null, read: (work) => work(), failed: () => Promise.resolve(false), wait: () => Promise.resolve() };
