/**
 * One batch's road over a disk that fails: the server goes on, nothing is lost and nothing recorded twice.
 * LOOKOUT_CRASH_KILLS, set to anything, makes every single call of the road fail once.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BOTH, callsOfRoad, prepareRoads, runAndCheck, type Roads } from '../helpers/one-road.ts';
import { failing, hasStrace } from '../helpers/strace.ts';
import { tellFigure } from '../promises/figures.ts';

const EVERY = process.env['LOOKOUT_CRASH_KILLS'] === undefined ? 28 : 1;

let roads: Roads;

beforeAll(async () => {
  roads = await prepareRoads();
});
afterAll(() => roads.remove());

describe.skipIf(!hasStrace)('on a disk that fails (needs strace)', { retry: 0 }, () => {
  it.each([
    ['the books are full', 'write', 'ENOSPC', '1..2', 'books.ndjson'],
    ['the books cannot be synced', 'fdatasync', 'EIO', 1, 'books.ndjson'],
    ['the records are full', 'pwrite64', 'ENOSPC', '1..2', 'predictions.json'],
    ['the records cannot be synced', 'fdatasync', 'EIO', 1, 'predictions.json'],
  ] as const)('the server goes on and settles a batch when %s', async (_trouble, kind, error, when, file) => {
    const folder = await roads.prepare(BOTH);
    expect(await runAndCheck(folder, failing(kind, error, when, join(folder, 'data', file)))).toMatchObject({ isOver: true });
  });

  it('the server goes on whichever call of the road fails', async () => {
    const calls = await callsOfRoad(await roads.prepare(BOTH));
    const tried = calls.filter((_, index) => index % EVERY === 0);
    for (const { kind, n } of tried) {
      const end = await runAndCheck(await roads.prepare(BOTH), failing(kind, 'EIO', n)).catch((error: unknown) => {
        throw new Error(`${kind} ${n} failed: ${String(error)}`, { cause: error });
      });
      expect(end, `${kind} ${n}`).toMatchObject({ isOver: true });
    }
    tellFigure('kills', `${tried.length} of ${calls.length} calls failed once each with EIO, nothing lost`);
  }, 1_800_000);
});
