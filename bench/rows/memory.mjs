/** What one more camera costs in memory. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { digits, median } from '../harness/numbers.mjs';
import { commandsUnder, pssMegabytes } from '../harness/processes.mjs';
import { startOwn, stop } from '../harness/programs.mjs';

const FEW = 10;
const MANY = 30;
/** Hosts hold more. */
const CHILDREN = 1;
const STAGGER = 200;

export const lines = {
  memory: { what: `memory of the whole tree with ${MANY} cameras less with ${FEW}, for one camera`, atMost: 8, unit: 'MB' },
};

export async function measure(column, { quick, say }) {
  const [settle, samples] = quick ? [10, 3] : [30, 10];
  const cameras = await column.cameras(MANY);
  const folder = join(column.folder, 'memory');
  await mkdir(folder);
  const child = startOwn('capture', [folder]);

  /** Median with these cameras too, `count` in all. */
  const withMore = async (urls) => {
    for (const url of urls) {
      child.stdin.write(`${url}\n`);
      await sleep(STAGGER);
    }
    await sleep(settle * 1000);
    const running = commandsUnder(child.pid).length;
    if (running !== CHILDREN) throw new Error(`${running} children run instead of a capture host: nothing can be said about what one more camera needs`);
    const seen = [];
    for (let sample = 0; sample < samples; sample += 1) {
      seen.push(pssMegabytes([child.pid]));
      await sleep(1000);
    }
    return median(seen);
  };

  try {
    const few = await withMore(cameras.urls.slice(0, FEW));
    const many = await withMore(cameras.urls.slice(FEW));
    say(`${digits(few)} MB with ${FEW} cameras, ${digits(many)} MB with ${MANY}`);
    return { memory: (many - few) / (MANY - FEW) };
  } finally {
    await stop(child);
    await cameras.close();
    await rm(folder, { recursive: true, force: true });
  }
}
