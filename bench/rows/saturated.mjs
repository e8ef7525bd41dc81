/**
 * What all of Lookout costs a detector that is asked for all it can: 50 cameras, records written, against the model's own
 * predict in a loop over the same pictures. What the cameras cost, which are folders of pictures, is left out.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { framesOf, lendAnimals, openAnimals, openDirect } from '../harness/animals.mjs';
import { THEIRS } from '../harness/columns.mjs';
import { addWeights } from '../harness/models.mjs';
import { digits, median } from '../harness/numbers.mjs';
import { pictures, reel } from '../harness/pictures.mjs';
import { cpuSeconds } from '../harness/processes.mjs';
import { startOwn, stop } from '../harness/programs.mjs';
import { openServer, streamsOf } from '../harness/server.mjs';

const CAMERAS = 50;
/** Frames that the cameras bring, over what the bare loop can look at. */
const DEMAND = 1.2;
const PICTURES = 24;

export const oncePerRun = true;

export const lines = {
  pace: { what: `frames/s of a detector asked for more than it can by ${CAMERAS} cameras, records written, over its bare loop`, atLeast: 0.95 },
  cost: { what: 'CPU there of the whole tree for one frame, without the sources, over the bare loop', atMost: 1.05 },
};

export async function measure(column, { quick, say, cache, config, signal }) {
  const times = quick ? { warm: 8, window: 10, pairs: 1 } : { warm: 20, window: 40, pairs: 4 };
  const detecting = { ...column, weights: THEIRS.weights };
  const folder = join(column.folder, 'saturated');
  await mkdir(folder);
  const animals = await openAnimals(detecting, cache, config, signal);
  const direct = await openDirect(animals);
  try {
    const shown = await pictures(THEIRS.clip ?? column.clip, folder, PICTURES);
    const bare = () => bareLoop(direct, callsOf(framesOf(shown), animals.model.max_batch), times.window);
    const { pace: usual } = await bare();
    const interval = Math.max(0.1, CAMERAS / (DEMAND * usual));
    const url = await reel(shown, join(folder, 'reel'), Math.ceil((times.warm + times.window + 120) / interval));
    const sources = await sourcesAlone(url, interval, times);
    const whole = async (pair) => {
      const root = join(folder, `pair-${pair}`);
      await lendAnimals(detecting, root, cache, config, signal);
      await addWeights(root, detecting.weights);
      return lookout(root, url, interval, times);
    };
    const pairs = [];
    for (let pair = 0; pair < times.pairs; pair += 1) {
      // Who comes second on a shared machine may pay for the first, so they take turns.
      const bareFirst = pair % 2 === 1 ? await bare() : null;
      const ours = await whole(pair);
      const theirs = bareFirst ?? await bare();
      const cost = (ours.cpu - sources * ours.seconds) / ours.looks;
      pairs.push({ pace: ours.looks / ours.seconds / theirs.pace, cost: cost / theirs.cost });
      say(`${ours.detector}: ${digits(ours.looks / ours.seconds)} frames/s at ${digits(1000 * cost)} ms, bare ${digits(theirs.pace)} at ${digits(1000 * theirs.cost)} ms; ${ours.records} records; sources ${digits(100 * sources)} % of a processor`);
    }
    return { pace: median(pairs.map(({ pace }) => pace)), cost: median(pairs.map(({ cost }) => cost)) };
  } finally {
    await direct.close();
    await animals.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The pictures as calls of so many frames, which is what the model takes at once. */
function callsOf(frames, size) {
  return Array.from({ length: Math.floor(frames.length / size) }, (_, call) => frames.slice(call * size, (call + 1) * size).map((frame, index) => ({ ...frame, index })));
}

/** Frames a second of the model alone, and the processor seconds of one. */
async function bareLoop(direct, calls, window) {
  const cpu = cpuSeconds([direct.pid]);
  const started = performance.now();
  let frames = 0;
  for (let turn = 0; performance.now() - started < window * 1000; turn += 1) {
    const call = calls[turn % calls.length];
    await direct.look(call);
    frames += call.length;
  }
  return { pace: (frames * 1000) / (performance.now() - started), cost: (cpuSeconds([direct.pid]) - cpu) / frames };
}

/** Processor seconds a second of the cameras, their pictures let go at once. */
async function sourcesAlone(url, interval, { warm, window }) {
  const child = startOwn('sources', [url, String(CAMERAS), String(interval)]);
  try {
    await sleep(warm * 1000);
    const before = cpuSeconds([child.pid]);
    await sleep(window * 1000);
    return (cpuSeconds([child.pid]) - before) / window;
  } finally {
    await stop(child);
  }
}

async function lookout(root, url, interval, { warm, window }) {
  const server = await openServer(root, { streams: streamsOf(url, CAMERAS, { models: ['animals'], options: { interval_seconds: interval } }) });
  try {
    await server.looking(['animals'], 60);
    // They connect one after the other.
    await sleep((warm + CAMERAS * 0.2) * 1000);
    const [before, cpuBefore, started] = [await server.model('animals'), cpuSeconds([server.pid]), performance.now()];
    await sleep(window * 1000);
    const [after, cpuAfter, ended] = [await server.model('animals'), cpuSeconds([server.pid]), performance.now()];
    if (after.looks.failed > 0) throw new Error(`${after.looks.failed} looks failed: nothing can be said about what they cost`);
    const looks = after.looks.looked - before.looks.looked;
    const let_go = Object.values(after.looks.skipped).reduce((all, frames) => all + frames, 0);
    if (let_go === 0) throw new Error('nothing was let go: the cameras bring too little to keep the detector busy');
    const records = await server.records(1);
    if (records.length === 0) throw new Error('no record was written');
    return { looks, cpu: cpuAfter - cpuBefore, seconds: (ended - started) / 1000, detector: after.detector, records: after.batches - before.batches };
  } finally {
    await server.close();
    await rm(root, { recursive: true, force: true });
  }
}
