/**
 * Troubles that come again and again: the first is told at once, what follows is counted and told once a minute, and that
 * it is over too. One trouble is what happened and why, whomever it befell.
 */
import type { Facts, LogLevel } from './log.ts';

export interface Trouble {
  readonly level: LogLevel;
  readonly part: string;
  readonly what: string;
  /** Whom it befell, e.g. a camera; null: it names them itself. */
  readonly of: string | null;
  readonly facts: Facts;
}

export type Write = (level: LogLevel, part: string, message: string, facts: Facts) => void;

interface Counted {
  last: Trouble;
  /** Since it began, and since it was last told. */
  times: number;
  untold: number;
  /** Of those that were not told: whom, and how often. */
  befell: Map<string, number>;
}

const MINUTE_MS = 60_000;
/** Troubles at a time; more of them are different ones and told each by itself. */
const MOST = 1000;
/** Names in a summary. */
const NAMED = 5;

/** Answers what tells a trouble. */
export function createRepeats(write: Write): (trouble: Trouble) => void {
  const counted = new Map<string, Counted>();

  function sumUp(key: string, one: Counted): void {
    const { last: { level, part, what, facts }, times, untold, befell } = one;
    if (untold === 0) {
      counted.delete(key);
      if (times > 1) write('info', part, `no more for a minute: ${what}`, { reason: facts['reason'], times });
      return;
    }
    write(level, part, `${what}: ${untold === 1 ? 'once more' : `${untold} times more`} within a minute`, { ...facts, ...(befell.size > 0 ? { of: inWords(befell) } : {}) });
    one.untold = 0;
    one.befell = new Map();
    wait(key, one);
  }

  // What is not told at the end of a process was told when it began.
  function wait(key: string, one: Counted): void {
    setTimeout(() => { sumUp(key, one); }, MINUTE_MS).unref();
  }

  return (trouble) => {
    const { level, part, what, of, facts } = trouble;
    const key = [part, what, likeness(facts['reason'])].join('\n');
    const known = counted.get(key);
    if (known) {
      known.last = trouble;
      known.times += 1;
      known.untold += 1;
      if (of !== null) known.befell.set(of, (known.befell.get(of) ?? 0) + 1);
      return;
    }
    write(level, part, of === null ? what : `${of}: ${what}`, facts);
    if (counted.size >= MOST) return;
    const one: Counted = { last: trouble, times: 1, untold: 0, befell: new Map() };
    counted.set(key, one);
    wait(key, one);
  };
}

/** A reason without what is another each time: names of files, numbers. */
function likeness(reason: unknown): string {
  return String(reason).replace(/'[^']*'|"[^"]*"/g, '#').replace(/\S+/g, (word) => (/\d/.test(word) ? '#' : word));
}

/** Those whom it befell most. */
function inWords(befell: ReadonlyMap<string, number>): string {
  const most = [...befell].sort(([, a], [, b]) => b - a);
  const named = most.slice(0, NAMED).map(([name, times]) => `${name} (${times})`);
  return [...named, ...(most.length > NAMED ? [`${most.length - NAMED} others`] : [])].join(', ');
}
