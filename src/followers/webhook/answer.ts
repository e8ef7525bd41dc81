/** What an answer means: the item was taken, it is refused, or the target is away. */
import { STATUS_CODES, type IncomingHttpHeaders } from 'node:http';
import { LookoutError } from '../../errors.ts';
import { shorten } from '../../lib/shorten.ts';
import { plain } from './message.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The beginning of its body. */
  readonly text: string;
}

/** These say that the request is wrong as it is: all others may pass. */
const OF_ITEM = [400, 413, 422];
const ADVICE: Readonly<Record<number, string>> = {
  401: 'check the login in url, or headers',
  403: 'check the login in url, or headers',
  404: 'check the path of url',
  410: 'the address is gone for good; set another url, or remove the follower',
  415: 'set the content_type that it takes',
  429: 'it wants fewer requests; per_minute keeps to a number of them',
};
/** A target may say when to come again, not that nobody comes for days. */
const LONGEST_SECONDS = 3600;

/** null: the item was taken; otherwise why it is refused. Throws `target_away`. */
export function judge(answer: Answer, origin: string, hide: (text: string) => string): string | null {
  const { status, headers } = answer;
  if (status >= 200 && status < 300) return null;
  const words = hide(plain(answer.text)).replace(/\s+/g, ' ').trim();
  const said = `it answered ${status} ${STATUS_CODES[status] ?? ''}`.trim() + (words === '' ? '' : `: ${shorten(words, 300)}`);
  if (OF_ITEM.includes(status)) return said;
  const advice = ADVICE[status];
  const seconds = retryAfter(headers['retry-after'], Date.now());
  throw new LookoutError('target_away', `${origin} does not take messages: ${said}${advice === undefined ? '' : ` (${advice})`}`, {
    details: seconds === null ? {} : { retry_after_seconds: seconds },
  });
}

/** Seconds from now; the header has them, or a date. null: neither. */
export function retryAfter(header: string | undefined, nowMs: number): number | null {
  if (header === undefined) return null;
  const seconds = /^\s*\d+\s*$/.test(header) ? Number(header) : (Date.parse(header) - nowMs) / 1000;
  return Number.isNaN(seconds) ? null : Math.min(Math.max(0, Math.ceil(seconds)), LONGEST_SECONDS);
}
