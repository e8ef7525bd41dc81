/** Limits how often an address may try tokens, and tells of wrong ones: the first at once, then a line a minute. */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { isLoopback } from '../lib/loopback.ts';
import type { Log } from '../lib/log.ts';
import { header } from './header.ts';

export interface Tries {
  /** A token came from this address: `right`, `wrong`, or to be refused unseen for so many seconds. */
  judge(address: string, isRight: boolean): 'right' | 'wrong' | number;
}

interface Address {
  /** Of wrong ones, since `since`. */
  wrong: number;
  since: number;
  /** When the right one came from it last; -Infinity: never. */
  rightAt: number;
}

const MOST_WRONG = 10;
const TRUSTED_MINUTES = 60;
const MOST_ADDRESSES = 10_000;
const SHOWN_ADDRESSES = 3;

/** `what`: what is tried, in words. */
export function createTries(log: Log, minuteMs = 60_000, what = 'token'): Tries {
  /** Those that were heard of least recently come first. */
  const addresses = new Map<string, Address>();
  const tell = createTeller(log, minuteMs, what);

  function heardOf(name: string): Address {
    const known = addresses.get(name) ?? { wrong: 0, since: 0, rightAt: -Infinity };
    addresses.delete(name);
    addresses.set(name, known);
    const [oldest] = addresses.keys();
    if (addresses.size > MOST_ADDRESSES && oldest !== undefined) addresses.delete(oldest);
    return known;
  }

  return {
    judge(name, isRight) {
      const now = performance.now();
      const address = heardOf(name);
      if (now - address.since >= minuteMs) address.wrong = 0;
      // Behind a proxy all may share an address: those who know the token are not locked out by those who guess.
      const isTrusted = now - address.rightAt < TRUSTED_MINUTES * minuteMs;
      if (address.wrong >= MOST_WRONG && !(isRight && isTrusted)) {
        tell(name, true);
        return Math.ceil((address.since + minuteMs - now) / 1000);
      }
      if (isRight) {
        address.rightAt = now;
        return 'right';
      }
      if (address.wrong === 0) address.since = now;
      address.wrong += 1;
      tell(name, false);
      return 'wrong';
    },
  };
}

/** Who asks; behind a proxy on this machine, whom it names. Of an IPv6 address its network: a single host has all of that. */
export function addressOf(request: IncomingMessage): string {
  const peer = (request.socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/i, '');
  const named = header(request, 'x-forwarded-for')?.split(',').at(-1)?.trim() ?? '';
  return networkOf(isLoopback(peer) && isIP(named) !== 0 ? named : peer);
}

export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const [before = [], after] = address.toLowerCase().split('::').map((half) => half.split(':').filter((group) => group !== ''));
  const zeros = after === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  return `${before.concat(Array<string>(zeros).fill('0'), after ?? []).slice(0, 4).join(':')}::/64`;
}

function createTeller(log: Log, minuteMs: number, what: string): (address: string, refused: boolean) => void {
  let minute: { wrong: number; refused: number; readonly from: Set<string> } | null = null;

  function begin(): void {
    minute = { wrong: 0, refused: 0, from: new Set() };
    setTimeout(() => {
      const { wrong, refused, from } = minute ?? { wrong: 0, refused: 0, from: new Set<string>() };
      minute = null;
      if (wrong + refused === 0) return;
      const others = from.size > SHOWN_ADDRESSES ? ` and ${from.size - SHOWN_ADDRESSES} more` : '';
      log.warn(`more wrong ${what}s within a minute`, { wrong, refused_unseen: refused, from: `${[...from].slice(0, SHOWN_ADDRESSES).join(', ')}${others}` });
      begin();
    }, minuteMs).unref();
  }

  return (address, refused) => {
    if (minute === null) {
      log.warn(`a client sent a wrong ${what}`, { from: address });
      begin();
      return;
    }
    if (refused) minute.refused += 1;
    else minute.wrong += 1;
    if (minute.from.size < MOST_ADDRESSES) minute.from.add(address);
  };
}
