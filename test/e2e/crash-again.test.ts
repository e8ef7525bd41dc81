/**
 * Killed while it takes up what an earlier run left, begins its books anew or replays: every frame is in exactly one place,
 * by name. A sample of the calls; LOOKOUT_CRASH_KILLS, set to anything, takes all of them.
 */
import { cp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { replayLetter } from '../../src/pipeline/replay.ts';
import { count, readBooksByName } from '../helpers/books-by-name.ts';
import { watchFrames } from '../helpers/frame-watcher.ts';
import { BOTH, callsIn, callsOfRoad, KINDS, prepareRoads, QUIET, runRoad, settleAndCheck, type Roads } from '../helpers/one-road.ts';
import { runLookout, settle, startServer } from '../helpers/server-process.ts';
import { hasStrace, killedAt, ONE_FILE_THREAD, traced } from '../helpers/strace.ts';

const ALL = process.env['LOOKOUT_CRASH_KILLS'] !== undefined;
const EVERY = ALL ? 1 : 40;
/** Where on its road the batch is when the server is killed first, from 0 to 1. */
const FIRST_KILLS = ALL ? [0.2, 0.4, 0.6, 0.7, 0.8, 0.9] : [0.6];
const MOST_MS = 1_800_000;

let roads: Roads;

beforeAll(async () => {
  roads = await prepareRoads();
});
afterAll(() => roads.remove());

interface Plan {
  readonly folder: string;
  /** What is killed, in a copy of the folder; its exit code. */
  readonly act: (copy: string, under: readonly string[]) => Promise<number | null>;
  /** Kills begin with the first call that has these words in it. */
  readonly from: string;
  /** After each check. */
  readonly afterwards?: (copy: string, seen: ReadonlySet<string>) => Promise<void>;
}

/** Acts on a copy of the folder for each call that the act makes, killed there, and checks. */
async function killAtEach({ folder, act, from, afterwards }: Plan): Promise<void> {
  const before = [...(await readBooksByName(folder)).places.keys()];
  const copyOf = async (name: string): Promise<string> => {
    const copy = `${folder}-${name}`;
    await cp(folder, copy, { recursive: true });
    return copy;
  };
  const whole = await copyOf('whole');
  expect(await act(whole, traced(KINDS, join(whole, 'calls')))).toBe(0);
  const calls = await callsIn(join(whole, 'calls'), from);
  expect(calls.length).toBeGreaterThan(5);
  for (const call of calls.filter((_, index) => index % EVERY === 0)) {
    const copy = await copyOf(`${call.kind}-${call.n}`);
    const watcher = watchFrames(join(copy, 'frames'));
    try {
      await act(copy, killedAt(call));
      const seen = new Set([...before, ...watcher.frames]);
      await settleAndCheck(copy, seen);
      await afterwards?.(copy, seen);
      await rm(copy, { recursive: true });
    } catch (error) {
      throw new Error(`killed at ${call.kind} ${call.n}: ${String(error)}`, { cause: error });
    } finally {
      watcher.close();
    }
  }
}

/** What it makes for itself until it ends lies beside its folder: killed, it leaves it there. */
const replay = async (words: readonly string[], folder: string, under: readonly string[]): Promise<number | null> =>
  (await runLookout(['replay', '--model', 'seeing', ...QUIET, ...words], { folder, under, env: { ...ONE_FILE_THREAD, TMPDIR: dirname(folder) } })).ended;

describe.skipIf(!hasStrace)('killed again, every frame is in one place (needs strace)', { retry: 0 }, () => {
  it.each(FIRST_KILLS)('while the server recovers a batch that got to %d of its road', async (share) => {
    const calls = await callsOfRoad(await roads.prepare(BOTH));
    const first = calls[Math.round(share * calls.length)];
    if (!first) throw new Error('the road has no calls');
    const folder = await roads.prepare(BOTH);
    await runRoad(folder, killedAt(first));
    await killAtEach({
      folder,
      from: '/frames/.lookout.lock',
      async act(copy, under) {
        // Killed before it listens, while it recovers, or while it stops.
        const server = await startServer({ folder: copy, flags: QUIET, under, env: ONE_FILE_THREAD }).catch(() => null);
        if (!server) return null;
        await settle(server).catch(() => null);
        return server.stop();
      },
    });
  }, MOST_MS);

  it('while the server begins its books anew', async () => {
    const folder = await roads.prepare(BOTH);
    const names = (batch: number): readonly string[] => Array.from({ length: 40 }, (_, frame) => `OLD_0123abcd/${'x'.repeat(100)}_${batch}_${frame}.jpg`);
    const lines = Array.from({ length: 2000 }, (_, batch) => JSON.stringify({ camera_id: 'OLD', batch: `OLD-${batch}`, outcome: 'dropped', reason: 'queue_full', frames: 40, files: names(batch) }));
    await writeFile(join(folder, 'data', 'books.ndjson'), `${lines.join('\n')}\n`);
    await killAtEach({ folder, from: '/data/books.1', act: async (copy, under) => (await runRoad(copy, under)).code });
  }, MOST_MS);

  it('while a dead letter is replayed, and another replay records it', async () => {
    const folder = await roads.prepare(['refusing']);
    await runRoad(folder, []);
    expect(count(await readBooksByName(folder), 'dead_lettered')).toBe(3);
    await killAtEach({
      folder,
      from: '/frames/CAM_',
      act: (copy, under) => replay([], copy, under),
      async afterwards(copy, seen) {
        const again = await settleAndCheck(copy, seen, async ({ replay: parts }) => {
          for (const letter of await parts.deadLetters.list()) await replayLetter(letter, ['seeing'], parts);
        });
        expect(count(again, 'recorded')).toBe(3);
      },
    });
  }, MOST_MS);

  it('while stored frames are replayed', async () => {
    const folder = await roads.prepare([]);
    const pictures = [1, 2, 3].map((number) => join(roads.pictures, `${number}.jpg`));
    await killAtEach({ folder, from: '/frames/X_', act: (copy, under) => replay(['--camera', 'X', ...pictures], copy, under) });
  }, MOST_MS);
});
