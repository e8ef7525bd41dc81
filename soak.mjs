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

/** The promises by the keys of their rows: their tests, and whether these mind others beside them. What is timed runs alone. */
const PROMISES = {
  torn: { tests: ['promises/torn-append', 'log/record-log'] },
  kills: { tests: ['e2e/crash-random', 'e2e/crash-injected', 'e2e/crash-errors', 'e2e/crash-again'] },
  events: { tests: ['e2e/events-crash'] },
  dog: { tests: ['promises/dog-on-the-road'], alone: true },
  outage: { tests: ['e2e/outage'], alone: true },
  broken: { tests: ['sources/feeds/native/endurance'] },
  dead: { tests: ['promises/dead-cameras'], alone: true },
  faults: { tests: ['e2e/faults', 'sources/reconnects'], alone: true },
  hosts: { tests: ['e2e/capture-hosts'], alone: true },
  reconnects: { tests: ['promises/reconnects'], alone: true },
  disk: { tests: ['e2e/disk-full'], alone: true },
  secrets: { tests: ['lib/secrets', 'promises/secrets'], alone: true },
  packets: { tests: ['promises/mutated-packets'], alone: true },
  fuzz: { tests: ['http/fuzz'], alone: true },
  interference: { tests: ['promises/interference'], alone: true },
  conditions: { tests: ['promises/conditions'], alone: true },
  hundred: { tests: ['promises/hundred-cameras'], alone: true },
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
  const together = wanted.filter((name) => !PROMISES[name].alone);
  if (together.length > 0 && !(await passes(together.flatMap((name) => PROMISES[name].tests)))) broken.push(...together);
  for (const name of wanted.filter((one) => PROMISES[one].alone)) {
    for (const test of PROMISES[name].tests) if (!(await passes([test]))) broken.push(name);
  }
  await enter(await readFigures());
  if (broken.length > 0) console.log(`Not all tests of ${broken.join(', ')} passed: see above.`);
  process.exitCode = broken.length > 0 ? 1 : 0;
} finally {
  await rm(folder, { recursive: true });
}

async function passes(tests) {
  const files = tests.map((name) => `test/${name}.test.ts`);
  const env = { ...process.env, LOOKOUT_FIGURES: figures, LOOKOUT_CRASH_KILLS: '200', FUZZ_REQUESTS: '500', LOOKOUT_TEST_WORKERS: '2' };
  const child = spawn(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...files], { cwd: root, env, stdio: 'inherit' });
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
