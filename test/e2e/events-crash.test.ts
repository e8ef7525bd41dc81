/**
 * Somebody comes and goes before a camera while the server is killed again and again at random moments: each visit is one event,
 * with one beginning and one end, and both followers have all of it. LOOKOUT_CRASH_KILLS=50 makes it fifty kills instead of six.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DemoCamera } from '../../src/demo/index.ts';
import type { BatchRecord, EventEntry, FollowerStatus } from '../../src/types.ts';
import { until } from '../helpers/app.ts';
import { expectBalance, readBooksByName } from '../helpers/books-by-name.ts';
import { watchFrames, type FrameWatcher } from '../helpers/frame-watcher.ts';
import { startHook, type Hook } from '../helpers/hook.ts';
import { createMosquitto, type Mosquitto } from '../helpers/mosquitto.ts';
import { listen, type Heard, type Listener } from '../helpers/mqtt-listener.ts';
import { alive, descendants } from '../helpers/process-tree.ts';
import { runLookout, settle, startServer, type ServerProcess } from '../helpers/server-process.ts';
import { MODELS, startVisits } from '../helpers/visits.ts';
import { tellFigure } from '../promises/figures.ts';

const KILLS = Number(process.env['LOOKOUT_CRASH_KILLS'] ?? 6);
const VISITS = { seconds: 12, comes: 3, goes: 8 };
/** Without anybody, until a visit is over. */
const QUIET = { looks: 3, seconds: 1.5 };
/** Longer than anybody stays, shorter than nobody is there. */
const APART_MS = 6000;
/** What was captured so shortly before a server died may be looked at once more, after what was captured later. */
const LATELY_MS = 5000;
const FLAGS = ['--models-dir', MODELS, '--model-retries', '10'];

let folder: string;
let camera: DemoCamera;
let watcher: FrameWatcher;
let hook: Hook;
let broker: Mosquitto;
let listener: Listener;
const heard: Heard[] = [];
/** When a server was killed. */
const kills: number[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout-events-'));
  camera = await startVisits(folder, VISITS);
  hook = await startHook();
  broker = await createMosquitto(() => ['allow_anonymous true']);
  await broker.start();
  listener = await listen(broker.port, heard);
  watcher = watchFrames(join(folder, 'frames'));
  await mkdir(join(folder, 'data'));
  await writeFile(join(folder, 'data', 'lookout.yaml'), JSON.stringify({
    events: [{ name: 'visits', quiet_looks: QUIET.looks, quiet_seconds: QUIET.seconds }],
    followers: [{ name: 'hook', type: 'webhook', url: hook.url }, { name: 'broker', type: 'mqtt', url: `mqtt://127.0.0.1:${broker.port}` }],
  }));
});

afterAll(async () => {
  watcher.close();
  await listener.close();
  await broker.remove();
  await hook.stop();
  await camera.close();
  await rm(folder, { recursive: true, force: true });
});

/** Every third time from its very start, while it may still take up what the last one left; else while it looks. */
async function runAndKill(round: number): Promise<void> {
  const server = await runLookout(['serve', '--port', '0', ...FLAGS], { folder });
  const before = watcher.frames.size;
  if (round % 3 !== 0) await until(() => watcher.frames.size > before, 30_000, server.output);
  await delay(Math.random() * 3000);
  const children = descendants(server.pid);
  server.kill('SIGKILL');
  kills.push(Date.now());
  expect(await server.ended, server.output()).toBeNull();
  await until(() => alive(children).length === 0, 5000, () => `alive after the server: ${JSON.stringify(alive(children))}`);
}

const eventsOf = async (server: ServerProcess, state: 'open' | 'ended'): Promise<readonly EventEntry[]> => ((await server.ask(`/api/events?state=${state}&limit=500`)) as { readonly events: readonly EventEntry[] }).events;

function grouped<Value>(values: readonly Value[], keyOf: (value: Value) => string): readonly (readonly Value[])[] {
  const groups = new Map<string, Value[]>();
  for (const value of values) groups.set(keyOf(value), [...(groups.get(keyOf(value)) ?? []), value]);
  return [...groups.values()];
}

/** When each frame was captured in which the visitor was seen, and each in which nobody was. */
async function sights(): Promise<{ readonly seen: readonly number[]; readonly missed: readonly number[] }> {
  const records = JSON.parse(await readFile(join(folder, 'data', 'predictions.json'), 'utf8')) as readonly BatchRecord[];
  const looks = records.flatMap((record) => {
    const { detections } = record['visitor'] as { readonly detections: readonly { readonly frame: number }[] };
    return record.batch.frames.map(({ captured_at }, index) => ({ time: Date.parse(captured_at), isSeen: detections.some(({ frame }) => frame === index) }));
  }).sort((a, b) => a.time - b.time);
  return { seen: looks.filter(({ isSeen }) => isSeen).map(({ time }) => time), missed: looks.filter(({ isSeen }) => !isSeen).map(({ time }) => time) };
}

/** Times of the first and the last frame of each visit. */
function visitsOf(times: readonly number[]): readonly { readonly first: number; readonly last: number }[] {
  const visits: { first: number; last: number }[] = [];
  for (const time of times) {
    const before = visits.at(-1);
    if (before && time - before.last < APART_MS) before.last = time;
    else visits.push({ first: time, last: time });
  }
  return visits;
}

it(`makes one event of each visit, and everybody hears of it, when it is killed ${KILLS} times`, { retry: 0, timeout: 60_000 + KILLS * 15_000 }, async () => {
  const first = await startServer({ folder, flags: FLAGS });
  await first.ask('/start_stream', { camera_id: 'gate', model_name: 'visitor', rtsp_url: camera.url('gate'), interval_seconds: 0.25, batch_size: 4, capture_mode: 'keyframes' });
  await until(async () => (await eventsOf(first, 'ended')).length > 1, 60_000, first.output, 250);
  await first.kill9();
  kills.push(Date.now());
  for (let round = 1; round < KILLS; round += 1) await runAndKill(round);

  const last = await startServer({ folder, flags: FLAGS });
  const before = (await eventsOf(last, 'ended')).length;
  await until(async () => (await eventsOf(last, 'open')).length === 0 && (await eventsOf(last, 'ended')).length > before, 60_000, last.output, 250);
  await last.ask('/stop_stream', { camera_id: 'gate' });
  const books = await settle(last);
  const followers = async (): Promise<readonly FollowerStatus[]> => ((await last.ask('/api/followers')) as { readonly followers: readonly FollowerStatus[] }).followers;
  await until(async () => (await followers()).every(({ state, lag_items }) => state === 'idle' && lag_items === 0), 20_000, last.output);
  expect(await last.stop()).toBe(0);

  const entries = (await readFile(join(folder, 'data', 'events.ndjson'), 'utf8')).split('\n').filter(Boolean).map((line) => JSON.parse(line) as EventEntry);
  const events = grouped(entries, ({ id }) => id);
  for (const own of events) {
    expect(own.map(({ sequence }) => sequence)).toEqual(own.map((_, index) => index));
    expect(own.map(({ state }) => state).filter((state) => state !== 'going_on')).toEqual(['begun', 'ended']);
    expect(own.at(-1)).toMatchObject({ state: 'ended', ended_by: 'quiet', alert: true, best: { picture: `${own[0]?.id ?? ''}.jpg` } });
  }

  const { seen, missed } = await sights();
  const visits = visitsOf(seen);
  const spans = events.map((own) => ({ id: own[0]?.id ?? '', from: Date.parse(own.at(-1)?.began_at ?? ''), to: Date.parse(own.at(-1)?.last_seen_at ?? '') }));
  const of = visits.map((visit) => spans.filter(({ from, to }) => from <= visit.last && to >= visit.first).map(({ id }) => id));
  expect(of.every((ids) => ids.length === 1), JSON.stringify({ visits, spans })).toBe(true);
  expect(new Set(of.flat()).size).toBe(spans.length);
  // Those between which a server died may be one: it had not looked often enough, or what it left was looked at too late.
  const apart = visits.flatMap((visit, index) => {
    const before = visits[index - 1];
    return before && !kills.some((at) => at > before.last && at < visit.first + LATELY_MS) ? [{ before, visit, events: [of[index - 1], of[index]] as const }] : [];
  });
  expect(apart.length).toBeGreaterThan(0);
  for (const { before, visit, events: [earlier, later] } of apart) {
    const between = missed.filter((time) => time > before.last && time < visit.first);
    if (between.length >= QUIET.looks && (between.at(-1) ?? 0) - before.last >= QUIET.seconds * 1000) expect(later, JSON.stringify({ before, visit, between })).not.toEqual(earlier);
  }

  const alerts = new Map(entries.filter(({ alert }) => alert).map((entry) => [`${entry.id}/${entry.sequence}`, entry]));
  const hooked = hook.requests.map(({ headers, body }) => [String(headers['webhook-id']), (JSON.parse(body) as { readonly data: unknown }).data] as const);
  const published = (await listener.settled()).filter(({ topic }) => topic === 'lookout/events').map(({ id, payload }) => [String(id), (JSON.parse(payload.toString()) as { readonly after: unknown }).after] as const);
  for (const got of [hooked, published]) {
    expect([...new Set(got.map(([id]) => id))]).toEqual([...alerts.keys()]);
    for (const [id, value] of got) expect(value).toMatchObject({ id: alerts.get(id)?.id, sequence: alerts.get(id)?.sequence, state: alerts.get(id)?.state });
  }
  expectBalance(await readBooksByName(folder), watcher.frames, books);
  tellFigure('events', `${KILLS} kills, ${seen.length} frames of ${visits.length} visits, ${events.length} events, ${alerts.size} entries to each of two followers, ${hooked.length - alerts.size + published.length - alerts.size} of them twice`);
});
