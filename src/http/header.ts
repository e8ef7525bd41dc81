/** What a request says in a header. */
import type { IncomingMessage } from 'node:http';

/** `name` in small letters. Of one that came several times: all of them, a comma between. */
export function header({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}
