/** What tests of promises measured, for the table in docs/reliability.md that `npm run soak` makes. */
import { appendFileSync } from 'node:fs';

/** The whole measurement is wanted, which takes minutes, instead of the short one that shows whether anything is broken. */
export const inFull = process.env['LOOKOUT_FIGURES'] !== undefined;

/** `promise`: the row's key in the table; `figure`: in words, e.g. `1.8 s`. */
export function tellFigure(promise: string, figure: string): void {
  const file = process.env['LOOKOUT_FIGURES'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ promise, figure })}\n`);
}
