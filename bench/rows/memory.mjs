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

/** Of a ring, at most: what a camera of 4 Mbit/s sends in the seconds that are kept, and until the next key frame. */
const RING_MB = (4 / 8) * (10 + 2);

export const lines = {
  memory: { what: `memory of the whole tree with ${MANY} cameras less with ${FEW}, for one camera`, atMost: 8, unit: 'MB' },
  withRing: { what: 'the same where each keeps 10 s of video, less these bytes', atMost: 8, unit: 'MB' },
};

export async function measure(column, { quick, say }) {
  const [settle, samples] = quick ? [20, 3] : [30, 10];
  const cameras = await column.cameras(MANY);
  try {
    const without = await ofOneMore({});
    const withRing = await ofOneMore({ CLIPS: '1' });
    return { memory: without, withRing: withRing - RING_MB };
  } finally {
    await cameras.close();
  }

  async function ofOneMore(env) {
    const folder = join(column.folder, 'memory');
    await mkdir(folder);
    const child = startOwn('capture', [folder], { env });
    try {
      const few = await withMore(child, cameras.urls.slice(0, FEW));
      const many = await withMore(child, cameras.urls.slice(FEW));
      say(`${digits(few)} MB with ${FEW} cameras, ${digits(many)} MB with ${MANY}${env.CLIPS ? ', with their video' : ''}`);
      return (many - few) / (MANY - FEW);
    } finally {
      await stop(child);
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Median with these cameras too. */
  async function withMore(child, urls) {
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
  }
}
