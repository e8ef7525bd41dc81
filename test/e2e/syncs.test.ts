/** How often one batch has to wait for the disk: what a machine pays for each batch of each camera. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BOTH, prepareRoads, syncsOfRoad, type Roads } from '../helpers/one-road.ts';
import { hasStrace } from '../helpers/strace.ts';

let roads: Roads;

beforeAll(async () => {
  roads = await prepareRoads();
});
afterAll(() => roads.remove());

/** Names that differ from run to run are put plainly; what the stream's end brings to the disk is left out. */
async function syncsOfBatch(models: readonly string[]): Promise<readonly string[]> {
  const plain = (await syncsOfRoad(await roads.prepare(models))).map((path) => path
    .replace(/\.[0-9a-f]{8}\.tmp$/, '').replace(/CAM_[0-9a-f]{8}-\w+/, '<batch>').replace(/CAM_[0-9a-f]{8}/, '<session>'));
  return plain.filter((path) => path !== 'data' && path !== 'data/streams.json' && path !== 'data/events.json');
}

const MANIFEST = ['frames/<session>/<batch>.json', 'frames/<session>'];

describe.skipIf(!hasStrace)('a batch on its road (needs strace)', () => {
  it('is synced with its manifest, with the count of its try, then in the log and in the books, and nowhere else', async () => {
    const syncs = await syncsOfBatch(['seeing']);
    expect(syncs.slice(0, 2)).toEqual(MANIFEST);
    expect(syncs.filter((path) => !MANIFEST.includes(path))).toEqual(['data/predictions.json', 'data/books.ndjson']);
    expect(syncs.length, syncs.join('\n')).toBeLessThanOrEqual(6);
  });

  it('has one more try and a dead letter to sync when one of two models fails', async () => {
    const syncs = await syncsOfBatch(BOTH);
    expect(syncs.length, syncs.join('\n')).toBeLessThanOrEqual(6 + 2 + 3);
  });
});
