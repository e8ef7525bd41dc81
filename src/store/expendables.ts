/** What the janitor may let go of a folder whose files are counted by a budget. */
import type { ByteBudget } from '../lib/byte-budget.ts';
import type { TakeTurn } from '../lib/turns.ts';
import type { Expendable } from './janitor.ts';

/** Of the entries that are meant. `takeTurn`: where others change the folder too, it is let go in turn. */
export function createExpendables(folder: string, budget: ByteBudget, takeTurn: TakeTurn = (work) => work()): (which: (path: string) => boolean) => Expendable {
  return (which) => ({ folder, held: () => budget.held(which), letGo: (wanted) => takeTurn(() => budget.letGo(wanted, which)) });
}
