/** Takes a webhook's secrets out of what its target says: an answer may repeat the request. */
import { hiderOf } from '../../lib/secrets.ts';
import { pictureAddress } from './address.ts';

interface WithSecrets {
  readonly url: string;
  readonly picture_url: string | null;
  readonly secret: string | null;
  readonly old_secret: string | null;
  readonly template: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** Shorter ones are found in every text. */
const SHORTEST = 4;
/** Parts of a path that are shorter are its words. */
const SHORTEST_PART = 8;

export function hiderFor({ url, picture_url, secret, old_secret, template, headers }: WithSecrets): (text: string) => string {
  const paths = [new URL(url), pictureAddress(url, picture_url)].flatMap(({ pathname, search }) => [pathname + search, pathname, ...pathname.split('/').filter((part) => part.length >= SHORTEST_PART)]);
  const tokens = Object.values(headers).flatMap((value) => [value, ...value.split(' ')]);
  const keys = template?.match(/[\w-]{20,}/g) ?? [];
  const signing = [secret, old_secret].flatMap((one) => (one === null ? [] : [one, one.replace(/^whsec_/, '')]));
  // The longest first: others are pieces of them.
  const known = [...paths, ...tokens, ...keys, ...signing].filter((text) => text.length >= SHORTEST).sort((a, b) => b.length - a.length);
  const inAddress = hiderOf(url);
  return (text) => known.reduce((left, one) => left.replaceAll(one, '***'), inAddress(text));
}
