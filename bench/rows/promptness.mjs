/** How soon a frame is looked at when there is no overload: from its capture until its look has begun, beside how long a call takes. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { addSleeping } from '../harness/models.mjs';
import { digits, quantile } from '../harness/numbers.mjs';
import { pictures, reel } from '../harness/pictures.mjs';
import { openServer, streamsOf } from '../harness/server.mjs';

const CAMERAS = 20;
const UTILISATION = 0.5;
const INTERVAL = 3;
const FRAME_MS = (1000 * UTILISATION * INTERVAL) / CAMERAS;
const WARM = 10;

export const oncePerRun = true;

export const lines = {
  promptness: { what: `frame captured to its look begun, ${CAMERAS} streams, the model busy half the time: p95 less the p95 of a call`, atMost: 50, unit: 'ms' },
};

export async function measure(column, { quick, say }) {
  const window = quick ? 20 : 120;
  const root = join(column.folder, 'promptness');
  await mkdir(root);
  const model = await addSleeping(root, 'sleeping', FRAME_MS);
  const url = await reel(await pictures(column.clip, root, 10), join(root, 'reel'), Math.ceil((window + WARM + 60) / INTERVAL));
  const server = await openServer(root, { streams: streamsOf(url, CAMERAS, { models: ['sleeping'], options: { interval_seconds: INTERVAL } }) });
  try {
    await server.looking(['sleeping'], 60);
    await sleep(WARM * 1000);
    const since = Date.now();
    await sleep(window * 1000);
    const calls = (await model.calls()).filter(({ began }) => began >= since);
    const lasted = quantile(calls.map(({ began, ended }) => ended - began), 0.95);
    const waits = calls.flatMap(({ began, frames }) => frames.map(({ captured_at }) => began - Date.parse(captured_at)));
    const waited = quantile(waits, 0.95);
    say(`${waits.length} frames waited ${digits(quantile(waits, 0.5))} ms, p95 ${digits(waited)} ms; ${calls.length} calls took ${digits(lasted)} ms, p95`);
    return { promptness: waited - lasted };
  } finally {
    await server.close();
    await rm(root, { recursive: true, force: true });
  }
}
