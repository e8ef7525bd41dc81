/** The address of a webhook: where it is, and its login, which belongs into one header only. */
import { decoded } from '../../lib/secrets.ts';

export interface Address {
  /** Without login and fragment. */
  readonly url: URL;
  /** All of it that may be shown. */
  readonly origin: string;
  /** Of the header Authorization; null: it has no login. */
  readonly authorization: string | null;
}

/** Of an address without a fault. */
export function readAddress(text: string): Address {
  const url = new URL(text);
  const login = `${decoded(url.username)}:${decoded(url.password)}`;
  url.username = '';
  url.password = '';
  url.hash = '';
  return { url, origin: url.origin, authorization: login === ':' ? null : `Basic ${Buffer.from(login).toString('base64')}` };
}

/** Not with the address itself, which may be the secret. */
export function addressFault(text: string): string | null {
  const isOne = URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
  return isOne ? null : 'url must be an address such as https://example.com/hook; a /, ?, # or @ in a password is written %2F, %3F, %23 or %40';
}
