/**
 * What names mean, as the system tells. Node asks it on threads of which two at the most do so at once, each for ten
 * seconds where no name server answers: dead cameras with names would keep all others from being found, for ever.
 */
import { lookup, Resolver } from 'node:dns/promises';
import { createTurns } from './turns.ts';

export interface Address {
  readonly address: string;
  readonly family: number;
}

/** Longer than any server takes that is well. */
const SLOW_MS = 2000;

/** Those that are being asked about. */
const asked = new Map<string, Promise<readonly Address[]>>();
/** `slow`: it took long when last asked about. `local`: it is known without a name server, as from a file of hosts. */
const ways = new Map<string, 'slow' | 'local'>();
/** For those that may take long. */
const takeTurn = createTurns();

/** All addresses of a name. Whoever asks while it is being asked about has the same answer. Throws what the system says, which may be late. */
export function addressesOf(name: string): Promise<readonly Address[]> {
  const before = asked.get(name);
  if (before) return before;
  const answer = find(name).finally(() => { asked.delete(name); });
  asked.set(name, answer);
  return answer;
}

async function find(name: string): Promise<readonly Address[]> {
  const way = ways.get(name);
  if (way === 'local' || (way === undefined && await isServed(name))) return ask(name, way === 'local');
  return takeTurn(() => ask(name, way === undefined));
}

/** Whether a name server says anything about it. Node asks for that without a thread; what the system makes of it may be something else. */
async function isServed(name: string): Promise<boolean> {
  // Made anew: name servers may have become others.
  const resolver = new Resolver({ timeout: SLOW_MS / 2, tries: 2 });
  try {
    await resolver.resolve4(name);
    return true;
  } catch (error) {
    return !UNSERVED.has((error as NodeJS.ErrnoException).code ?? '');
  }
}

const UNSERVED = new Set(['ETIMEOUT', 'ECONNREFUSED', 'ECANCELLED']);

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
