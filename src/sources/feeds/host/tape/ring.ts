/** The last seconds of a camera: whole groups of pictures, each from a key frame to the next. */
import type { Piece } from './piece.ts';
import { breakBetween } from './track.ts';

export interface Ring {
  /** How many seconds before the newest picture it is to reach; null: nothing is kept. */
  keep(seconds: number | null): void;
  add(piece: Piece): void;
  /** Of what is held, oldest first. */
  pieces(): readonly Piece[];
  readonly bytes: number;
  /** Lets the oldest group go. */
  shed(): void;
  /** Why it holds less than it should; null: it does not. */
  readonly reason: string | null;
}

/** Of one camera. */
const MOST_BYTES = 12 * 1024 * 1024;

interface Group {
  readonly pieces: Piece[];
  bytes: number;
}

/** `changed`: it has grown. */
export function createRing(changed: () => void): Ring {
  let wanted: number | null = null;
  let groups: Group[] = [];
  let bytes = 0;
  let reason: string | null = null;
  let last: Piece | null = null;

  function shed(): void {
    bytes -= groups.shift()?.bytes ?? 0;
  }

  function trim(newestSeconds: number): void {
    while (bytes > MOST_BYTES && groups.length > 0) {
      // The one that is still growing.
      if (groups.length === 1) reason = `what it sends from key frame to key frame takes more than ${MOST_BYTES / 1024 ** 2} MB`;
      shed();
    }
    // The second group must do for what is wanted.
    while (wanted !== null && groups[1]?.pieces[0] && groups[1].pieces[0].ptsSeconds <= newestSeconds - wanted) shed();
  }

  return {
    keep(seconds) {
      wanted = seconds;
      if (seconds === null) [groups, bytes] = [[], 0];
    },
    add(piece) {
      if (wanted === null) return;
      // What came before cannot stand in one file with it.
      if (last && breakBetween(last, piece) !== null) [groups, bytes] = [[], 0];
      last = piece;
      if (piece.key) {
        if (groups.length > 0) reason = null;
        groups.push({ pieces: [], bytes: 0 });
      }
      const group = groups.at(-1);
      if (!group) return;
      group.pieces.push(piece);
      group.bytes += piece.bytes.length;
      bytes += piece.bytes.length;
      trim(piece.ptsSeconds);
      changed();
    },
    pieces: () => groups.flatMap(({ pieces }) => pieces),
    get bytes() {
      return bytes;
    },
    shed() {
      shed();
      reason = 'the cameras of its capture host keep as much as they may';
    },
    get reason() {
      return reason;
    },
  };
}

/** All rings of a host together: the largest lets go first. */
export interface Rings {
  create(): Ring;
  drop(ring: Ring): void;
}

const MOST_BYTES_IN_ALL = 256 * 1024 * 1024;

export function createRings(most = MOST_BYTES_IN_ALL): Rings {
  const rings = new Set<Ring>();

  function trim(): void {
    let held = 0;
    for (const { bytes } of rings) held += bytes;
    while (held > most) {
      const largest = [...rings].reduce((one, other) => (other.bytes > one.bytes ? other : one));
      held -= largest.bytes;
      largest.shed();
      held += largest.bytes;
    }
  }

  return {
    create() {
      const ring = createRing(trim);
      rings.add(ring);
      return ring;
    },
    drop(ring) {
      rings.delete(ring);
    },
  };
}
