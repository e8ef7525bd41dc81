/** What a failure means: that an item cannot be had there, or that the database is away; and in words what to do. */
import { DatabaseError } from 'pg';
import { LookoutError } from '../../errors.ts';
import { shorten } from '../../lib/shorten.ts';

/**
 * By SQLSTATE: values (22), constraints (23, 44), what goes beyond the database's limits (54), and what somebody's own
 * trigger says (P0001). Node cannot write as JSON what is nested too deeply.
 */
export function isOfItems(error: unknown): boolean {
  return error instanceof RangeError || /^(22|23|44|54|P0001)/.test(stateOf(error));
}

/** Of what is told of a database's words. */
export const LONGEST = 500;

/** Takes secrets out of what a database says. */
type Hide = (text: string) => string;

/** Why the database refuses an item, in its words. */
export function refusal(error: unknown, hide: Hide): string {
  if (error instanceof RangeError) return `it cannot be written as JSON: ${error.message}`;
  return shorten(hide(`${messageOf(error)} (${stateOf(error)})`), LONGEST);
}

/** `place`: without secrets. */
export function away(error: unknown, place: string, hide: Hide): LookoutError {
  if (error instanceof LookoutError) return error;
  const advice = adviceOn(error);
  const state = stateOf(error);
  const said = shorten(hide(`${messageOf(error)}${state === '' ? '' : ` (${state})`}`), LONGEST);
  return new LookoutError('target_away', `PostgreSQL at ${place}: ${said}${advice === '' ? '' : `; ${advice}`}`, { cause: error });
}

/** Empty where the server did not say it. */
export function stateOf(error: unknown): string {
  return error instanceof DatabaseError ? error.code ?? '' : '';
}

/** The first that fits. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/^28/, 'see user and password in url, and whom pg_hba.conf lets in there'],
  [/^3D000/, 'make it, e.g. with createdb'],
  [/^42501/, 'the user needs CREATE in the database until its schema is made, and the tables in it must be its own'],
  [/^25006/, 'it is a standby, or was made read-only'],
  [/^(42|3F)/, 'if tables were changed by hand, change them back, or drop the schema and rewind the follower: then it is made and filled anew'],
  [/^53100/, 'make room on its disk'],
  [/^53300/, 'raise max_connections there, or close other connections'],
  [/^57014/, 'it was waiting for a lock, or is slow: see pg_locks there, or raise timeout_seconds'],
];

/** Those of Node and of the package pg. */
const ADVICE_ON_WORDS: readonly (readonly [RegExp, string])[] = [
  [/does not support SSL/, 'tls: off goes there without'],
  [/password must be a/, 'the server asks for one, and url has none'],
  [/certificate|self.signed|altnames/i, 'name whoever signed it by ca, or, if the way there is safe, set tls: any'],
];

function adviceOn(error: unknown): string {
  const state = stateOf(error);
  const [, advice = ''] = (state === ''
    ? ADVICE_ON_WORDS.find(([pattern]) => pattern.test(messageOf(error)))
    : ADVICE.find(([pattern]) => pattern.test(state))) ?? [];
  return advice;
}

/** Of a name with several addresses, none of which answers, Node has but a list. */
function messageOf(error: unknown): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return first instanceof Error ? first.message : String(first);
}
