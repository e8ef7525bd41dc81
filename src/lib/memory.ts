/** How much memory processes hold, as the kernel tells it. */
import { readdir, readFile } from 'node:fs/promises';

/** Bytes in memory of a process and all that it started; what several of them share counts for each. null: it is gone, or this system does not tell. */
export async function memoryOfTree(pid: number): Promise<number | null> {
  const own = await residentBytes(pid);
  if (own === null) return null;
  const children = await Promise.all((await childrenOf(pid)).map(memoryOfTree));
  return children.reduce<number>((sum, bytes) => sum + (bytes ?? 0), own);
}

async function residentBytes(pid: number): Promise<number | null> {
  const [, kilobytes] = /^VmRSS:\s*(\d+) kB$/m.exec(await readOrNothing(`/proc/${pid}/status`)) ?? [];
  return kilobytes === undefined ? null : Number(kilobytes) * 1024;
}

/** Each thread has its own list of those that it started. */
async function childrenOf(pid: number): Promise<readonly number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(threads.map((thread) => readOrNothing(`/proc/${pid}/task/${thread}/children`)));
  return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
}

/** Processes and threads end at any time, and not every system has these files. */
async function readOrNothing(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}
