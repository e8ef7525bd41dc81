/** Processes as /proc tells of them: who descends from whom, who is still alive, and what they cost. */
import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';

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

/** Runs this Node. Its command does not tell: from Node 24 on that is the name of its first thread. */
export function isNode({ pid }: Process): boolean {
  try {
    return readlinkSync(`/proc/${pid}/exe`) === realpathSync(process.execPath);
  } catch {
    // It has ended.
    return false;
  }
}

/** Seconds of a processor that a process and those below it have used. */
export function cpuSeconds(pid: number): number {
  const ticks = [pid, ...descendants(pid).map((one) => one.pid)].flatMap((one) => fieldsOf(one)?.[1].slice(11, 13).map(Number) ?? []);
  return ticks.reduce((sum, one) => sum + one, 0) / 100;
}

/** VmRSS: what it holds, VmHWM: the most that it held, RssAnon: without files. In MB of 1024 kB; 0: it has ended. */
export function memoryMb(pid: number, what: 'VmRSS' | 'VmHWM' | 'RssAnon' = 'VmRSS'): number {
  try {
    return Number(new RegExp(`^${what}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

function readStat(pid: number): Stat | null {
  const [command, [state = '', parent, ...rest]] = fieldsOf(pid) ?? ['', []];
  return parent === undefined ? null : { pid, state, parent: Number(parent), start: rest[17] ?? '', command };
}

/** The command, and what comes after it; null: it has ended. */
function fieldsOf(pid: number): readonly [command: string, fields: readonly string[]] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command in parentheses may hold anything, so count from its end.
    const end = stat.lastIndexOf(')');
    return [stat.slice(stat.indexOf('(') + 1, end), stat.slice(end + 2).split(' ')];
  } catch {
    return null;
  }
}

/** The capture hosts below a process. */
export function hostsOf(pid: number): readonly number[] {
  return descendants(pid).map((one) => one.pid).filter((one) => {
    try {
      return readFileSync(`/proc/${one}/cmdline`, 'utf8').includes('feeds/host/main');
    } catch {
      return false;
    }
  });
}
