/**
 * What names mean, as the system tells. Node asks it on threads of which two at the most do so at once, each for ten
 * seconds where no name server answers: dead cameras with names would keep all others from being found, for ever.
 */
import { lookup, Resolver } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { createTurns } from './turns.ts';

export interface Address {
  readonly address: string;
  readonly family: number;
}

/** Longer than any server takes that is well. */
const SLOW_MS = 2000;
/** The next name server is asked after as long. */
const SERVER_MS = 1000;
/** Whoever asked about a slow name may have given up before it was found, and asks again. */
const KEPT_MS = 60_000;

/** For one of several addresses; Node gives each but the last a quarter of a second, in which nobody answers over a slow line. */
export const ATTEMPT_MS = 3000;

/** Those that are being asked about, and slow ones that were found lately. */
const asked = new Map<string, Promise<readonly Address[]>>();
/** `slow`: it took the system long when last asked about. `local`: it is known without a name server, as from a file of hosts. */
const ways = new Map<string, 'slow' | 'local'>();
/** For those that may take long. */
const takeTurn = createTurns();

/** All addresses of a name. Whoever asks while it is being asked about has the same answer. Throws what the system says, which may be late. */
export function addressesOf(name: string): Promise<readonly Address[]> {
  const before = asked.get(name);
  if (before) return before;
  const answer = find(name);
  const forget = (): void => { asked.delete(name); };
  asked.set(name, answer);
  answer.then(() => {
    if (ways.get(name) === 'slow') setTimeout(forget, KEPT_MS).unref();
    else forget();
  }, forget);
  return answer;
}

/** As `addressesOf`, for a socket. */
const lookUp: LookupFunction = (name, { all, family: wanted }, done) => {
  const isWanted = ({ family }: Address): boolean => wanted === undefined || wanted === 0 || wanted === family || wanted === `IPv${family}`;
  addressesOf(name).then((found) => {
    const [first, ...others] = found.filter(isWanted);
    if (!first) throw Object.assign(new Error(`the name ${name} has no address`), { code: 'ENOTFOUND' });
    return [first, ...others] as const;
  }).then((addresses) => {
    if (all) done(null, [...addresses]);
    else done(null, addresses[0].address, addresses[0].family);
  }, (error: unknown) => { done(error as NodeJS.ErrnoException, []); });
};

/** Options by which a socket finds its way. */
export const FINDING = { lookup: lookUp, autoSelectFamilyAttemptTimeout: ATTEMPT_MS };

async function find(name: string): Promise<readonly Address[]> {
  const way = ways.get(name);
  if (way === 'local') return ask(name, true);
  const began = performance.now();
  const told = await tellOf(name);
  if (told !== null && way === undefined && performance.now() - began < SERVER_MS) return ask(name, false);
  // The system would ask the silent one of its name servers first, each time.
  if (told !== null && told.length > 0) return told;
  return takeTurn(() => ask(name, way === undefined && told === null));
}

/** What name servers say, whom Node asks without a thread; what the system makes of it may be something else. null: none answers. */
async function tellOf(name: string): Promise<readonly Address[] | null> {
  // Made anew: name servers may have become others.
  const resolver = new Resolver({ timeout: SERVER_MS, tries: 2 });
  const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  if (answers.every((one) => one.status === 'rejected' && SILENT.has((one.reason as NodeJS.ErrnoException).code ?? ''))) return null;
  return answers.flatMap((one, place) => (one.status === 'fulfilled' ? one.value.map((address) => ({ address, family: place === 0 ? 4 : 6 })) : []));
}

const SILENT = new Set(['ETIMEOUT', 'ECONNREFUSED']);

async function ask(name: string, mayBeLocal: boolean): Promise<readonly Address[]> {
  const began = performance.now();
  let isFound = false;
  try {
    const found = await lookup(name, { all: true });
    isFound = true;
    return found;
  } finally {
    if (performance.now() - began > SLOW_MS) ways.set(name, 'slow');
    else if (isFound && mayBeLocal) ways.set(name, 'local');
    else ways.delete(name);
  }
}
