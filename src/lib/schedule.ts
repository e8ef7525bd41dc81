/** Hours: a cron expression names minutes, such as those in which a stream works or a rule alerts. */
import cron from 'node-cron';

const MINUTE_MS = 60_000;
const MOST = 1000;

/**
 * Whether the minute of a time (since 1970) is one of the expression's, in the given IANA zone, or the host's (`system`). Throws
 * on a bad expression. A minute is worked out once, however many ask.
 */
export function createHours(zone: string): (expression: string, ms: number) => boolean {
  const known = new Map<string, boolean>();
  return (expression, ms) => {
    const minute = Math.floor(ms / MINUTE_MS);
    const key = `${minute} ${expression}`;
    const works = known.get(key) ?? worksAt(expression, minute * MINUTE_MS, zone === 'system' ? undefined : zone);
    if (known.size >= MOST) known.clear();
    known.set(key, works);
    return works;
  };
}

function worksAt(expression: string, ms: number, timeZone: string | undefined): boolean {
  const task = cron.createTask(expression, () => undefined, timeZone ? { timezone: timeZone } : {});
  try {
    return task.match(new Date(ms));
  } finally {
    void task.destroy();
  }
}
