/**
 * A dog comes onto a road with cars, seen by a real detector over an RTSP server by others: one event, with a clip that begins five
 * seconds before, at each of four followers, also when the server is killed again and again meanwhile. LOOKOUT_CRASH_KILLS=50 makes
 * it fifty times. It takes minutes: it runs where LOOKOUT_FIGURES is set.
 */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clockFilters } from '../../src/demo/clock-face.ts';
import type { BatchRecord, EventEntry, FollowerStatus } from '../../src/types.ts';
import { jsonOf, keysOf, objectOf } from '../followers/s3/fixtures.ts';
import { until } from '../helpers/app.ts';
import { readBinaryClocks } from '../helpers/binary-clock.ts';
import { startFourTargets, type FourTargets } from '../helpers/four-targets.ts';
import { readRecords } from '../helpers/records-file.ts';
import { settle, startServer, runLookout, type ServerProcess } from '../helpers/server-process.ts';
import { clip, hasPeer, startPeer, yolox, type Peer } from '../helpers/shared.ts';
import { inFull, tellFigure } from './figures.ts';

const KILLS = Number(process.env['LOOKOUT_CRASH_KILLS'] ?? 10);
/** Seconds of the clip, which is repeated: cars, the dog, cars. */
const [BEFORE, DOG, AFTER] = [20, 20, 40];
const [WIDTH, HEIGHT] = [768, 432];
const KEYFRAME_SECONDS = 2;
/** Longer than it is away for a look, shorter than it is away. */
const APART_MS = 30_000;

describe.skipIf(!inFull || !hasPeer)('a dog on the road (missed where LOOKOUT_FIGURES is not set, or ../shared is absent)', () => {
  let folder: string;
  let peer: Peer;
  let targets: FourTargets;
  let server: ServerProcess;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lookout-dog-'));
    const road = join(folder, 'road.mp4');
    const part = (input: number): string => `[${input}:v]scale=${WIDTH}:${HEIGHT},fps=12.5,setsar=1,format=yuv420p[p${input}]`;
    await promisify(execFile)('ffmpeg', [
      '-v', 'error', '-stream_loop', '-1', '-t', String(BEFORE), '-i', clip('car-detection.mp4'), '-t', String(DOG), '-i', clip('dog-street.mp4'), '-stream_loop', '-1', '-t', String(AFTER), '-i', clip('car-detection.mp4'),
      '-filter_complex', `${[0, 1, 2].map(part).join(';')};[p0][p1][p2]concat=n=3,${clockFilters('t', WIDTH, HEIGHT).join(',')}`,
      '-an', '-c:v', 'libx264', '-preset', 'veryfast', '-bf', '0', '-g', String(KEYFRAME_SECONDS * 12.5), '-keyint_min', String(KEYFRAME_SECONDS * 12.5), '-sc_threshold', '0', road,
    ]);
    [peer, targets] = await Promise.all([startPeer({ road }, 60), startFourTargets()]);
    await mkdir(join(folder, 'models', 'animals'), { recursive: true });
    await copyFile(yolox, join(folder, 'models', 'animals', 'yolox_nano.onnx'));
    await mkdir(join(folder, 'data'));
    await writeFile(join(folder, 'data', 'lookout.yaml'), JSON.stringify({
      events: [{ name: 'dogs', classes: ['dog'], confidence: 0.4, quiet_seconds: 8, clips: true }],
      followers: targets.followers(),
    }), { mode: 0o600 });
    server = await startServer({ folder });
    await server.ask('/start_stream', { camera_id: 'road', model_name: 'animals', rtsp_url: peer.url('road'), interval_seconds: 1 });
  }, 180_000);

  afterAll(async () => {
    await server.stop();
    await Promise.all([peer.close(), targets.close()]);
    await rm(folder, { recursive: true, force: true });
  });

  const inWords = (): string => server.output().slice(-4000);
  const ended = async (): Promise<readonly EventEntry[]> => ((await server.ask('/api/events?state=ended&limit=500')) as { readonly events: readonly EventEntry[] }).events;
  const haveAll = async (): Promise<boolean> => ((await server.ask('/api/followers')) as { readonly followers: readonly FollowerStatus[] }).followers.every(({ state, lag_items }) => state === 'idle' && lag_items === 0);

  /** What each follower was told of events, `id/sequence` of all entries and the last entry's clip, by event. */
  async function told(): Promise<Readonly<Record<'hook' | 'broker' | 'database' | 'bucket', ReadonlyMap<string, EventEntry>>>> {
    const { hook, listener, database, s3, bucket } = targets;
    const newest = (entries: readonly EventEntry[]): ReadonlyMap<string, EventEntry> => new Map(entries.map((entry) => [entry.id, entry]));
    return {
      hook: newest(hook.requests.map(({ body }) => (JSON.parse(body) as { readonly data: EventEntry }).data)),
      broker: newest((await listener.settled()).filter(({ topic }) => topic === 'lookout/events').map(({ payload }) => (JSON.parse(payload.toString()) as { readonly after: EventEntry }).after)),
      database: newest((await database.sql('SELECT entry FROM lookout.events', 'lookout')).map(({ entry }) => entry as EventEntry)),
      bucket: newest(await Promise.all((await keysOf(s3, bucket)).filter((key) => key.endsWith('.json')).map(async (key) => await jsonOf(s3, bucket, key) as unknown as EventEntry))),
    };
  }

  it('is one event, whose clip begins five seconds before, at each of four followers', { retry: 0, timeout: 300_000 }, async () => {
    await until(async () => (await ended()).length > 0, 240_000, inWords);
    const [event, ...others] = await ended();
    if (!event?.clip || !event.best.picture) throw new Error(`it has no clip or no picture: ${JSON.stringify(event)}`);
    expect(others).toEqual([]);
    expect(event).toMatchObject({ class: 'dog', ended_by: 'quiet', alert: true, clip: { made_of: 'video' } });

    const before = (Date.parse(event.began_at) - Date.parse(event.clip.begins_at)) / 1000;
    expect(before).toBeGreaterThanOrEqual(5 - 0.1);
    expect(before).toBeLessThan(5 + KEYFRAME_SECONDS + 0.3);
    const video = Buffer.from(await (await fetch(`${server.url}/api/events/${event.id}/clip.mp4`)).arrayBuffer());
    const file = join(folder, 'clip.mp4');
    await writeFile(file, video);
    const { stdout: first } = await promisify(execFile)('ffmpeg', ['-v', 'error', '-i', file, '-frames:v', '1', '-q:v', '2', '-f', 'mjpeg', 'pipe:1'], { encoding: 'buffer', maxBuffer: 1e8 });
    const best = Buffer.from(await (await fetch(`${server.url}/api/events/${event.id}/picture.jpg`)).arrayBuffer());
    const [shownFirst = NaN, shownBest = NaN] = await readBinaryClocks([first, best].map((jpeg) => ({ jpeg, expectedMs: 1000 * BEFORE })));
    expect(Math.abs(shownBest - shownFirst - (Date.parse(event.best.captured_at) - Date.parse(event.clip.begins_at)))).toBeLessThan(300);
    // By the clock in the picture: it comes at 20 s, and is looked for each second.
    const seconds = shownFirst / 1000;
    expect(seconds).toBeGreaterThan(BEFORE - 5 - KEYFRAME_SECONDS - 0.5);
    expect(seconds).toBeLessThan(BEFORE - 5 + 3);

    await until(haveAll, 30_000, inWords);
    for (const [name, entries] of Object.entries(await told())) expect([...entries.values()].map(({ id, sequence, state, clip: own }) => ({ id, sequence, state, clip: own })), name).toEqual([{ id: event.id, sequence: event.sequence, state: 'ended', clip: event.clip }]);
    const { s3, bucket } = targets;
    const [key = ''] = (await keysOf(s3, bucket)).filter((one) => one.endsWith('.mp4'));
    expect((await objectOf(s3, bucket, key)).bytes.equals(video)).toBe(true);
    tellFigure('dog', `a dog on a road over an RTSP server by others: one event at each of four followers, with a clip from ${before.toFixed(1)} s before`);
  });

  it(`is one event each time that it comes, with one end, at each of four followers, when the server is killed ${KILLS} times`, { retry: 0, timeout: 300_000 + KILLS * 20_000 }, async () => {
    await server.kill9();
    for (let round = 1; round < KILLS; round += 1) {
      const again = await runLookout(['serve', '--port', '0', '--model-retries', '50'], { folder });
      await delay(500 + Math.random() * 6000);
      again.kill('SIGKILL');
      await again.ended;
    }
    server = await startServer({ folder, flags: ['--model-retries', '50'] });
    const known = (await ended()).length;
    await until(async () => (await ended()).length > known, 240_000, inWords);
    await server.ask('/stop_stream', { camera_id: 'road' });
    await settle(server);
    await until(haveAll, 60_000, inWords);

    const entries = (await readFile(join(folder, 'data', 'events.ndjson'), 'utf8')).split('\n').filter(Boolean).map((line) => JSON.parse(line) as EventEntry);
    const last = new Map(entries.map((entry) => [entry.id, entry]));
    for (const { id } of last.values()) {
      const own = entries.filter((entry) => entry.id === id);
      expect(own.map(({ sequence }) => sequence)).toEqual(own.map((_, index) => index));
      expect(own.map(({ state }) => state).filter((state) => state !== 'going_on')).toEqual(['begun', 'ended']);
    }
    const visits: { first: number; last: number }[] = [];
    for (const time of sightings(await readRecords(join(folder, 'data', 'predictions.json')))) {
      const before = visits.at(-1);
      if (before && time - before.last < APART_MS) before.last = time;
      else visits.push({ first: time, last: time });
    }
    const of = visits.map((visit) => [...last.values()].filter((one) => Date.parse(one.began_at) <= visit.last && Date.parse(one.last_seen_at) >= visit.first).map(({ id }) => id));
    expect(of.map((ids) => ids.length), JSON.stringify({ visits, events: [...last.values()].map(({ began_at, last_seen_at }) => [began_at, last_seen_at]) })).toEqual(visits.map(() => 1));
    expect(new Set(of.flat()).size).toBe(last.size);
    for (const [name, at] of Object.entries(await told())) expect([...at.values()].map(({ id, sequence, state }) => `${id}/${sequence} ${state}`).sort(), name).toEqual([...last.values()].filter(({ alert }) => alert).map(({ id, sequence, state }) => `${id}/${sequence} ${state}`).sort());
    tellFigure('dog', `${KILLS} kills while a dog came ${visits.length} times: ${last.size} events, each with one end, at each of four followers`);
  });
});

/** When each frame was captured in which the dog was seen, in order. */
function sightings(records: readonly BatchRecord[]): readonly number[] {
  return records.flatMap((record) => {
    const { detections } = record['stray_animal'] as { readonly detections: readonly { readonly class: string; readonly confidence: number; readonly frame: number }[] };
    return detections.filter((one) => one.class === 'dog' && one.confidence >= 0.4).map(({ frame }) => Date.parse(record.batch.frames.find(({ index }) => index === frame)?.captured_at ?? ''));
  }).sort((a, b) => a - b);
}
