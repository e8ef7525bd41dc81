/** What went wrong with a request, in words, and whose fault it is. */
import { isObject } from '../../lib/objects.ts';
import { shorten } from '../../lib/shorten.ts';

export interface Failure {
  /** `unclear`: a request was bad, and nothing says whether every other would be. */
  readonly whose: 'target' | 'object' | 'unclear';
  readonly words: string;
  /** The bucket is not there: nor is what it was given before. */
  readonly bucketGone: boolean;
  readonly retry_after_seconds?: number;
}

/** Answered where only this object is bad. */
const OBJECTS = ['EntityTooLarge', 'KeyTooLong', 'KeyTooLongError', 'MetadataTooLarge', 'InvalidObjectName', 'XMinioInvalidObjectName'];
/** Came to harm on the way, though they are answered as bad requests. */
const ON_THE_WAY = ['BadDigest', 'IncompleteBody', 'RequestTimeout', 'XAmzContentSHA256Mismatch'];
/** Settings and keys that are wrong, said so that somebody can mend them. */
const ADVICE: Readonly<Record<string, string>> = {
  AccessDenied: 'the key may not do this there',
  AllAccessDisabled: 'the bucket is closed',
  AuthorizationHeaderMalformed: 'the region is another one',
  CredentialsProviderError: 'there are no credentials; set access_key_id and secret_access_key',
  ExpiredToken: 'the session token has expired',
  Forbidden: 'the key may not do this there',
  IllegalLocationConstraintException: 'the region is another one',
  InvalidAccessKeyId: 'the access key is not known there',
  InvalidToken: 'the session token is not valid',
  NoSuchBucket: 'there is no such bucket',
  PermanentRedirect: 'the region, or the endpoint, is another one',
  SignatureDoesNotMatch: 'the secret access key does not belong to the access key',
  TokenRefreshRequired: 'the session token has expired',
};
const LONGEST_MESSAGE = 300;
const MS = 1000;
const MINUTE_S = 60;

/** `clockOffsetMs`: by which the target's clock is ahead of this machine's, as the SDK saw it. `hide`: takes secrets out of what a target says. */
export function failureOf(error: unknown, clockOffsetMs: number, hide: (text: string) => string): Failure {
  const { code, status, message, headers } = factsOf(error);
  const said = shorten(hide(saidOf(code, status, message)), LONGEST_MESSAGE);
  const words = [adviceOf(code, headers, clockOffsetMs), said].filter((part) => part !== null).join(': ');
  const after = retryAfter(headers['retry-after']);
  return { whose: whoseFault(code, status), words, bucketGone: code === 'NoSuchBucket', ...(after !== null && { retry_after_seconds: after }) };
}

/** Another try, at once, may do: the connection was an old one, the server stumbled, or the SDK has set its clock by the answer. */
export function mayPass(error: unknown): boolean {
  const { code, status, headers } = factsOf(error);
  if (isObject(error) && isObject(error['$metadata']) && error['$metadata']['clockSkewCorrected'] === true) return true;
  if (headers['retry-after'] !== undefined) return false;
  return ['ECONNRESET', 'EPIPE', ...ON_THE_WAY].includes(code) || (status !== null && status >= 500 && status !== 501);
}

interface Facts {
  readonly code: string;
  readonly status: number | null;
  readonly message: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** null: no answer. */
export const statusOf = (error: unknown): number | null => factsOf(error).status;

function factsOf(error: unknown): Facts {
  const said = isObject(error) ? error : {};
  const response = isObject(said['$response']) ? said['$response'] : {};
  const metadata = isObject(said['$metadata']) ? said['$metadata'] : {};
  const status = metadata['httpStatusCode'] ?? response['statusCode'];
  const name = typeof said['code'] === 'string' ? said['code'] : said['name'];
  return {
    // What the SDK has no name for, it names so.
    code: typeof name === 'string' && name !== 'Unknown' && name !== 'Error' ? name : '',
    status: typeof status === 'number' ? status : null,
    message: typeof said['message'] === 'string' ? said['message'] : String(error),
    headers: isObject(response['headers']) ? response['headers'] : {},
  };
}

function whoseFault(code: string, status: number | null): Failure['whose'] {
  if (OBJECTS.includes(code) || status === 413 || status === 414) return 'object';
  if ((status !== 400 && status !== 422) || Object.hasOwn(ADVICE, code) || ON_THE_WAY.includes(code)) return 'target';
  return 'unclear';
}

function adviceOf(code: string, headers: Facts['headers'], clockOffsetMs: number): string | null {
  if (code === 'RequestTimeTooSkewed') return `this machine's clock is off by ${spanInWords(clockOffsetMs)}`;
  const region = headers['x-amz-bucket-region'];
  if (['AuthorizationHeaderMalformed', 'PermanentRedirect', ''].includes(code) && typeof region === 'string') return `the bucket lies in the region ${shorten(region, 30)}; set region`;
  return ADVICE[code] ?? null;
}

function saidOf(code: string, status: number | null, message: string): string {
  // Answers that are not S3's are told by their status alone.
  if (status !== null && (message === 'UnknownError' || message.includes('Deserialization error'))) return `it answered ${status}${code === '' || code === 'SyntaxError' ? '' : ` ${code}`}`;
  return code === '' || message.includes(code) ? message : `${code}, ${message}`;
}

/** By how much a clock is off, whichever way. */
export function spanInWords(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / MS);
  return seconds < 2 * MINUTE_S ? `${seconds} s` : `${Math.round(seconds / MINUTE_S)} minutes`;
}

/** Seconds, or a time. */
function retryAfter(header: unknown): number | null {
  if (typeof header !== 'string' || header === '') return null;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / MS;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : null;
}
