/** Takes secrets out of texts: those of any address in it, and those of one address in whatever form others repeat them. */

/**
 * Hides the credentials of every URL in a text: `rtsp://user:secret@host` becomes `rtsp://***@host`. Up to the last `@`,
 * because people do not percent-encode what their passwords hold; a path with an `@` is shortened for that, and of an `@`
 * among parameters nobody knows what belongs to a password. Many cameras take the password as a parameter, under names of
 * their own, some even in the path; RTMP's path is its key.
 */
export function hideCredentials(text: string): string {
  return text.replace(/[^\s"]+/g, (word) => (word.includes('://') ? hideInWord(word) : word)).replace(PASSWORD, '$1***');
}

/** A camera may say an address of any length, and to look through one takes the square of that. */
const LONGEST = 4096;

/** Each is looked through from where it begins. */
const MOST_ADDRESSES = 16;

/** A word with an address in it; of one that is too long nobody can tell where its secrets end. */
function hideInWord(word: string): string {
  if (word.length > LONGEST || word.split('://').length > MOST_ADDRESSES + 1) return '***';
  return word
    .replace(/\b(rtmp[a-z]*:\/\/)([^'/]+\/)([^']+)/gi, (_url, scheme: string, host: string, key: string) => (key.includes('@') ? `${scheme}***` : `${scheme}${host}***`))
    .replace(/(:\/\/)(?:[\w.-]+|\[[^\]]*\])(?::\d+)?(?:\/[^'?]*)?\?.*@[^']*/g, '$1***')
    .replace(/(:\/\/).*@/g, '$1***@')
    .replace(/(:\/\/[^'?]*\?)([^']+)/g, (_url, address: string, query: string) => address + query.split('&').map(hideValue).join('&'));
}

/** A stream's address as it may be shown: by its host alone where its path is the secret. */
export function shownAddress(url: string): string {
  const shown = hideCredentials(url);
  return keysOf(shown).length === 0 ? shown : shown.replace(/^([a-z][a-z0-9+.-]*:\/\/[^/]*\/).*$/i, '$1***');
}

/**
 * Takes one address, and every secret in it, out of what others say of it: as it was written, percent-encoded, decoded, as
 * Basic sends it, and in the pieces into which a program splits what it takes for a host, a port and a path.
 */
export function hiderOf(url: string): (text: string) => string {
  const hide = hiderOfSecrets(secretsOf(url));
  const shown = shownAddress(url);
  return (text) => hideCredentials(hide(text.replaceAll(url, () => shown)));
}

/** Takes these out of what others say, as they are written, percent-encoded or decoded. Empty ones, and null, are none. */
export function hiderOfSecrets(secrets: readonly (string | null)[]): (text: string) => string {
  const known = secrets.filter((secret) => secret !== null && secret !== '') as readonly string[];
  // The longest first: others are pieces of them.
  const forms = [...new Set(known.flatMap(formsOf))].sort((a, b) => b.length - a.length);
  return (text) => forms.reduce(without, text);
}

const PASSWORD = /([?&/_](?:pass(?:word|wd)?|pwd|psw|token)=)([^&\s"']*)/gi;

/** Parameters that tell which picture is meant, and nothing of who asks. */
const HARMLESS = /^(?:action|camera|channel|codec|fps|profile|proto|resolution|stream|subtype|unicast)$/i;

function hideValue(parameter: string): string {
  const [name = '', ...value] = parameter.split('=');
  if (HARMLESS.test(name)) return parameter;
  return value.length > 0 ? `${name}=***` : '***';
}

/** Shorter ones are looked for as words of their own: they are found in every text. */
const WHOLE = 4;
/** A program that cuts long lines may leave the beginning of a secret. */
const CUT = 32;

function secretsOf(url: string): readonly string[] {
  const [, scheme = '', login = ''] = /^([a-z][a-z0-9+.-]*):\/\/(?:(.*)@)?/i.exec(url) ?? [];
  // Of an address with an @ nobody knows whether a login ends there.
  const queries = [url, url.slice(url.lastIndexOf('@') + 1)].map((part) => splitAt(part, '?')[1]);
  const [user, password] = splitAt(login, ':');
  const parameters = queries.flatMap((query) => query.split(/[&#]/)).map((one) => splitAt(one, '=')).filter(([name]) => !HARMLESS.test(name));
  const key = /^rtmp/i.test(scheme) ? url.replace(/^[^/]*\/\/[^/]*\//, '') : '';
  return [
    login, user, password, ...(/[/?#@]/.test(login) ? login.split(/[/?#@:]/) : []), key, ...key.split(/[/?#@:&]/),
    ...parameters.map(([name, value]) => value || name), ...queries,
    ...[...url.matchAll(PASSWORD)].map(([, , value = '']) => value),
    ...keysOf(url),
    // As Basic has it.
    ...(login === '' ? [] : [login, decoded(login)].map((text) => Buffer.from(text).toString('base64').replace(/=+$/, ''))),
  ];
}

function formsOf(secret: string): readonly string[] {
  return [secret, decoded(secret)].flatMap((text) => {
    // Half of a character, as long as it stands alone, cannot be encoded.
    const encodable = text.replace(/\p{Cs}/gu, '\uFFFD');
    const written = [text, encodeURIComponent(encodable), encodeURI(encodable)];
    // Hosts are told in small letters, escapes in either.
    return [...written, ...written.map((one) => one.toLowerCase())];
  });
}

/** The text without this form of a secret. */
function without(text: string, form: string): string {
  if (form.length < WHOLE) return /[a-z0-9]/i.test(form) ? text.replace(new RegExp(String.raw`(?<![a-z0-9])${escaped(form)}(?![a-z0-9])`, 'gi'), '***') : text;
  const left = text.replaceAll(form, '***');
  return form.length > CUT && left.includes(form.slice(0, CUT)) ? left.replace(new RegExp(String.raw`${escaped(form.slice(0, CUT))}\S*`, 'g'), '***') : left;
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);

/** Parts of a path that nobody made up, and who knows them gets in: UUIDs, hashes, tokens. */
function keysOf(url: string): readonly string[] {
  return url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, '').replace(/[?#].*$/s, '').split('/').filter(isKey);
}

/** Stands in passwords, and in no camera's names. */
const ODD = /[\^$!*;|`\\[\]{}]/;

/** Names are words and numbers; in a key, letters large and small and digits come one after the other. */
function isKey(segment: string): boolean {
  if (segment.length >= 6 && ODD.test(decoded(segment))) return true;
  const runs = segment.match(/[A-Za-z0-9]+/g) ?? [];
  if (/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i.test(segment) || runs.some((run) => run.length >= 20)) return true;
  const length = runs.join('').length;
  const changes = runs.reduce((sum, run) => sum + (run.match(/[a-z](?=[A-Z0-9])|[A-Z](?=[0-9])|[0-9](?=[A-Za-z])/g)?.length ?? 0), 0);
  return length >= 10 && changes / length > 0.33;
}

/** Each run of escapes by itself: a lone % was not meant as one, and leaves the others what they are. */
export function decoded(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      // No UTF-8, so no escapes either.
      return escapes;
    }
  });
}

function splitAt(text: string, mark: string): readonly [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
