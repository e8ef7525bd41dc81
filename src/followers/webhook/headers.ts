/** What may stand in headers: ids made safe for them, and the headers of lookout.yaml. */
import { createHash } from 'node:crypto';
import { readAddress } from './address.ts';

/** Servers take some thousand bytes of headers. */
const LONGEST_ID = 512;

/**
 * The id in ASCII and without full stops, which part it from the time in what is signed. What is escaped is so as in a URL,
 * so that two ids stay two.
 */
export function safeId(id: string): string {
  const escape = (odd: string): string => [...Buffer.from(odd)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
  const safe = id.replace(/[^A-Za-z0-9_~:/-]/gu, escape);
  return safe.length <= LONGEST_ID ? safe : `sha256-${createHash('sha256').update(id).digest('hex')}`;
}

/** Made anew for each request. */
const OWN = /^(?:host|connection|content-length|content-type|transfer-encoding|expect|upgrade|te|trailer|webhook-.*)$/i;

export function headersFault({ url, headers, content_type }: {
  readonly url: string; readonly headers: Readonly<Record<string, unknown>>; readonly content_type: string | null;
}): string | null {
  if (content_type !== null && !/^[\w.+-]+\/[\w.+-]+ *(?:;[ -~]*)?$/.test(content_type)) return 'content_type must be such as application/json';
  const names = Object.keys(headers);
  for (const name of names) {
    const value = headers[name];
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return 'headers must have names without blanks and colons, such as X-Api-Key';
    if (OWN.test(name)) return `headers may not have ${name}, which Lookout sets${/^content-type$/i.test(name) ? '; see content_type' : ''}`;
    if (typeof value !== 'string') return `headers: ${name} must be text; put it in quotes`;
    if (!/^[\t -~\u0080-\u00ff]*$/.test(value)) return `headers: ${name} may have neither line breaks nor other characters that no header carries`;
  }
  const twice = names.find((name, index) => names.findIndex((other) => other.toLowerCase() === name.toLowerCase()) < index);
  if (twice !== undefined) return `headers has ${twice} twice`;
  if (names.some((name) => /^authorization$/i.test(name)) && readAddress(url).authorization !== null) return 'url has a login, and headers an Authorization; only one can be sent';
  return null;
}
