/** Processes as /proc tells of them: who descends from whom, and who is still alive. */
import { readdirSync, readFileSync } from 'node:fs';

/** A process that no later one can be taken for. */
export interface Process {
  readonly pid: number;
  /** Clock ticks since boot. */
  readonly start: string;
  readonly command: string;
}

interface Stat extends Process {
  readonly parent: number;
  readonly state: string;
}

/** Children of the process, their children, and so on. */
export function descendants(pid: number): readonly Process[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((name) => readStat(Number(name))).filter((one) => one !== null);
  const below = (parent: number): readonly Stat[] => all.filter((one) => one.parent === parent).flatMap((one) => [one, ...below(one.pid)]);
  return below(pid);
}

/** Those that still run; one that has ended and was not waited for does not. */
export function alive(processes: readonly Process[]): readonly Process[] {
  return processes.filter(({ pid, start }) => {
    const now = readStat(pid);
    return now !== null && now.start === start && now.state !== 'Z' && now.state !== 'X';
  });
}

function readStat(pid: number): Stat | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command in parentheses may hold anything, so count from its end.
    const end = stat.lastIndexOf(')');
    const [state = '', parent, ...rest] = stat.slice(end + 2).split(' ');
    return { pid, state, parent: Number(parent), start: rest[17] ?? '', command: stat.slice(stat.indexOf('(') + 1, end) };
  } catch {
    // It has ended since it was listed.
    return null;
  }
}
