/** What reading costs before anything is decoded: our own RTSP client in one process, against an ffmpeg for each camera that copies. */
import { setTimeout as sleep } from 'node:timers/promises';
import { digits, median } from '../harness/numbers.mjs';
import { cpuSeconds } from '../harness/processes.mjs';
import { readLines, start, startOwn, stop } from '../harness/programs.mjs';

const CAMERAS = 20;
const FPS = 25;
/** Enough to tell what one costs. */
const COPYING = 5;

export const lines = {
  reading: { what: `reading ${CAMERAS} cameras with our own client, CPU for one, over an ffmpeg that copies it`, atMost: 0.7 },
};

export async function measure(column, { quick, say }) {
  const times = quick ? { warm: 4, window: 6, pairs: 1 } : { warm: 8, window: 20, pairs: 3 };
  const cameras = await column.cameras(CAMERAS);
  try {
    const ratios = [];
    for (let pair = 0; pair < times.pairs; pair += 1) {
      const own = (await ourClient(cameras.urls, times)) / CAMERAS;
      const copying = (await ffmpegs(cameras.urls.slice(0, COPYING), times)) / COPYING;
      ratios.push(own / copying);
      say(`${digits((100 * own) / times.window)} % of a processor for each camera, an ffmpeg that copies ${digits((100 * copying) / times.window)} %`);
    }
    return { reading: median(ratios) };
  } finally {
    await cameras.close();
  }
}

/** Processor seconds of our client. */
async function ourClient(urls, times) {
  const child = startOwn('reading', urls);
  try {
    const cpu = await over(times, [child]);
    child.stdin.end();
    const { pictures, damaged } = JSON.parse((await readLines(child, 1))[0]);
    const expected = urls.length * FPS * (times.warm + times.window);
    // A camera that catches up at its start lets some packets go.
    if (damaged > 0.01 * expected || pictures < 0.8 * expected) throw new Error(`${pictures} of about ${expected} pictures came, ${damaged} of them damaged: nothing can be said about what they cost`);
    return cpu;
  } finally {
    await stop(child);
  }
}

/** Processor seconds of all. */
async function ffmpegs(urls, times) {
  const children = urls.map((url) => start('ffmpeg', ['-loglevel', 'error', '-rtsp_transport', 'tcp', '-i', url, '-map', '0:v', '-c', 'copy', '-f', 'null', '-'], { stdio: ['ignore', 'ignore', 'inherit'] }));
  try {
    return await over(times, children);
  } finally {
    await Promise.all(children.map((child) => stop(child)));
  }
}

async function over({ warm, window }, children) {
  await sleep(warm * 1000);
  const pids = children.map(({ pid }) => pid);
  const before = cpuSeconds(pids);
  await sleep(window * 1000);
  return cpuSeconds(pids) - before;
}
