/** Whether a rule alerts at a moment. A minute is worked out once, however many cameras ask. */
import { worksAt } from '../lib/schedule.ts';

const MINUTE_MS = 60_000;
const MOST = 1000;

/** `zone`: an IANA name; `system`: the host's. */
export function createHours(zone: string): (expression: string, ms: number) => boolean {
  const known = new Map<string, boolean>();
  return (expression, ms) => {
    const key = `${Math.floor(ms / MINUTE_MS)} ${expression}`;
    const works = known.get(key) ?? worksAt(expression, ms, zone === 'system' ? undefined : zone);
    if (known.size >= MOST) known.clear();
    known.set(key, works);
    return works;
  };
}
