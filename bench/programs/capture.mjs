/**
 * Lookout with its models off: streams are captured, spooled, batched and booked as app.ts has it done, and a closed
 * batch is settled at once. capture.mjs <folder> [interval in seconds]: video is kept for clips where CLIPS is set; each line of its input is the URL of one more
 * camera; when it ends, the captures stop and the books are printed. LOOKOUT_CAPTURE_ENGINE says what captures.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { loadConfig } from '../../dist/config/load.js';
import { systemClock } from '../../dist/lib/clock.js';
import { createLog } from '../../dist/lib/log.js';
import { createPacer } from '../../dist/lib/pacer.js';
import { openBooks } from '../../dist/store/books.js';
import { createSpool } from '../../dist/store/spool.js';
import { createDemand } from '../../dist/capture/on-demand.js';
import { startStream } from '../../dist/capture/stream.js';
import { createSources } from '../../dist/parts.js';
import { USUAL_STREAM_OPTIONS } from '../../dist/words/stream-options.js';

const [, , folder, interval] = process.argv;
const flags = { data_dir: join(folder, 'data'), frames_dir: join(folder, 'frames'), ...(interval ? { interval_seconds: interval } : {}) };
const { config } = await loadConfig({ flags, env: { LOOKOUT_CAPTURE_ENGINE: process.env.LOOKOUT_CAPTURE_ENGINE ?? 'auto' }, cwd: folder });
for (const own of [config.data_dir, config.frames_dir]) await mkdir(own, { recursive: true });
const books = await openBooks(config.data_dir);
const spool = createSpool(config.frames_dir);
const log = createLog({ level: 'warn', format: 'text' });
const sources = await createSources(config, log);
const parts = {
  spool, books, room: { trouble: null, failed: () => Promise.resolve(false), wait: () => Promise.resolve() }, clock: systemClock, pacer: createPacer(2), log,
  submit: async (batch) => {
    await spool.writeManifest(batch);
    await books.settle({ camera_id: batch.camera_id, batch: batch.id, outcome: 'dropped', reason: 'models_off', frames: batch.frames.length });
    await spool.release(batch);
  },
  offer: () => undefined,
  closed: () => undefined,
  wanted: () => undefined,
  demand: createDemand(systemClock),
};
const options = { ...USUAL_STREAM_OPTIONS, interval_seconds: config.interval_seconds, clips: process.env.CLIPS !== undefined };

const streams = [];
for await (const url of createInterface({ input: process.stdin })) {
  streams.push(startStream({ camera_id: `CAM-${streams.length + 1}`, url, trusted: true, models: ['none'], options }, { ...parts, source: sources.get(new URL(url).protocol.slice(0, -1)) }));
}
await Promise.all(streams.map((stream) => stream.stop('the measurement is over')));
console.log(JSON.stringify(books.total()));
await books.close();
await Promise.all([...new Set(sources.values())].map((source) => source.close()));
