/** What a doctor found, a line for each thing, and the exit code that it comes to. */
import { inOneLine } from '../lib/terminal.ts';
import { print } from './context.ts';

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** Without it Lookout does not work at all. */
  readonly needed: boolean;
  readonly found: string;
  /** What to do; for what is well: nothing. */
  readonly mend: string;
}

/** Below this it is time to make room. */
export const LOW_DISK_BYTES = 2_000_000_000;
export const MAKE_ROOM = 'make room: records, evidence and environments need it';

/** 1: something that is needed is not well. */
export function tellChecks(checks: readonly Check[], word: 'missing' | 'wrong'): number {
  for (const { name, ok, found, mend } of checks) print(inOneLine(`${(ok ? 'ok' : word).padEnd(7)} ${name.padEnd(14)} ${found}${ok ? '' : ` -> ${mend}`}`));
  return checks.some(({ ok, needed }) => needed && !ok) ? 1 : 0;
}
