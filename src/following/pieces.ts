/** What was read of a log in pieces as a follower is brought them. */
import type { Item, LogPlace, Stretch } from '../types.ts';

interface Piece {
  readonly items: readonly Item[];
  /** Behind them. */
  readonly place: LogPlace;
}

/** Those items that are wanted, so many together at the most; the last piece, which may be empty, ends behind all. */
export function* piecesOf({ items, places, place }: Stretch, isWanted: (item: Item) => boolean, most: number): Generator<Piece, void, void> {
  let piece: Item[] = [];
  for (const [at, item] of items.entries()) {
    if (isWanted(item)) piece.push(item);
    if (piece.length < most) continue;
    yield { items: piece, place: places[at] ?? place };
    piece = [];
  }
  yield { items: piece, place };
}
