/**
 * One batch's road, killed at every n-th call that changes the disk; afterwards every frame is in exactly one place, by
 * name. A sample of the calls; LOOKOUT_CRASH_KILLS, set to anything, takes all of them.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BOTH, callsOfRoad, prepareRoads, runAndCheck, type Roads } from '../helpers/one-road.ts';
import { hasStrace, killedAt } from '../helpers/strace.ts';
import { tellFigure } from '../promises/figures.ts';

const EVERY = process.env['LOOKOUT_CRASH_KILLS'] === undefined ? 14 : 1;

let roads: Roads;

beforeAll(async () => {
  roads = await prepareRoads();
});
afterAll(() => roads.remove());

describe.skipIf(!hasStrace)('a server that is killed at a call of one batch\'s road (needs strace)', { retry: 0 }, () => {
  it.each([
    ['recorded with a dead letter of its own', BOTH, EVERY],
    ['dead-lettered', ['refusing'], EVERY * 3],
  ] as const)('has every frame of a batch that is %s in one place', async (outcome, models, every) => {
    const calls = await callsOfRoad(await roads.prepare(models));
    expect(calls.length).toBeGreaterThan(50);
    const tried = calls.filter((_, index) => index % every === 0);
    for (const call of tried) {
      await runAndCheck(await roads.prepare(models), killedAt(call)).catch((error: unknown) => {
        throw new Error(`killed at ${call.kind} ${call.n}: ${String(error)}`, { cause: error });
      });
    }
    tellFigure('kills', `killed at ${tried.length} of ${calls.length} calls of a batch that is ${outcome}`);
  }, 1_800_000);
});
