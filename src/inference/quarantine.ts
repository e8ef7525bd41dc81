/** Cameras whose frames ended a runner, alone in their call: after two such ends a camera is asked only now and then, until it is answered. Passive. */

export interface Quarantine {
  /** No camera is suspected of anything. */
  readonly empty: boolean;
  /** A frame of the camera, alone in its call, ended the runner. */
  ended(camera: string, now: number): void;
  answered(camera: string): void;
  /** Whether the camera's frames may be asked about now: like others, by themselves, or not. */
  verdict(camera: string, now: number): 'free' | 'alone' | 'not now';
  /** One of its frames is asked about: the others wait for what becomes of it. */
  trying(camera: string): void;
  /** Nothing became of it. */
  untried(camera: string): void;
}

/** Ends after which a camera is asked alone. */
const ENDS = 2;
const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 3_600_000;

interface Suspect {
  ends: number;
  /** When it may be tried again. */
  until: number;
  trying: boolean;
}

export function createQuarantine(): Quarantine {
  const suspects = new Map<string, Suspect>();
  return {
    get empty() {
      return suspects.size === 0;
    },
    ended(camera, now) {
      const ends = (suspects.get(camera)?.ends ?? 0) + 1;
      const pauseMs = ends < ENDS ? 0 : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(ends - ENDS, 30));
      suspects.set(camera, { ends, until: now + pauseMs, trying: false });
    },
    answered(camera) {
      suspects.delete(camera);
    },
    verdict(camera, now) {
      const own = suspects.get(camera);
      if (!own || own.ends < ENDS) return 'free';
      return own.trying || now < own.until ? 'not now' : 'alone';
    },
    trying(camera) {
      const own = suspects.get(camera);
      if (own) own.trying = true;
    },
    untried(camera) {
      const own = suspects.get(camera);
      if (own) own.trying = false;
    },
  };
}
