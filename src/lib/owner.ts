/** Who a process is, written as a file name that another process can check: pid, start time, machine. */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { hasCode } from './files.ts';

export interface Owner {
  readonly pid: number;
  /** Start time in clock ticks since boot; empty where there is no /proc. */
  readonly start: string;
  /** Where that pid means something: this boot of this machine, this pid namespace. */
  readonly realm: string;
}

/** This process under a name that no other lock attempt has. */
export function ownName(): string {
  return [`pid-${process.pid}`, `start-${startTime(process.pid) ?? ''}`, `realm-${realm}`, randomBytes(4).toString('hex')].join('.');
}

export function readOwner(name: string): Owner | null {
  const [, pid, start, where] = /^pid-(\d+)\.start-(\d*)\.realm-(\w+)\.\w+$/.exec(name) ?? [];
  return pid === undefined || start === undefined || where === undefined ? null : { pid: Number(pid), start, realm: where };
}

/** `unknown` for processes of another machine or container, and for live pids whose start time nobody tells. */
export function fateOf(owner: Owner): 'alive' | 'gone' | 'unknown' {
  if (owner.realm !== realm) return 'unknown';
  const start = startTime(owner.pid);
  if (start !== null) return start === owner.start ? 'alive' : 'gone';
  return reachable(owner.pid) ? 'unknown' : 'gone';
}

const realm = createHash('sha256').update(realmText()).digest('hex').slice(0, 12);

function realmText(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8') + readlinkSync('/proc/self/ns/pid');
  } catch {
    // No /proc: the host's name has to do.
    return hostname();
  }
}

/** Field 22 of /proc/<pid>/stat; `ended` for a zombie; null when it cannot be read. */
function startTime(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses and may hold anything, so count from its end.
    const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' || state === 'X' ? 'ended' : (rest[18] ?? null);
  } catch {
    // No such process, or no /proc.
    return null;
  }
}

function reachable(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: there is one, under another user.
    return hasCode(error, 'EPERM');
  }
}
