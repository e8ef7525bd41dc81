/** A time that a client asks by. */
import { LookoutError } from '../errors.ts';

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;

/** Throws `bad_request`. */
export function expectTime(name: string, text: string | undefined): void {
  if (text === undefined || (RFC_3339.test(text) && !Number.isNaN(Date.parse(text)))) return;
  throw new LookoutError('bad_request', `${name} must be a time such as 2026-01-31T12:00:00Z (a + of an offset is written %2B).`);
}
