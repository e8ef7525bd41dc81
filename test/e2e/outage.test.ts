/**
 * Everybody who follows is away for a while, all at a time, and comes again: records go on as if nothing were, and everything arrives,
 * in the order of its log. With LOOKOUT_FIGURES they are away for two minutes instead of twenty seconds.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DemoCamera } from '../../src/demo/index.ts';
import type { BatchRecord, EventEntry, FollowerStatus } from '../../src/types.ts';
import { jsonOf, keysOf } from '../followers/s3/fixtures.ts';
import { until } from '../helpers/app.ts';
import { startFourTargets, type FourTargets } from '../helpers/four-targets.ts';
import { runLookout, settle, startServer, type ServerProcess } from '../helpers/server-process.ts';
import { MODELS, startVisits } from '../helpers/visits.ts';
import { inFull, tellFigure } from '../promises/figures.ts';

const AWAY_MS = inFull ? 120_000 : 20_000;
/** The longest pause between two tries, and what a busy machine needs. */
const BACK_MS = 60_000;
const [INTERVAL_SECONDS, BATCH_SIZE] = [0.25, 4];
/** Each look at the followers counts what is before them, in files. */
const LOOK_MS = 200;

let folder: string;
let camera: DemoCamera;
let targets: FourTargets;
let server: ServerProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout-outage-'));
  [camera, targets] = await Promise.all([startVisits(folder, { seconds: 8, comes: 2, goes: 5 }), startFourTargets()]);
  await mkdir(join(folder, 'data'));
  await writeFile(join(folder, 'data', 'lookout.yaml'), JSON.stringify({
    events: [{ name: 'visits', quiet_seconds: 1 }],
    followers: targets.followers({ logs: ['records', 'events'] }),
  }), { mode: 0o600 });
  server = await startServer({ folder, flags: ['--models-dir', MODELS] });
}, 120_000);

afterAll(async () => {
  await server.stop();
  await Promise.all([camera.close(), targets.close()]);
  await rm(folder, { recursive: true, force: true });
});

const followers = async (): Promise<readonly FollowerStatus[]> => ((await server.ask('/api/followers')) as { readonly followers: readonly FollowerStatus[] }).followers;
const allAre = async (state: FollowerStatus['state']): Promise<boolean> => (await followers()).every((one) => one.state === state);
const haveAll = async (): Promise<boolean> => (await followers()).every(({ state, lag_items }) => state === 'idle' && lag_items === 0);
const inWords = (): string => server.output().slice(-4000);

/** As the command tells it: a state for each follower, and its exit code. */
async function listed(): Promise<{ readonly code: number | null; readonly states: readonly string[] }> {
  const command = await runLookout(['followers', 'list', '--url', server.url], { folder });
  const code = await command.ended;
  return { code, states: command.printed().trim().split('\n').map((line) => line.split(/\s+/)[2] ?? '') };
}

/** How long after the capture of its last frame each record appears, in milliseconds, until it is told to stop. */
function watchLatency(): { readonly latencies: readonly number[]; stop(): Promise<readonly number[]> } {
  const latencies: number[] = [];
  let isOver = false;
  async function watch(): Promise<void> {
    let known: string | null = null;
    while (!isOver) {
      const [newest] = ((await server.ask('/api/records?limit=1')) as { readonly records: readonly BatchRecord[] }).records;
      const last = newest?.batch.frames.at(-1);
      if (newest && last && newest.batch.id !== known) latencies.push(Date.now() - Date.parse(last.captured_at));
      known = newest?.batch.id ?? null;
      await delay(100);
    }
  }
  const watching = watch();
  // A test that fails has ended before.
  watching.catch(() => undefined);
  return {
    latencies,
    async stop() {
      isOver = true;
      await watching;
      return latencies;
    },
  };
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
const firstOf = (ids: readonly string[]): readonly string[] => [...new Set(ids)];
const idOf = (value: Readonly<Record<string, unknown>>): string => (value['kind'] === 'event' ? `${String(value['id'])}/${String(value['sequence'])}` : (value['batch'] as { readonly id: string }).id);

it(`brings everything to four targets that were away for ${AWAY_MS / 1000} s, and records as fast meanwhile`, { retry: 0, timeout: AWAY_MS + 240_000 }, async () => {
  await server.ask('/start_stream', { camera_id: 'gate', model_name: 'visitor', rtsp_url: camera.url('gate'), interval_seconds: INTERVAL_SECONDS, batch_size: BATCH_SIZE, capture_mode: 'keyframes' });
  const { hook, broker, listener, database, moto, s3, bucket } = targets;
  await until(async () => (await followers()).every(({ delivered }) => delivered > 2), 60_000, inWords, LOOK_MS);
  const before = watchLatency();
  await until(() => before.latencies.length >= 5, 30_000, inWords);
  const there = median(await before.stop());

  await Promise.all([hook.stop(), broker.stop(), database.stop('immediate'), moto.shut()]);
  const away = Date.now();
  const meanwhile = watchLatency();
  await until(() => allAre('waiting'), 20_000, inWords, LOOK_MS);
  expect(await listed()).toEqual({ code: 1, states: ['waiting', 'waiting', 'waiting', 'waiting'] });
  await delay(AWAY_MS - (Date.now() - away));
  const latencies = await meanwhile.stop();
  expect(await allAre('waiting')).toBe(true);
  expect(latencies.length).toBeGreaterThan(AWAY_MS / (1000 * INTERVAL_SECONDS * BATCH_SIZE) / 2);
  expect(median(latencies), `${there} ms while they were there`).toBeLessThan(there + 500);

  await Promise.all([hook.start(), broker.start(), database.start(), moto.open()]);
  const again = Date.now();
  await until(haveAll, BACK_MS, inWords, LOOK_MS);
  const caughtUp = Date.now() - again;
  await server.ask('/stop_stream', { camera_id: 'gate' });
  await settle(server);
  await until(haveAll, 20_000, inWords, LOOK_MS);
  expect(await listed()).toEqual({ code: 0, states: ['idle', 'idle', 'idle', 'idle'] });
  expect((await followers()).map(({ lost, set_aside }) => lost + set_aside)).toEqual([0, 0, 0, 0]);

  const records = (JSON.parse(await readFile(join(folder, 'data', 'predictions.json'), 'utf8')) as readonly BatchRecord[]).map(({ batch }) => batch.id);
  const entries = (await readFile(join(folder, 'data', 'events.ndjson'), 'utf8')).split('\n').filter(Boolean).map((line) => JSON.parse(line) as EventEntry);
  const events = entries.map(({ id, sequence }) => `${id}/${sequence}`);
  expect(entries.filter(({ at, state }) => state === 'begun' && Date.parse(at) > away && Date.parse(at) < again).length).toBeGreaterThan(0);

  const hooked = hook.requests.map(({ body }) => (JSON.parse(body) as { readonly data: Readonly<Record<string, unknown>> }).data);
  const published = await listener.settled();
  const topic = (name: string): readonly string[] => published.filter((one) => one.topic === `lookout/${name}`).map(({ id }) => String(id));
  const objects = await Promise.all((await keysOf(s3, bucket)).filter((key) => key.endsWith('.json')).map((key) => jsonOf(s3, bucket, key)));
  for (const [log, ids] of [['records', records], ['events', events]] as const) {
    const isOf = (value: Readonly<Record<string, unknown>>): boolean => (value['kind'] === 'event') === (log === 'events');
    expect(firstOf(hooked.filter(isOf).map(idOf)), 'hook').toEqual(ids);
    expect(firstOf(topic(log)), 'broker').toEqual(ids);
  }
  // Where an event is one thing, its last entry stands for it.
  const last = new Map(entries.map((entry) => [entry.id, entry]));
  expect(objects.map(idOf).sort()).toEqual([...records, ...[...last.values()].map(({ id, sequence }) => `${id}/${sequence}`)].sort());
  const rows = await database.sql('SELECT id, xmin::text::int AS "transaction" FROM lookout.records', 'lookout');
  expect(rows.map(({ id }) => id).sort()).toEqual([...records].sort());
  // Transactions are numbered as they begin.
  const written = new Map(rows.map((row) => [row['id'], Number(row['transaction'])]));
  const inOrder = records.map((id) => written.get(id) ?? NaN);
  expect(inOrder).toEqual([...inOrder].sort((a, b) => a - b));
  const told = await database.sql('SELECT id, sequence FROM lookout.events', 'lookout');
  expect(new Map(told.map(({ id, sequence }) => [id, sequence]))).toEqual(new Map([...last].map(([id, { sequence }]) => [id, sequence])));
  tellFigure('outage', `${AWAY_MS / 1000} s away: ${records.length} records and ${events.length} entries of events to each of four, ${(caughtUp / 1000).toFixed(1)} s after they were back; a record ${Math.round(median(latencies))} ms after its last frame, ${Math.round(there)} ms while they were there`);
});
