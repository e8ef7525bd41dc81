/** A time that a client asks by. */
import { LookoutError } from '../errors.ts';
import { isTime } from '../words/time.ts';

/** Throws `bad_request`. */
export function expectTime(name: string, text: string | undefined): void {
  if (text === undefined || isTime(text)) return;
  throw new LookoutError('bad_request', `${name} must be a time such as 2026-01-31T12:00:00Z (a + of an offset is written %2B).`);
}
