/**
 * Tests in full what docs/reliability.md promises, and writes the figures into its table: `npm run soak`, for an hour on
 * a quiet machine. `npm test` runs the same tests in short.
 *
 *     npm run soak -- --only dead,reconnects    some of the promises
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(fileURLToPath(import.meta.url));
const page = join(root, 'docs/reliability.md');

/** The promises by the keys of their rows: their tests, and how many of these may run at a time. What is timed runs alone. */
const PROMISES = {
  torn: { tests: ['promises/torn-append', 'log/record-log'], atOnce: 2 },
  kills: { tests: ['e2e/crash-random', 'e2e/crash-injected', 'e2e/crash-errors', 'e2e/crash-again'], atOnce: 2 },
  dead: { tests: ['promises/dead-cameras'], atOnce: 1 },
  faults: { tests: ['e2e/faults', 'sources/reconnects'], atOnce: 1 },
  hosts: { tests: ['e2e/capture-hosts'], atOnce: 1 },
  reconnects: { tests: ['promises/reconnects'], atOnce: 1 },
  disk: { tests: ['e2e/disk-full'], atOnce: 1 },
  secrets: { tests: ['lib/secrets', 'promises/secrets'], atOnce: 1 },
  fuzz: { tests: ['http/fuzz'], atOnce: 1 },
  interference: { tests: ['promises/interference'], atOnce: 1 },
  conditions: { tests: ['promises/conditions'], atOnce: 1 },
  hundred: { tests: ['promises/hundred-cameras'], atOnce: 1 },
};

const { values: flags } = parseArgs({ options: { only: { type: 'string', default: Object.keys(PROMISES).join(',') } } });
const wanted = flags.only.split(',');
const unknown = wanted.filter((name) => !Object.hasOwn(PROMISES, name));
if (unknown.length > 0) {
  console.error(`There is no promise ${unknown.join(', ')}; there are ${Object.keys(PROMISES).join(', ')}.`);
  process.exit(2);
}

const folder = await mkdtemp(join(tmpdir(), 'lookout-soak-'));
const figures = join(folder, 'figures');
await writeFile(figures, '');
try {
  const broken = [];
  for (const atOnce of [2, 1]) {
    const names = wanted.filter((name) => PROMISES[name].atOnce === atOnce);
    if (names.length > 0 && !(await passes(names.flatMap((name) => PROMISES[name].tests), atOnce))) broken.push(...names);
  }
  await enter(await readFigures());
  if (broken.length > 0) console.log(`Not all tests of ${broken.join(', ')} passed: see above.`);
  process.exitCode = broken.length > 0 ? 1 : 0;
} finally {
  await rm(folder, { recursive: true });
}

async function passes(tests, atOnce) {
  const files = tests.map((name) => `test/${name}.test.ts`);
  const env = { ...process.env, LOOKOUT_FIGURES: figures, LOOKOUT_CRASH_KILLS: '200', FUZZ_REQUESTS: '500' };
  const child = spawn(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--maxWorkers', String(atOnce), ...files], { cwd: root, env, stdio: 'inherit' });
  return (await once(child, 'close'))[0] === 0;
}

/** What was measured, by promise. */
async function readFigures() {
  const found = new Map();
  for (const line of (await readFile(figures, 'utf8')).split('\n').filter(Boolean)) {
    const { promise, figure } = JSON.parse(line);
    found.set(promise, [...(found.get(promise) ?? []), figure]);
  }
  return found;
}

/** Each figure goes behind its promise's mark in the table. */
async function enter(found) {
  let text = await readFile(page, 'utf8');
  for (const [promise, figures] of found) {
    console.log(`${promise}: ${figures.join('; ')}`);
    text = text.replace(new RegExp(`(<!-- ${promise} -->)[^|\\n]*\\|`), (_, mark) => `${mark} ${figures.join('; ')} |`);
  }
  await writeFile(page, text);
}
