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

/** Where what has a picture is sent, with the login of `url`. */
export function pictureAddress(url: string, pictureUrl: string | null): URL {
  return new URL(pictureUrl ?? '', readAddress(url).url);
}

/** Of an address without a fault. */
export function pictureAddressFault({ url, picture, picture_url }: { readonly url: string; readonly picture: boolean; readonly picture_url: string | null }): string | null {
  if (picture_url === null) return null;
  if (!picture) return 'picture_url is for pictures, which are not sent; set picture: true';
  const base = readAddress(url).url;
  const own = URL.canParse(picture_url, base.href) ? new URL(picture_url, base) : null;
  const isBeside = own?.origin === base.origin && own.username === '' && own.password === '';
  return isBeside ? null : 'picture_url must be of the same scheme, host and port as url, and without a login; write it as seen from url, such as sendPhoto';
}

/** Not with the address itself, which may be the secret. */
export function addressFault(text: string): string | null {
  const isOne = URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
  return isOne ? null : 'url must be an address such as https://example.com/hook; a /, ?, # or @ in a password is written %2F, %3F, %23 or %40';
}
