/** What was read of a log in pieces as a follower is brought them. */
import type { Item, LogPlace, Stretch } from '../types.ts';

export interface Piece {
  readonly items: readonly Item[];
  /** Behind them. */
  readonly place: LogPlace;
  /** So many that cannot be read stand before them. */
  readonly unreadable: number;
}

/** Those items that are wanted, so many together at the most; the last piece, which may be empty, ends behind all. */
export function* piecesOf({ items, places, place, unreadable }: Stretch, isWanted: (item: Item) => boolean, most: number): Generator<Piece, void, void> {
  let piece: Item[] = [];
  let before = unreadable;
  for (const [at, item] of items.entries()) {
    if (isWanted(item)) piece.push(item);
    if (piece.length < most) continue;
    yield { items: piece, place: places[at] ?? place, unreadable: before };
    [piece, before] = [[], 0];
  }
  yield { items: piece, place, unreadable: before };
}
