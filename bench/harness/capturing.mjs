/** What Lookout costs while it only captures, its models off. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandsUnder, cpuSeconds } from './processes.mjs';
import { readLines, startOwn, stop } from './programs.mjs';

/** Seconds from one picture of a camera to the next. */
export const INTERVAL = 3;
/** Cameras connect so far apart, in milliseconds. */
export const STAGGER = 100;

/** Processor seconds of Lookout and its children in the window of `times` ({ warm, window } in seconds), and the words of one of these. `parent`: a folder. */
export async function capturing(engine, urls, parent, times) {
  const folder = join(parent, 'capture');
  await mkdir(folder);
  const child = startOwn('capture', [folder], { env: { ...process.env, LOOKOUT_CAPTURE_ENGINE: engine } });
  try {
    for (const url of urls) {
      child.stdin.write(`${url}\n`);
      await sleep(STAGGER);
    }
    const cpu = await over(times, () => [child.pid]);
    const [words] = commandsUnder(child.pid);
    child.stdin.end();
    const { captured } = JSON.parse((await readLines(child, 1))[0]);
    const expected = (urls.length * (times.warm + times.window)) / INTERVAL;
    if (captured < 0.8 * expected) throw new Error(`only ${captured} of about ${expected} frames were captured: nothing can be said about what they cost`);
    return { cpu, frames: captured, words };
  } finally {
    await stop(child);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Processor seconds of these and their children in the window. */
export async function over({ warm, window }, pids) {
  await sleep(warm * 1000);
  const before = cpuSeconds(pids());
  await sleep(window * 1000);
  return cpuSeconds(pids()) - before;
}
