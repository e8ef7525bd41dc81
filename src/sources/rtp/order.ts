/**
 * Whether a packet is the next one, by its number of 16 bits. A connection keeps their order, so one that is late was late
 * before it: it is let go, as lost as it was held to be, and nobody waits for it.
 */

/** One that is further back is not late: its sender counts anew (RFC 3550, A.1). */
const MOST_LATE = 100;

export interface Order {
  place(sequence: number): 'next' | 'after-loss' | 'late';
  /** For reports: the highest number, with its rounds of 2^16, and how many before it did not come. */
  readonly highest: number;
  readonly lost: number;
}

export function createOrder(): Order {
  let highest = -1;
  let lost = 0;
  /** What would be next if the last one that seemed late was the first of another count. */
  let other = -1;
  return {
    get highest() {
      return Math.max(0, highest);
    },
    get lost() {
      return lost;
    },
    place(sequence) {
      const missing = highest < 0 ? 0 : (sequence - highest - 1) & 0xffff;
      if (missing >= 0x8000) {
        const isAnew = sequence === other && missing < 0x10000 - MOST_LATE;
        other = (sequence + 1) & 0xffff;
        if (!isAnew) return 'late';
        highest = sequence;
        return 'after-loss';
      }
      highest = highest < 0 ? sequence : highest + missing + 1;
      lost += missing;
      return missing === 0 ? 'next' : 'after-loss';
    },
  };
}
