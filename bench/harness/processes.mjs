/** What the kernel says of processes and all that they started: processor time, memory, command lines. Linux only. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** Seconds of processor time that these processes and their descendants have used so far, ended ones included. */
export function cpuSeconds(pids) {
  return tree(pids).reduce((sum, { ticks }) => sum + ticks, 0) / TICKS_PER_SECOND;
}

/** Proportional set size of these processes and their descendants, in megabytes: what is shared counts once. */
export function pssMegabytes(pids) {
  const kilobytes = tree(pids).map(({ pid }) => Number(/^Pss:\s+(\d+) kB$/m.exec(read(pid, 'smaps_rollup'))?.[1] ?? 0));
  return (kilobytes.reduce((sum, each) => sum + each, 0) * 1024) / 1e6;
}

/** The words of each descendant's command. */
export function commandsUnder(pid) {
  return tree([pid]).filter((one) => one.pid !== pid).map((one) => read(one.pid, 'cmdline').split('\0').slice(0, -1));
}

function tree(pids) {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((pid) => readStat(Number(pid)) ?? []);
  const under = (pid) => all.filter((one) => one.parent === pid).flatMap((one) => [one, ...under(one.pid)]);
  return pids.flatMap((pid) => [...all.filter((one) => one.pid === pid), ...under(pid)]);
}

/** null: it is gone. `ticks` counts the ended children that it has waited for. */
function readStat(pid) {
  const stat = read(pid, 'stat');
  // The second field is the command in parentheses and may hold anything, so count from its end.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ').map(Number);
  const [user, system, childrenUser, childrenSystem] = fields.slice(11, 15);
  return childrenSystem === undefined ? null : { pid, parent: fields[1], ticks: user + system + childrenUser + childrenSystem };
}

function read(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    // It ended a moment ago: what it used stands with its parent now.
    return '';
  }
}
