/** The known word that was probably meant by a mistyped one. */

/** null when none is near: more than a third of the word would have to change. */
export function suggest(word: string, known: readonly string[]): string | null {
  const ranked = known
    .map((candidate) => ({ candidate, most: Math.max(1, Math.floor(Math.max(word.length, candidate.length) / 3)) }))
    // Of a word that is so much longer or shorter no distance has to be worked out.
    .filter(({ candidate, most }) => Math.abs(word.length - candidate.length) <= most)
    .map(({ candidate, most }) => ({ candidate, most, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ distance, most }) => distance <= most)
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.candidate ?? null;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one text into the other. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    const at = (line: readonly number[], column: number): number => line[column] ?? Infinity;
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current[column] = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
        swapped ? at(beforeLast, column - 2) + 1 : Infinity,
      );
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}
