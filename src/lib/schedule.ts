/** Hours: a cron expression names minutes, such as those in which a stream works. */
import cron from 'node-cron';

const MINUTE_MS = 60_000;

/** Whether the minute of `nowMs` (since 1970) is one of the expression's, in the given IANA zone. Throws on a bad expression. */
export function worksAt(expression: string, nowMs: number, timeZone: string | undefined): boolean {
  const task = cron.createTask(expression, () => undefined, timeZone ? { timezone: timeZone } : {});
  try {
    return task.match(new Date(Math.floor(nowMs / MINUTE_MS) * MINUTE_MS));
  } finally {
    void task.destroy();
  }
}
