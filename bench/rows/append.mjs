/** Whether an append takes longer when the file of records is large. */
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { silentLog } from '../../dist/lib/log.js';
import { LAYOUTS } from '../../dist/log/layout.js';
import { openLog } from '../../dist/log/record-log.js';
import { digits, median } from '../harness/numbers.mjs';
import { pictures } from '../harness/pictures.mjs';
import { recordMaker } from '../harness/records.mjs';

const APPENDS = 50;
const BYTES = 1e9;
/** Gives records of about 300 kB with the project's own clip. */
const PICTURE_WIDTH = 1600;
const SESSION = 'BENCH_01234567';

export const lines = {
  append: { what: `append of one record: to a file of 1 GB over an empty one, ${APPENDS} each in turn`, atMost: 1.2 },
};

export async function measure(column, { quick, say, signal }) {
  const folder = join(column.folder, 'append');
  await mkdir(folder);
  try {
    const record = await recordMaker(await pictures(column.clip, folder, 20, PICTURE_WIDTH), SESSION);
    const large = place(folder, 'large');
    const empty = place(folder, 'empty');
    for (const { data_dir } of [large, empty]) await mkdir(data_dir);
    const known = await fill(large.predictions, record, quick ? BYTES / 10 : BYTES);
    const { size } = await stat(large.predictions);
    const sides = [await openSide(large), await openSide(empty)];
    for (let n = known; n < known + APPENDS; n += 1) {
      for (const side of n % 2 === 0 ? sides : sides.toReversed()) await side.append([record(n)], signal);
    }
    const [slow, fast] = sides.map(({ times }) => median(times));
    for (const { log } of sides) await log.close();
    const { length } = JSON.parse(await readFile(empty.predictions, 'utf8'));
    if (length !== APPENDS) throw new Error(`${length} records were written instead of ${APPENDS}`);
    say(`${digits(slow)} ms with ${known} records in ${digits(size / 1e6)} MB, ${digits(fast)} ms from none on`);
    return { append: slow / fast };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function place(folder, name) {
  return { data_dir: join(folder, name), predictions: join(folder, name, 'predictions.json'), format: 'json', rotate_bytes: 0 };
}

/** The log in one file, and the milliseconds that a record needs until it is there. */
async function openSide(config) {
  const log = await openLog({ config, log: silentLog });
  const times = [];
  return {
    log,
    times,
    async append(record, signal) {
      const started = performance.now();
      await log.append([record], signal);
      times.push(performance.now() - started);
    },
  };
}

/** Writes records until there are that many bytes, as the log would have; answers how many they are. */
async function fill(file, record, bytes) {
  const { opening, between, closing } = LAYOUTS.json;
  let count = 0;
  function* text() {
    let written = 0;
    for (yield opening; written < bytes; count += 1) {
      const one = (count === 0 ? '' : between) + JSON.stringify(record(count));
      written += one.length;
      yield one;
    }
    yield closing;
  }
  await pipeline(Readable.from(text()), createWriteStream(file, { flush: true }));
  return count;
}
