/** Reads a form (multipart/form-data), as RFC 7578 and RFC 2046 have it: written by hand, so that it is not what made the form. */
import type { Hooked } from './hook.ts';

export interface FormFile {
  readonly name: string;
  readonly type: string;
  readonly bytes: Buffer;
}

export function isForm({ headers }: Hooked): boolean {
  return /^multipart\/form-data;/.test(headers['content-type'] ?? '');
}

/** By name, in order: a text, or a file. */
export function readForm({ headers, bytes }: Hooked): Readonly<Record<string, string | FormFile>> {
  const [, boundary = ''] = /; *boundary="?([^";]+)"?$/.exec(headers['content-type'] ?? '') ?? [];
  // Each byte is a character, and the other way round.
  const [before, ...parts] = `\r\n${bytes.toString('latin1')}`.split(`\r\n--${boundary}`);
  const end = parts.pop();
  if (boundary === '' || before !== '' || !/^--(?:\r\n)?$/.test(end ?? '')) throw new Error(`this is no form with the boundary "${boundary}"`);
  return Object.fromEntries(parts.map((part) => {
    const [head = '', ...rest] = part.split('\r\n\r\n');
    const content = Buffer.from(rest.join('\r\n\r\n'), 'latin1');
    const [, name = '', , file] = /^content-disposition: form-data; name="([^"]*)"(; filename="([^"]*)")?$/im.exec(head) ?? [];
    const [, type = ''] = /^content-type: *(.*?)$/im.exec(head) ?? [];
    return [name, file === undefined ? content.toString() : { name: file, type: type.trim(), bytes: content }];
  }));
}
