/** Cameras and rules that somebody wants to hear nothing of for a while. */

import type { Silence } from '../types.ts';

export interface Silences {
  /** One that was asked for before is replaced; one that is over at once ends it. */
  add(silence: Silence): void;
  /** A clock that was set back ends it: nobody meant it to last longer. */
  isOn(camera_id: string, rule: string, now: number): boolean;
  list(now: number): readonly Silence[];
  restore(state: readonly Silence[]): void;
}

const MOST = 10_000;
/** Clocks are set by less all the time. */
const SLACK_MS = 60_000;

export function createSilences(): Silences {
  let silences: readonly Silence[] = [];
  const isNow = ({ from, until }: Silence, now: number): boolean => now < until && now >= from - SLACK_MS;
  return {
    add(silence) {
      const others = silences.filter((one) => isNow(one, silence.from) && (one.camera_id !== silence.camera_id || one.rule !== silence.rule));
      silences = [...others, silence].slice(-MOST);
    },
    isOn: (camera_id, rule, now) => silences.some((one) => one.camera_id === camera_id && (one.rule === null || one.rule === rule) && isNow(one, now)),
    list: (now) => silences.filter((one) => isNow(one, now)),
    restore(state) {
      silences = state;
    },
  };
}
