/** Answers the challenge of a camera that wants a user name and a password: digest (RFC 7616) or else basic. */
import { createHash, randomBytes } from 'node:crypto';
import { LookoutError } from '../../errors.ts';
import { decoded } from '../../lib/secrets.ts';
import { shorten } from '../../lib/shorten.ts';

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** As they stand in an address; null: neither does. Throws `stream_auth` where no login can hold them: they would end the line that tells them. */
export function credentialsOf(user: string, password: string): Credentials | null {
  const credentials = { user: decoded(user), password: decoded(password) };
  if (/\p{Cc}/u.test(credentials.user + credentials.password)) throw new LookoutError('stream_auth', 'the user name or password holds a line break, or another control character, which no login can');
  return user + password === '' ? null : credentials;
}

/** The Authorization header of one request, whose characters are bytes: names and passwords as UTF-8, as RFC 7616 has it. */
export type Authorize = (method: string, uri: string) => string;

const HASHES: ReadonlyMap<string, string> = new Map([['md5', 'md5'], ['sha-256', 'sha256'], ['sha-512-256', 'sha512-256']]);

/** How to answer the WWW-Authenticate header of a 401, whose characters are bytes; null: in no way that we know. */
export function answerTo(header: string, credentials: Credentials, cnonce = randomBytes(8).toString('hex')): Authorize | null {
  const challenges = parseChallenges(header);
  // The camera names first what it prefers. A digest keeps the password to itself.
  const digest = challenges.find(({ scheme, fields }) => scheme === 'digest' && hashOf(fields) !== null && allowsAuth(fields));
  if (digest) return digestAnswer(digest.fields, { user: inBytes(credentials.user), password: inBytes(credentials.password) }, cnonce);
  return challenges.some(({ scheme }) => scheme === 'basic') ? () => basicAnswer(credentials) : null;
}

/** Of what is told of it: a camera may ask for anything. */
const LONGEST_WANTED = 100;

/** What to say where there is no such answer; `hide` takes the address's secrets out of it. */
export function unanswerable(header: string, hide: (text: string) => string): LookoutError {
  const wanted = parseChallenges(header).map(({ scheme, fields }) => `${scheme} ${fields.get('algorithm') ?? ''}${fields.has('qop') ? ` with ${fields.get('qop') ?? ''}` : ''}`.trim()).join(', ');
  return new LookoutError('stream_auth', `the camera wants a login (${shorten(hide(wanted), LONGEST_WANTED) || 'of no kind'}) that Lookout cannot do, so that the user name and password may be right: let the camera offer digest, or basic`);
}

const inBytes = (text: string): string => Buffer.from(text).toString('latin1');

function basicAnswer({ user, password }: Credentials): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function digestAnswer(fields: Fields, { user, password }: Credentials, cnonce: string): Authorize {
  const hash = (text: string): string => createHash(hashOf(fields) ?? 'md5').update(text, 'latin1').digest('hex');
  const [realm, nonce] = [fields.get('realm') ?? '', fields.get('nonce') ?? ''];
  const login = hash(`${user}:${realm}:${password}`);
  const secret = /-sess$/i.test(fields.get('algorithm') ?? '') ? hash(`${login}:${nonce}:${cnonce}`) : login;
  let requests = 0;
  return (method, uri) => {
    requests += 1;
    const nc = requests.toString(16).padStart(8, '0');
    const request = hash(`${method}:${uri}`);
    const qop = fields.has('qop');
    const response = hash(qop ? `${secret}:${nonce}:${nc}:${cnonce}:auth:${request}` : `${secret}:${nonce}:${request}`);
    const quoted = { username: user, realm, nonce, uri, response, ...(qop && { cnonce }), ...pick(fields, 'opaque') };
    const bare = { ...(qop && { qop: 'auth', nc }), ...pick(fields, 'algorithm') };
    return `Digest ${[
      ...Object.entries(quoted).map(([name, value]) => `${name}="${value.replace(/["\\]/g, String.raw`\$&`)}"`),
      ...Object.entries(bare).map(([name, value]) => `${name}=${value}`),
    ].join(', ')}`;
  };
}

type Fields = ReadonlyMap<string, string>;

/** `Digest realm="a", nonce="b", Basic realm="c"` as two challenges: a word that no `=` follows begins one. */
export function parseChallenges(header: string): readonly { readonly scheme: string; readonly fields: Fields }[] {
  const challenges: { scheme: string; fields: Map<string, string> }[] = [];
  for (const [, name = '', quoted, bare] of header.matchAll(/([\w-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?/g)) {
    const value = quoted?.replace(/\\(.)/g, '$1') ?? bare;
    if (value === undefined) challenges.push({ scheme: name.toLowerCase(), fields: new Map() });
    else challenges.at(-1)?.fields.set(name.toLowerCase(), value);
  }
  return challenges;
}

function hashOf(fields: Fields): string | null {
  return HASHES.get((fields.get('algorithm') ?? 'md5').toLowerCase().replace(/-sess$/, '')) ?? null;
}

/** Without `qop` the old digest is meant; `auth-int` alone would cover a body, which a GET has not. */
export function allowsAuth(fields: Fields): boolean {
  return (fields.get('qop') ?? 'auth').split(',').some((word) => word.trim().toLowerCase() === 'auth');
}

function pick(fields: Fields, name: string): Record<string, string> {
  const value = fields.get(name);
  return value === undefined ? {} : { [name]: value };
}
