/** How fast a follower catches up with a log that it has been away from. */
import { mkdir, rm } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { openApp } from '../harness/app.mjs';
import { hasBroker, openBroker } from '../harness/broker.mjs';
import { hasDatabase, openDatabase } from '../harness/database.mjs';
import { digits } from '../harness/numbers.mjs';
import { recordMaker } from '../harness/records.mjs';

const PATIENCE_SECONDS = 600;

export const oncePerRun = true;
const words = (target) => ({ what: `records without snapshots delivered to ${target} from the log, a second`, atLeast: 1000, unit: '/s' });
export const lines = { mosquitto: words('Mosquitto'), postgres: words('PostgreSQL') };

export async function measure(column, { quick, say }) {
  const count = quick ? 20_000 : 100_000;
  const record = await recordMaker([], 'BENCH_01234567');
  return { mosquitto: hasBroker ? await toMosquitto() : null, postgres: hasDatabase ? await toPostgres() : null };

  async function toMosquitto() {
    const folder = join(column.folder, 'mosquitto');
    await mkdir(folder);
    const broker = await openBroker(folder);
    try {
      return await catchUp(folder, { type: 'mqtt', url: broker.url, home_assistant: null });
    } finally {
      await broker.close();
    }
  }

  async function toPostgres() {
    const database = await openDatabase();
    try {
      const rate = await catchUp(join(column.folder, 'postgres'), { type: 'postgres', url: database.url });
      const [{ records, detections }] = await database.ask('SELECT (SELECT count(*)::int FROM lookout.records) AS records, (SELECT count(*)::int FROM lookout.detections) AS detections');
      if (records !== count || detections !== 10 * count) throw new Error(`${records} records and ${detections} detections came into the database`);
      return rate;
    } finally {
      await database.close();
    }
  }

  /** Records a second. */
  async function catchUp(folder, follower) {
    await mkdir(join(folder, 'data'), { recursive: true });
    const predictions = join(folder, 'data/predictions.ndjson');
    await pipeline(Readable.from(texts()), createWriteStream(predictions));
    const app = await openApp(folder, { format: 'ndjson', predictions, followers: [{ name: 'behind', logs: ['records'], from: 'beginning', ...follower }] });
    try {
      const begun = performance.now();
      const seconds = () => (performance.now() - begun) / 1000;
      for (;;) {
        const [{ delivered, ...state }] = await app.face.followers();
        if (delivered >= count) break;
        if (seconds() > PATIENCE_SECONDS) throw new Error(`${delivered} of ${count} records were delivered in ${PATIENCE_SECONDS} s: ${JSON.stringify(state)}`);
        await sleep(100);
      }
      say(`${follower.type}: ${count} records in ${digits(seconds())} s`);
      return count / seconds();
    } finally {
      await app.close();
      await rm(folder, { recursive: true, force: true });
    }
  }

  function* texts() {
    for (let n = 0; n < count; n += 1) yield `${JSON.stringify(record(n))}\n`;
  }
}
