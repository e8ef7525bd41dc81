/** Digest authentication (RFC 2617, MD5 without qop) as RTSP cameras do it. */
import { createHash, timingSafeEqual } from 'node:crypto';

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

const REALM = 'Lookout demo camera';

/** The WWW-Authenticate header that asks for credentials. */
export function challenge(nonce: string): string {
  return `Digest realm="${REALM}", nonce="${nonce}", algorithm="MD5"`;
}

/** Whether an Authorization header answers the challenge. The response covers user, realm and method, so it alone is compared. */
export function isAuthorized(header: string | undefined, method: string, nonce: string, { user, password }: Credentials): boolean {
  if (header === undefined || !/^digest\s/i.test(header)) return false;
  const fields = new Map([...header.matchAll(/(\w+)\s*=\s*"([^"]*)"/g)].map(([, name = '', value = '']) => [name.toLowerCase(), value]));
  const uri = fields.get('uri') ?? '';
  const expected = md5(`${md5(`${user}:${REALM}:${password}`)}:${nonce}:${md5(`${method}:${uri}`)}`);
  const given = fields.get('response') ?? '';
  // Hashed once more because the comparison wants equal lengths.
  return timingSafeEqual(Buffer.from(md5(given)), Buffer.from(md5(expected)));
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
