/** Places for what takes long: an answer that goes on and on holds a connection and memory. */
import { LookoutError } from '../errors.ts';

export interface Seats {
  /** Answers how it is given back. Throws `too_many_at_once`. */
  take(cameraId: string): () => void;
}

export function createSeats(mostOfACamera: number, mostInAll: number): Seats {
  const taken = new Map<string, number>();
  let all = 0;
  return {
    take(cameraId) {
      const own = taken.get(cameraId) ?? 0;
      if (own >= mostOfACamera) throw new LookoutError('too_many_at_once', `${own} of these go on for camera "${cameraId}", and no more may at a time.`);
      if (all >= mostInAll) throw new LookoutError('too_many_at_once', `${all} of these go on here, and no more may at a time.`);
      taken.set(cameraId, own + 1);
      all += 1;
      return () => {
        all -= 1;
        const left = (taken.get(cameraId) ?? 1) - 1;
        if (left > 0) taken.set(cameraId, left);
        else taken.delete(cameraId);
      };
    },
  };
}
