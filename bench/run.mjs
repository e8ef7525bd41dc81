/**
 * Measures what is promised of Lookout's speed, and prints it as one table: `npm run bench`. Every ratio is of two
 * things measured in turn in this run, so another machine or another hour does not change it much. Exits with 1 when a
 * row misses what it must reach, or cannot be measured.
 *
 *     npm run bench -- --only capture,append    some of the rows
 *     npm run bench -- --quick                  short and rough, to see that everything works
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadConfig } from '../dist/config/load.js';
import { packageRoot } from '../dist/lib/package.js';
import { lockFolderOrFile } from '../dist/lib/lock.js';
import { openColumns } from './harness/columns.mjs';
import { load } from './harness/numbers.mjs';
import { reached, tableText } from './harness/table.mjs';

const ROWS = ['capture', 'others', 'reordered', 'mjpeg', 'reading', 'memory', 'live', 'append', 'runner', 'latency', 'seed', 'overload', 'promptness', 'events', 'followers', 'catchup', 'push', 'viewers', 'saturated', 'density'];

const { values: flags } = parseArgs({ options: { only: { type: 'string', default: ROWS.join(',') }, quick: { type: 'boolean', default: false } } });
const wanted = flags.only.split(',');
const unknown = wanted.filter((name) => !ROWS.includes(name));
if (unknown.length > 0) {
  console.error(`There is no row ${unknown.join(', ')}; there are ${ROWS.join(', ')}.`);
  process.exit(2);
}

const never = new AbortController().signal;
/** Kept from run to run: the environment of the model. */
const cache = join(packageRoot, 'data/bench');
const work = join(cache, 'work');
await mkdir(cache, { recursive: true });
// One at a time: two would measure each other.
const lock = await lockFolderOrFile(cache, { waitMs: 0 }, never).catch((error) => {
  console.error(error.message);
  process.exit(1);
});
// What an interrupted run left.
await rm(work, { recursive: true, force: true });
await mkdir(work);
try {
  const { config } = await loadConfig({ flags: {}, env: {}, cwd: work });
  const columns = await openColumns(work, never);
  const rows = [];
  for (const name of wanted) rows.push(...(await measureRow(name, columns, config)));
  console.log(`\n${tableText(rows, columns.map(({ name }) => name))}`);
  process.exitCode = rows.every(({ line, values }) => values.every((value) => value === null || reached(line, value))) ? 0 : 1;
} finally {
  await rm(work, { recursive: true, force: true });
  await lock.release();
}

/**
 * The lines of a row's module with the value in each column; where it cannot be measured, the reason is told. What has
 * nothing to do with cameras or detectors is measured in the first column only.
 */
async function measureRow(name, columns, config) {
  const { lines, measure, oncePerRun = false } = await import(`./rows/${name}.mjs`);
  const measured = [];
  for (const column of oncePerRun ? columns.slice(0, 1) : columns) {
    console.log(`${name}, ${column.name} (load ${load()})`);
    const say = (text) => { console.log(`  ${text} (load ${load()})`); };
    measured.push(await measure(column, { quick: flags.quick, say, cache, config, signal: never }).catch((error) => {
      console.log(`  FAILED: ${error.stack}`);
      return {};
    }));
  }
  return Object.entries(lines).map(([key, line]) => ({ line, values: columns.map((_, index) => (measured[index] ? measured[index][key] : null)) }));
}
