/** The follower that writes into a PostgreSQL, against a real one. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import * as member from '../../src/followers/postgres.ts';
import type { PostgresSettings } from '../../src/followers/postgres/settings.ts';
import { enrich } from '../../src/record/enrich.ts';
import type { Answers, Batch, EventEntry, FollowerContext, Follower, Item, Json, ModelIdentity } from '../../src/types.ts';
import { contextOf, eventItem, followerContract, recordItem, reviewItem } from '../contracts/follower.ts';
import { until } from '../helpers/app.ts';
import { hasOpenssl } from '../helpers/openssl.ts';
import { createPostgres, PASSWORD, type PostgresServer } from '../helpers/postgres-server.ts';
import { canMount, mountSmallDisk } from '../helpers/small-disk.ts';

const never = new AbortController().signal;
let server: PostgresServer;
beforeAll(async () => {
  server = await createPostgres();
  await server.start();
  await server.sql(`CREATE ROLE writer LOGIN PASSWORD '${PASSWORD}'; CREATE ROLE grafana LOGIN`);
});
afterAll(() => server.remove());

const settingsOf = (url: string, more: Partial<PostgresSettings> = {}): PostgresSettings => ({ url, schema: 'lookout', tls: null, ca: null, timeout_seconds: 10, timescale: false, ...more });

function followerOf(settings: PostgresSettings, more: Partial<FollowerContext<PostgresSettings>> = {}): Follower {
  const follower = member.create(contextOf(settings, more));
  onTestFinished(() => follower.close());
  return follower;
}

let databases = 0;
/** A database that belongs to an ordinary user, or where `as` is `postgres`, to the one who may do everything. */
async function database(as: 'writer' | 'postgres' = 'writer'): Promise<{ name: string; url: string; sql: (text: string) => ReturnType<PostgresServer['sql']> }> {
  databases += 1;
  const name = `test${databases}`;
  await server.sql(`CREATE DATABASE ${name} OWNER ${as}`);
  return { name, url: server.url(name, as), sql: (text) => server.sql(text, name) };
}

/** A record as it may come from any program. */
function foreign(value: unknown, more: Partial<Item> = {}): Item {
  return { log: 'records', id: 'f'.repeat(64), camera_id: 'gate', time: null, value: value as Item['value'], bytes: 100, ...more };
}

const failureOf = (promise: Promise<unknown>): Promise<unknown> => promise.then((value) => { throw new Error(`it did not fail: ${JSON.stringify(value)}`); }, (error: unknown) => error);

followerContract<PostgresSettings>('postgres', {
  member,
  secret: PASSWORD,
  unordered: true,
  async target() {
    await server.sql('CREATE DATABASE contract');
    return {
      settings: settingsOf(server.url('contract')),
      start: () => server.start(),
      stop: () => server.stop('immediate'),
      async received() {
        const made = await server.sql('SELECT to_regclass(\'lookout.records\') IS NOT NULL AS made', 'contract');
        if (made[0]?.['made'] !== true) return [];
        const rows = await server.sql('SELECT id FROM lookout.records UNION ALL SELECT id || \'/\' || sequence FROM lookout.events', 'contract');
        return rows.map(({ id }) => String(id));
      },
      remove: () => Promise.resolve(),
    };
  },
});

describe('its settings', () => {
  it('show a target without user and password', () => {
    expect(member.target(settingsOf('postgres://me:hidden@db.example.org/lookout'))).toBe('db.example.org:5432/lookout');
    expect(member.target(settingsOf('postgresql://me@[::1]:6000/a%20b'))).toBe('[::1]:6000/a b');
    expect(member.target(settingsOf('postgres://me@%2Fvar%2Frun%2Fpostgresql/lookout'))).toBe('/var/run/postgresql:5432/lookout');
    expect(member.secrets).toContain('url');
  });

  it.each([
    ['mysql://me:hidden@host/lookout', {}, /no address of a PostgreSQL/],
    ['postgres://me:hidden/word@host/lookout', {}, /no address of a PostgreSQL/],
    ['postgres://me:hidden@host', {}, /names no database/],
    ['postgres://host/lookout', {}, /names no user/],
    ['postgres://me:hidden@host/lookout?sslmode=require', {}, /no parameters/],
    ['postgres://me:hidden@host/lookout', { schema: 'Look out' }, /no plain name/],
    ['postgres://me:hidden@host/lookout', { schema: 'pg_lookout' }, /no plain name/],
    ['postgres://me:hidden@host/lookout', { tls: 'any', ca: 'ca.pem' }, /no meaning/],
  ] as const)('are refused where they are wrong, without a word of the password: %s %o', (url, more, words) => {
    const fault = member.fault(settingsOf(url, more));
    expect(fault).toMatch(words);
    expect(fault).not.toContain('hidden');
  });

  it('are right as documented', () => {
    expect(member.fault(settingsOf('postgres://lookout:secret@db.example.org:5432/lookout'))).toBeNull();
    expect(member.fault(settingsOf('postgres://lookout@%2Fvar%2Frun%2Fpostgresql/lookout'))).toBeNull();
  });
});

describe('what it says of a database', () => {
  it('is the version, whether PostGIS is there, and what was made', async () => {
    const { url } = await database('postgres');
    const follower = followerOf(settingsOf(url));
    expect(await follower.test(never)).toMatch(/^PostgreSQL \d+\.\d+.* without PostGIS; the schema lookout is made with the first delivery$/);
    await follower.deliver([recordItem(1)], never);
    expect(await follower.test(never)).toMatch(/ with PostGIS \d+\.\d+\.\d+; the schema lookout has version 2$/);
  });

  it.each([
    ['a wrong password', (name: string) => server.url(name, 'writer', 'falsch1'), /password authentication failed for user "writer" \(28P01\); see user and password/],
    ['no password', (name: string) => server.url(name, 'writer', ''), /the server asks for one, and url has none/],
    ['no such database', () => server.url('nowhere', 'writer'), /database "nowhere" does not exist \(3D000\); make it/],
    ['nobody there', () => 'postgres://writer:geheim@127.0.0.1:1/lookout', /ECONNREFUSED/],
    ['a name that is none', () => 'postgres://writer:geheim@nowhere.invalid/lookout', /ENOTFOUND|EAI_AGAIN/],
  ])('tells %s in words, and is the target\'s fault', async (_what, urlOf, words) => {
    const { name } = await database();
    const follower = followerOf(settingsOf(urlOf(name), { tls: 'off' }));
    for (const failure of [await failureOf(follower.test(never)), await failureOf(follower.deliver([recordItem(1)], never))]) {
      expect(failure).toMatchObject({ code: 'target_away', message: expect.stringMatching(words) as unknown });
      expect(String(failure)).not.toMatch(/geheim|falsch/);
    }
  });

  it('goes by its settings alone, and not by what the environment says to other programs', async () => {
    const { name, url } = await database();
    onTestFinished(() => { vi.unstubAllEnvs(); });
    for (const [variable, value] of [['PGHOST', 'nowhere.invalid'], ['PGPASSWORD', PASSWORD], ['PGSSLMODE', 'require'], ['PGDATABASE', 'nowhere']] as const) vi.stubEnv(variable, value);
    expect(await followerOf(settingsOf(url)).test(never)).toMatch(/^PostgreSQL /);
    expect(await failureOf(followerOf(settingsOf(server.url(name, 'writer', ''))).test(never))).toMatchObject({ code: 'target_away', message: expect.stringMatching(/url has none/) as unknown });
  });

  it('says beforehand that the schema cannot be made, or nothing written', async () => {
    const { name, url, sql } = await database('postgres');
    const follower = followerOf(settingsOf(server.url(name, 'writer')));
    expect(await failureOf(follower.test(never))).toMatchObject({ code: 'target_away', message: expect.stringMatching(/may not CREATE/) as unknown });
    expect(await failureOf(follower.deliver([recordItem(1)], never))).toMatchObject({ code: 'target_away', message: expect.stringMatching(/permission denied.*42501.*needs CREATE/) as unknown });
    await sql('CREATE SCHEMA lookout AUTHORIZATION writer');
    expect(await follower.deliver([recordItem(1)], never)).toEqual([]);

    await sql(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    const standby = followerOf(settingsOf(url));
    expect(await failureOf(standby.test(never))).toMatchObject({ code: 'target_away', message: expect.stringMatching(/standby/) as unknown });
    expect(await failureOf(standby.deliver([recordItem(1)], never))).toMatchObject({ code: 'target_away', message: expect.stringMatching(/25006.*standby/) as unknown });
  });

  it('goes through a socket too', async () => {
    const { name } = await database();
    const url = `postgres://writer:${encodeURIComponent(PASSWORD)}@${encodeURIComponent(server.folder)}:${server.port}/${name}`;
    expect(await followerOf(settingsOf(url)).test(never)).toMatch(/^PostgreSQL /);
  });
});

describe('its tables', () => {
  it('are made once, by whoever comes first, and not before something is delivered', async () => {
    const { url, sql } = await database();
    const two = [followerOf(settingsOf(url)), followerOf(settingsOf(url))];
    expect(await sql('SELECT to_regnamespace(\'lookout\')::text AS name')).toEqual([{ name: null }]);
    expect(await Promise.all(two.map((follower, number) => follower.deliver([recordItem(number), eventItem(number)], never)))).toEqual([[], []]);
    expect(await sql('SELECT version FROM lookout.migrations')).toEqual([{ version: 1 }, { version: 2 }]);
    expect(await sql('SELECT (SELECT count(*)::int FROM lookout.records) AS records, (SELECT count(*)::int FROM lookout.events) AS events')).toEqual([{ records: 2, events: 2 }]);
  });

  it('of a newer Lookout are left alone', async () => {
    const { url, sql } = await database();
    await sql('CREATE SCHEMA lookout AUTHORIZATION writer; SET ROLE writer; CREATE TABLE lookout.migrations (version integer); INSERT INTO lookout.migrations VALUES (7)');
    const follower = followerOf(settingsOf(url));
    const words = expect.stringMatching(/made by a newer Lookout: it has version 7, and this one knows 2/) as unknown;
    expect(await failureOf(follower.deliver([recordItem(1)], never))).toMatchObject({ code: 'target_away', message: words });
    expect(await failureOf(follower.test(never))).toMatchObject({ code: 'target_away', message: words });
  });

  it('stand in the schema that is set, and leave other tables of their names alone', async () => {
    const { url, sql } = await database();
    await sql('CREATE TABLE public.events (id integer); CREATE TABLE public.migrations (id integer)');
    expect(await followerOf(settingsOf(url, { schema: 'watch_1' })).deliver([eventItem(1)], never)).toEqual([]);
    expect(await sql('SELECT class, (SELECT count(*)::int FROM public.events) AS other FROM watch_1.events')).toEqual([{ class: 'dog', other: 0 }]);
  });

  it('have no position where PostGIS cannot be had', async () => {
    const { url, sql } = await database();
    const said: string[] = [];
    const follower = followerOf(settingsOf(url), { log: { warn: (message) => said.push(message), info: (message) => said.push(message) } });
    expect(await follower.deliver([eventItem(1)], never)).toEqual([]);
    expect(said).toEqual([expect.stringMatching(/^PostGIS is not used.*permission denied/)]);
    expect(await sql('SELECT latitude, longitude FROM lookout.events')).toEqual([{ latitude: 48.1, longitude: 11.5 }]);
    expect(await sql('SELECT FROM information_schema.columns WHERE table_schema = \'lookout\' AND column_name = \'position\'')).toEqual([]);
  });

  it('have positions with PostGIS, wherever it was put', async () => {
    const { url, sql } = await database();
    await sql('CREATE SCHEMA "Geo data"; CREATE EXTENSION postgis SCHEMA "Geo data"; GRANT USAGE ON SCHEMA "Geo data" TO writer');
    expect(await followerOf(settingsOf(url)).deliver([eventItem(1), eventItem(2, { place: null })], never)).toEqual([]);
    expect(await sql('SELECT "Geo data".ST_AsText(position) AS position FROM lookout.events ORDER BY id')).toEqual([{ position: 'POINT(11.5 48.1)' }, { position: null }]);
    expect(await sql('SELECT id, "Geo data".ST_AsText(position) AS position FROM lookout.cameras')).toEqual([{ id: 'gate', position: 'POINT(11.5 48.1)' }]);
  });

  it('are those of TimescaleDB only where that is there', async () => {
    const { url, sql } = await database();
    const follower = followerOf(settingsOf(url, { timescale: true }));
    expect(await failureOf(follower.deliver([recordItem(1)], never))).toMatchObject({ code: 'target_away', message: expect.stringMatching(/create_hypertable/) as unknown });
    expect(await sql('SELECT to_regnamespace(\'lookout\')::text AS name')).toEqual([{ name: null }]);
    // It does to the column what TimescaleDB does; nothing else of it is here.
    await sql(`CREATE FUNCTION public.create_hypertable(relation regclass, time_column_name name) RETURNS void LANGUAGE plpgsql
      AS $$ BEGIN EXECUTE format('ALTER TABLE %s ALTER %I SET NOT NULL', relation, time_column_name); END $$`);
    const untimed = foreign({ complaint_type: { garbage: [{ class: 'bag', confidence: 0.5, box: [0, 0, 1, 1] }] } });
    expect(await follower.deliver([untimed], never)).toEqual([]);
    expect(await sql('SELECT class, captured_at FROM lookout.detections')).toEqual([{ class: 'bag', captured_at: new Date(0) }]);
    expect(await follower.deliver([untimed], never)).toEqual([]);
  });
});

const IDENTITY: ModelIdentity = { version: '1', runtime: 'python', detector: null, fingerprint: null, code: null };
const BATCH: Batch = {
  id: 'gate_0123abcd-1', camera_id: 'gate', session: 'gate_0123abcd', closed_by: 'deadline', models: ['animals', 'helmets'],
  frames: [0, 1].map((sequence) => ({ key: `gate_0123abcd/gate_${sequence}.jpg`, sequence, captured_at: `2026-03-01T12:00:0${sequence * 3}.250Z`, width: 64, height: 48 })),
  options: { interval_seconds: 3, batch_size: 2, batch_deadline_seconds: 60, capture_mode: 'auto', transport: 'tcp', video_track: 1, tls: 'verify', duration_seconds: null, clips: false, on_demand: false, linger_seconds: 30 },
  attempts: 1,
};
const look = (...detections: readonly { readonly class: string; readonly confidence: number }[]) => ({ detections, inference_ms: 5, identity: IDENTITY });
const ANSWERS: Answers = {
  animals: [look(), look({ class: 'dog', confidence: 0.75, ...{ box: [1, 2, 30, 40.5], track: 'a7', attributes: { colour: 'brown' } } })],
  helmets: [look({ class: 'bare head', confidence: 0.5 }), look()],
};

describe('records', () => {
  it.each(['v1', 'v2', 'v3'] as const)('of the format %s become rows, and a row for each detection', async (format) => {
    const { url, sql } = await database();
    const record = enrich({
      batch: BATCH, answers: ANSWERS, camera: { id: 'gate', latitude: 48.1, longitude: 11.5 }, snapshot: { index: 1, width: 64, height: 48, jpeg: Buffer.from('/9j/', 'base64') }, damaged: [],
      models: { animals: { section: 'stray_animal' }, helmets: { section: null } }, host_ip: '10.0.0.1', settings: { record_format: format, record_when: null, time_zone: 'Europe/Berlin' },
    });
    const value = JSON.parse(JSON.stringify(record)) as Item['value'];
    const item: Item = { log: 'records', id: BATCH.id, camera_id: 'gate', time: '2026-03-01T13:00:00.250+01:00', value, bytes: 1000 };
    expect(await followerOf(settingsOf(url)).deliver([item], never)).toEqual([]);

    const [row] = await sql('SELECT * FROM lookout.records');
    const stored = JSON.parse(JSON.stringify(record, (key, one: unknown) => (key === 'frame_base64' ? undefined : one))) as unknown;
    expect(row).toEqual({
      id: BATCH.id, camera_id: 'gate', captured_at: new Date('2026-03-01T12:00:00.250Z'), ended_at: new Date('2026-03-01T12:00:03.250Z'), session: 'gate_0123abcd',
      closed_by: 'deadline', format, models: ['animals', 'helmets'], frames: 2, record: stored,
    });
    expect(JSON.stringify(row)).not.toContain('/9j/');
    const detections = await sql('SELECT * FROM lookout.detections ORDER BY number');
    const common = { record_id: BATCH.id, camera_id: 'gate' };
    expect(detections).toEqual([
      {
        ...common, number: 0, frame: 1, captured_at: new Date('2026-03-01T12:00:03.250Z'), section: 'stray_animal', model: null, class: 'dog', confidence: 0.75,
        x1: 1, y1: 2, x2: 30, y2: 40.5, extra: { track: 'a7', attributes: { colour: 'brown' } },
      },
      {
        ...common, number: 1, frame: 0, captured_at: new Date('2026-03-01T12:00:00.250Z'), section: 'helmets', model: 'helmets', class: 'bare head', confidence: 0.5,
        x1: null, y1: null, x2: null, y2: null, extra: null,
      },
    ]);
    expect(await sql('SELECT * FROM lookout.cameras')).toEqual([{ id: 'gate', latitude: 48.1, longitude: 11.5, last_seen_at: new Date('2026-03-01T12:00:00.250Z') }]);
  });

  it('that come again replace themselves and their detections', async () => {
    const { url, sql } = await database();
    const follower = followerOf(settingsOf(url));
    const of = (...classes: readonly string[]): Item => recordItem(1, { animals: { detections: classes.map((name) => ({ class: name, confidence: 1, frame: 0 })) } });
    await follower.deliver([of('dog', 'cat', 'cow')], never);
    expect(await follower.deliver([of('dog'), recordItem(2), of('dog', 'horse')], never)).toEqual([]);
    expect(await sql('SELECT class FROM lookout.detections ORDER BY number')).toEqual([{ class: 'dog' }, { class: 'horse' }]);
    expect(await sql('SELECT count(*)::int FROM lookout.records')).toEqual([{ count: 2 }]);
  });

  it('take their detections along when somebody removes them', async () => {
    const { url, sql } = await database();
    await followerOf(settingsOf(url)).deliver([1, 2].map((number) => recordItem(number, { animals: { detections: [{ class: 'dog', confidence: 1, frame: 0 }] } })), never);
    await sql('DELETE FROM lookout.records WHERE captured_at < \'2026-01-01T00:00:02Z\'');
    expect(await sql('SELECT captured_at FROM lookout.detections')).toEqual([{ captured_at: new Date('2026-01-01T00:00:02.000Z') }]);
  });

  it('of other programs are stored as they are, and what no column holds is null', async () => {
    const { url, sql } = await database();
    const follower = followerOf(settingsOf(url));
    const nested = JSON.parse(`${'['.repeat(1000)}${']'.repeat(1000)}`) as Json;
    const items = [
      foreign({}, { id: 'empty', camera_id: '' }),
      foreign({ batch: 'none', models: [1, 2], complaint_type: 7, basic: [], anything: { detections: 'many' } }, { id: 'strange' }),
      foreign({ complaint_type: { stray_animal: [{ class: 'dog', confidence: 0.5, box: [1, 2, 3, 4] }], pothole: 0 }, Latitude: 1e300, Longitude: '11' }, { id: 'flask', time: 'yesterday' }),
      foreign({ basic: { camID: 'gate', Latitude: 91, Longitude: 0 }, batch: { ended_at: '0000-01-01T00:00:00Z', frames: [{ index: 0, captured_at: '9999-12-31T23:59:59-14:00' }] } }, { id: 'times', time: '2026-02-30T99:00:00Z' }),
      foreign({
        odd: { detections: [null, 3, 'x', { class: 5, confidence: '0.9', box: { x: 1 }, frame: 2 ** 40, model: 7, more: 1e308 }, { confidence: -1e308, box: [1, 2, 3], frame: 0.5 }, { class: 'a\0b\ud800c', frame: -1 }] },
      }, { id: 'types' }),
      foreign({ nested, text: 'nul \0, half \udc00 of a pair, \\u0000 and \\ud800 as they are written, 🐕', ['key\0']: 1 }, { id: 'nul\0' }),
    ];
    expect(await follower.deliver(items, never)).toEqual([]);
    expect(await sql('SELECT id, camera_id, captured_at, ended_at, format FROM lookout.records ORDER BY id')).toEqual([
      { id: 'empty', camera_id: '', captured_at: null, ended_at: null, format: null },
      { id: 'flask', camera_id: 'gate', captured_at: null, ended_at: null, format: 'v2' },
      { id: 'nul\ufffd', camera_id: 'gate', captured_at: null, ended_at: null, format: null },
      { id: 'strange', camera_id: 'gate', captured_at: null, ended_at: null, format: null },
      { id: 'times', camera_id: 'gate', captured_at: null, ended_at: null, format: 'v1' },
      { id: 'types', camera_id: 'gate', captured_at: null, ended_at: null, format: null },
    ]);
    expect(await sql('SELECT class, confidence, frame, model, x1, extra FROM lookout.detections WHERE record_id = \'types\' ORDER BY number')).toEqual([
      { class: null, confidence: null, frame: null, model: null, x1: null, extra: { class: 5, confidence: '0.9', box: { x: 1 }, frame: 2 ** 40, model: 7, more: 1e308 } },
      { class: null, confidence: -1e308, frame: null, model: null, x1: null, extra: { box: [1, 2, 3], frame: 0.5 } },
      { class: 'a\ufffdb\ufffdc', confidence: null, frame: -1, model: null, x1: null, extra: null },
    ]);
    const [row] = await sql('SELECT record FROM lookout.records WHERE id = \'nul\ufffd\'');
    expect(row?.['record']).toEqual({ nested, text: 'nul \ufffd, half \ufffd of a pair, \\u0000 and \\ud800 as they are written, 🐕', ['key\ufffd']: 1 });
    expect(await sql('SELECT latitude, longitude FROM lookout.cameras')).toEqual([{ latitude: null, longitude: null }]);
  });

  it('that no database takes are refused alone', async () => {
    const { url, sql } = await database();
    const deep = (depth: number): Json => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`) as Json;
    const random = Array.from({ length: 4000 }, (_, number) => String.fromCodePoint(0x4e00 + ((number * 7919) ** 2 % 20_000))).join('');
    const bad = [foreign({ deep: deep(100_000) }, { id: 'deep' }), foreign({}, { id: random })];
    const good = Array.from({ length: 20 }, (_, number) => recordItem(number));
    const refused = await followerOf(settingsOf(url)).deliver([...good.slice(0, 7), bad[0] as Item, ...good.slice(7, 9), bad[1] as Item, ...good.slice(9)], never);
    expect(refused.map(({ item }) => item.id)).toEqual(['deep', random]);
    expect(refused.map(({ reason }) => reason)).toEqual([expect.stringMatching(/cannot be written as JSON|stack depth/), expect.stringMatching(/index row .*\(54000\)/)]);
    expect(await sql('SELECT count(*)::int FROM lookout.records')).toEqual([{ count: 20 }]);
  });
});

describe('events', () => {
  it('stand in one row, as their newest entry says, whenever it comes', async () => {
    const { url, sql } = await database();
    const follower = followerOf(settingsOf(url));
    const entry = (sequence: number, more: Parameters<typeof eventItem>[1] = {}): Item => eventItem(1, { sequence, ...more });
    const ended = entry(2, { state: 'ended', ended_at: '2026-01-01T00:01:00.000Z', ended_by: 'quiet', frames: 9, clip: { id: 'clip-1', made_of: 'video', begins_at: '2026-01-01T00:00:00.000Z', ends_at: '2026-01-01T00:01:00.000Z' }, batches: ['b1', 'b2'], alert: false, suppressed: 'cooldown' });
    await follower.deliver([entry(0), entry(1, { state: 'going_on', frames: 5 })], never);
    expect(await sql('SELECT sequence, state, frames, ended_at FROM lookout.events')).toEqual([{ sequence: 1, state: 'going_on', frames: 5, ended_at: null }]);
    expect(await follower.deliver([ended, entry(1, { state: 'going_on' }), entry(0)], never)).toEqual([]);
    expect(await follower.deliver([entry(1, { state: 'going_on' })], never)).toEqual([]);
    const at = new Date('2026-01-01T00:00:01.000Z');
    expect(await sql('SELECT * FROM lookout.events')).toEqual([{
      id: ended.value['id'], sequence: 2, state: 'ended', at, camera_id: 'gate', latitude: 48.1, longitude: 11.5, rule: 'default', section: 'animals', class: 'dog', models: ['animals'],
      alert: false, suppressed: 'cooldown', began_at: at, last_seen_at: at, ended_at: new Date('2026-01-01T00:01:00.000Z'), ended_by: 'quiet', frames: 9, best_captured_at: at, confidence: 0.9,
      x1: 1, y1: 2, x2: 30, y2: 40, width: 64, height: 48, picture: '019b76da-a800-7000-8000-000000000001.jpg', clip: 'clip-1', batches: ['b1', 'b2'], entry: ended.value, verdict: null, keep: false,
    }]);
  });

  it('have what was said of them last, whatever entries come, also in tables of before', async () => {
    const { url, sql } = await database();
    const rows = (): ReturnType<typeof sql> => sql('SELECT right(id, 1) AS number, state, verdict, keep FROM lookout.events ORDER BY id');
    await followerOf(settingsOf(url)).deliver([eventItem(1), eventItem(2)], never);
    await sql('ALTER TABLE lookout.events DROP COLUMN verdict, DROP COLUMN keep; DELETE FROM lookout.migrations WHERE version = 2');
    const follower = followerOf(settingsOf(url));
    expect(await follower.test(never)).toContain('has version 1, and gets 2 with the first delivery');
    const said = [reviewItem(1), reviewItem(1, { verdict: 'true_alarm', keep: true }), reviewItem(3), reviewItem(4)];
    expect(await follower.deliver([eventItem(3, { alert: false }), ...said, eventItem(1, { sequence: 1, state: 'ended' })], never)).toEqual([]);
    expect(await rows()).toEqual([
      { number: '1', state: 'ended', verdict: 'true_alarm', keep: true }, { number: '2', state: 'begun', verdict: null, keep: false }, { number: '3', state: 'begun', verdict: 'false_alarm', keep: false },
    ]);
    const at = '2030-01-01T00:00:00.000Z';
    const summary: Item = { ...reviewItem(1), id: 'summary-1', time: at, value: { kind: 'summary', id: 'summary-1', at, camera_id: 'gate', rule: 'default', day: '2030-01-01', suppressed: 2, alerts: 5, when: 'day_end' } };
    expect(await follower.deliver([reviewItem(1, { verdict: null, at }), summary], never)).toEqual([]);
    expect(await rows()).toHaveLength(3);
    expect((await rows())[0]).toMatchObject({ verdict: null, keep: false });
    expect(await sql('SELECT last_seen_at FROM lookout.cameras')).toEqual([{ last_seen_at: new Date('2026-01-01T00:00:03.000Z') }]);
  });
});

describe('cameras', () => {
  it('are those of the table, and of what is delivered, the newest of which counts', async () => {
    const { url, sql } = await database();
    const cameras = [{ cameraID: ' gate ', latitude: '1,5', longitude: '+2.5 ' }, { cameraID: 'pier', latitude: '', longitude: 'east' }, { cameraID: 'gate', latitude: '7', longitude: '7' }];
    const lookout = { ...contextOf({}).lookout, cameras: () => Promise.resolve(cameras) };
    const follower = followerOf(settingsOf(url), { lookout });
    const at = (number: number, latitude: number): Item => recordItem(number, { basic: { camID: 'gate', Latitude: latitude, Longitude: 9 } });
    await follower.deliver([{ ...eventItem(1), camera_id: 'yard' }], never);
    expect(await sql('SELECT id, latitude, longitude FROM lookout.cameras ORDER BY id')).toEqual([
      { id: 'gate', latitude: 1.5, longitude: 2.5 }, { id: 'pier', latitude: null, longitude: null }, { id: 'yard', latitude: 48.1, longitude: 11.5 },
    ]);
    await follower.deliver([at(20, 20), at(10, 10)], never);
    await follower.deliver([at(15, 15)], never);
    expect(await sql('SELECT latitude, last_seen_at FROM lookout.cameras WHERE id = \'gate\'')).toEqual([{ latitude: 20, last_seen_at: new Date('2026-01-01T00:00:20.000Z') }]);
  });

  it('are known by what comes after a time that lies ahead, as of a clock that was wrong', async () => {
    const { url, sql } = await database();
    const follower = followerOf(settingsOf(url));
    const at = (number: number, latitude: number): Item => recordItem(number, { basic: { camID: 'gate', Latitude: latitude, Longitude: 9 } });
    const aYearAhead = Math.round((Date.now() - Date.UTC(2026, 0, 1)) / 1000) + 365 * 86_400;
    const cameras = (): ReturnType<typeof sql> => sql('SELECT latitude, last_seen_at FROM lookout.cameras');
    await follower.deliver([at(5, 5)], never);
    await follower.deliver([at(aYearAhead, 50)], never);
    expect(await cameras()).toMatchObject([{ latitude: 50 }]);
    await follower.deliver([at(20, 20)], never);
    await follower.deliver([at(10, 10)], never);
    expect(await cameras()).toEqual([{ latitude: 20, last_seen_at: new Date('2026-01-01T00:00:20.000Z') }]);
  });

  it('hold up nothing when their table cannot be read', async () => {
    const { url } = await database();
    const warned: string[] = [];
    const follower = followerOf(settingsOf(url), {
      lookout: { ...contextOf({}).lookout, cameras: () => Promise.reject(new Error('camera_data.csv is a folder')) }, log: { warn: (message) => warned.push(message), info: () => undefined },
    });
    expect(await follower.deliver([recordItem(1)], never)).toEqual([]);
    expect(warned).toEqual([expect.stringContaining('camera_data.csv is a folder')]);
  });
});

describe('what somebody added to the tables', () => {
  it('refuses the items that it forbids, and no other', async () => {
    const { url, sql } = await database();
    const follower = followerOf(settingsOf(url));
    await follower.deliver([eventItem(1)], never);
    await sql(`ALTER TABLE lookout.events ADD CONSTRAINT no_cats CHECK (class <> 'cat'); ALTER TABLE lookout.events ADD COLUMN note text DEFAULT '';
      CREATE FUNCTION public.no_cows() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.class = 'cow' THEN RAISE EXCEPTION 'cows are welcome'; END IF; RETURN NEW; END $$;
      CREATE TRIGGER no_cows BEFORE INSERT ON lookout.events FOR EACH ROW EXECUTE FUNCTION public.no_cows()`);
    const items = Array.from({ length: 30 }, (_, number) => eventItem(10 + number, { class: number === 12 ? 'cat' : number === 29 ? 'cow' : 'dog' }));
    const refused = await follower.deliver(items, never);
    expect(refused.map(({ item }) => item)).toEqual([items[12], items[29]]);
    expect(refused.map(({ reason }) => reason)).toEqual([expect.stringMatching(/violates check constraint "no_cats" \(23514\)/), expect.stringMatching(/cows are welcome \(P0001\)/)]);
    expect(await sql('SELECT count(*)::int FROM lookout.events')).toEqual([{ count: 29 }]);
  });
});

describe('what somebody changed in the tables', () => {
  it.each([
    ['ALTER TABLE lookout.events DROP COLUMN class', 'ALTER TABLE lookout.events ADD COLUMN class text', /class/],
    ['ALTER TABLE lookout.detections RENAME TO found', 'ALTER TABLE lookout.found RENAME TO detections', /detections/],
    ['ALTER TABLE lookout.events ALTER camera_id TYPE varchar(2) USING left(camera_id, 2)', 'ALTER TABLE lookout.events ALTER camera_id TYPE text', /camera_id.*character varying\(2\)/],
    ['ALTER TABLE lookout.events ALTER confidence TYPE numeric(1, 1)', 'ALTER TABLE lookout.events ALTER confidence TYPE double precision', /confidence/],
    ['ALTER TABLE lookout.events ALTER class TYPE integer USING 1', 'ALTER TABLE lookout.events ALTER class TYPE text', /class/],
    ['ALTER TABLE lookout.events ADD owner text NOT NULL DEFAULT 1; ALTER TABLE lookout.events ALTER owner DROP DEFAULT', 'ALTER TABLE lookout.events DROP owner', /owner/],
    ['ALTER TABLE lookout.records ALTER ended_at SET NOT NULL', 'ALTER TABLE lookout.records ALTER ended_at DROP NOT NULL', /ended_at/],
    ['REVOKE INSERT ON lookout.events FROM writer', 'GRANT INSERT ON lookout.events TO writer', /permission denied/],
    ['DROP TABLE lookout.migrations', 'CREATE TABLE lookout.migrations AS SELECT 1 AS version; ALTER TABLE lookout.migrations OWNER TO writer', /already exists/],
  ])('is said and waited for, and nothing is refused: %s', async (change, back, words) => {
    const { url, sql } = await database();
    const follower = followerOf(settingsOf(url));
    await follower.deliver([recordItem(1), eventItem(1)], never);
    await sql(change);
    const items = [recordItem(2), eventItem(2, { best: { ...(eventItem(2).value as unknown as EventEntry).best, confidence: 12.5 } }), foreign({}, { id: 'untimed' })];
    // At once on the connection that is there, unless what is missing is not needed; and on a new one.
    const outcomes = [await follower.deliver(items, never).catch((error: unknown) => error), await followerOf(settingsOf(url)).deliver(items, never).catch((error: unknown) => error)];
    const failures = outcomes.filter((outcome) => !Array.isArray(outcome) || outcome.length > 0);
    expect(failures.length).toBeGreaterThan(0);
    for (const failure of failures) expect(failure).toMatchObject({ code: 'target_away', message: expect.stringMatching(words) as unknown });
    await sql(back);
    expect(await follower.deliver(items, never)).toEqual([]);
    expect(await sql('SELECT count(*)::int FROM lookout.events')).toEqual([{ count: 2 }]);
  });

  it('is made anew where the whole schema was dropped', async () => {
    const { url, sql } = await database();
    const follower = followerOf(settingsOf(url));
    await follower.deliver([recordItem(1)], never);
    await sql('DROP SCHEMA lookout CASCADE');
    expect(await failureOf(follower.deliver([recordItem(2)], never))).toMatchObject({ code: 'target_away', message: expect.stringMatching(/lookout/) as unknown });
    expect(await follower.deliver([recordItem(2)], never)).toEqual([]);
    expect(await sql('SELECT count(*)::int FROM lookout.records')).toEqual([{ count: 1 }]);
  });
});

/** Holds a lock on a table until it is told to let go; `prepared`, also while the server is away. */
async function lockOf(name: string, table: string, { prepared = false } = {}): Promise<() => Promise<void>> {
  const client = new Client({ connectionString: server.url(name) });
  client.on('error', () => undefined);
  await client.connect();
  await client.query(`BEGIN; LOCK TABLE ${table}`);
  if (!prepared) return () => client.end();
  await client.query(`PREPARE TRANSACTION 'held'`);
  await client.end();
  return async () => { await server.sql(`ROLLBACK PREPARED 'held'`, name); };
}

const waiting = (name: string) => async (): Promise<boolean> => {
  const rows = await server.sql(`SELECT FROM pg_stat_activity WHERE datname = '${name}' AND wait_event_type = 'Lock'`);
  return rows.length > 0;
};

describe('a server in trouble', () => {
  it.each(['fast', 'immediate'] as const)('that restarts in a transaction (%s) keeps nothing of it, and gets all of it later', async (how) => {
    const { name, url, sql } = await database();
    const follower = followerOf(settingsOf(url));
    await follower.deliver([recordItem(1)], never);
    // Whose holder is a connection, that one may be told to go before the follower's, which then gets the lock and has time to commit.
    const release = await lockOf(name, 'lookout.detections', { prepared: true });
    const items = [recordItem(2), eventItem(2)];
    const outcome = failureOf(follower.deliver(items, never));
    onTestFinished(() => server.start());
    await until(waiting(name), 10_000, () => 'nobody waits for the lock');
    await server.stop(how);
    expect(await outcome).toMatchObject({ code: 'target_away' });
    await server.start();
    await release();
    expect(await sql('SELECT count(*)::int FROM lookout.records')).toEqual([{ count: 1 }]);
    expect(await follower.deliver(items, never)).toEqual([]);
    expect(await sql('SELECT (SELECT count(*)::int FROM lookout.records) AS records, (SELECT count(*)::int FROM lookout.events) AS events')).toEqual([{ records: 2, events: 1 }]);
  });

  it('that lets a statement wait for a lock is given up in time, or within a second when it is to stop', async () => {
    const { name, url } = await database();
    const follower = followerOf(settingsOf(url, { timeout_seconds: 1 }));
    await follower.deliver([recordItem(1)], never);
    const release = await lockOf(name, 'lookout.records');
    const begun = Date.now();
    expect(await failureOf(follower.deliver([recordItem(2)], never))).toMatchObject({ code: 'target_away', message: expect.stringMatching(/statement timeout \(57014\); it was waiting for a lock/) as unknown });
    expect(Date.now() - begun).toBeLessThan(2500);
    const stopped = Date.now();
    await expect(follower.deliver([recordItem(2)], AbortSignal.timeout(200))).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(Date.now() - stopped).toBeLessThan(1000);
    await release();
    expect(await follower.deliver([recordItem(2)], never)).toEqual([]);
  });

  it('whose idle connection is cut is connected to again before anybody notices', async () => {
    const { name, url } = await database();
    const follower = followerOf(settingsOf(url));
    await follower.deliver([recordItem(1)], never);
    const connections = `SELECT pid FROM pg_stat_activity WHERE datname = '${name}' AND application_name = 'lookout'`;
    const [before] = await server.sql(connections);
    await server.sql(`SELECT pg_terminate_backend(pid) FROM (${connections}) AS own`);
    await until(async () => (await server.sql(connections)).length === 0, 5000, () => 'it is still there');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await follower.deliver([recordItem(2)], never)).toEqual([]);
    const after = await server.sql(connections);
    expect(after).toHaveLength(1);
    expect(after[0]).not.toEqual(before);
    await follower.close();
    await until(async () => (await server.sql(connections)).length === 0, 5000, () => 'closing leaves a connection behind');
  });

  it('without a free connection is waited for', async () => {
    const { name, url } = await database();
    const others: Client[] = [];
    const isOneFree = async (): Promise<boolean> => {
      const other = new Client({ connectionString: server.url(name, 'writer') }).on('error', () => undefined);
      const isConnected = await other.connect().then(() => true, () => false);
      if (isConnected) others.push(other);
      return isConnected;
    };
    // A connection that was closed before may be free only after a moment.
    for (let refused = 0; refused < 3;) {
      refused = await isOneFree() ? 0 : refused + 1;
      await sleep(100);
    }
    const follower = followerOf(settingsOf(url));
    expect(await failureOf(follower.deliver([recordItem(1)], never))).toMatchObject({ code: 'target_away', message: expect.stringMatching(/53300.*max_connections/) as unknown });
    await Promise.all(others.map((other) => other.end()));
    await until(() => follower.deliver([recordItem(1)], never).then(() => true, () => false), 5000, () => 'its connections are still taken');
  });

  it('that accepts and says nothing is given up in time, or within a second when it is to stop', async () => {
    const sockets = new Set<Socket>();
    const mute = createServer((socket) => { sockets.add(socket.on('error', () => undefined)); }).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    onTestFinished(() => { for (const socket of sockets) socket.destroy(); mute.close(); });
    const url = `postgres://writer:geheim@127.0.0.1:${(mute.address() as AddressInfo).port}/lookout`;
    for (const tls of ['off', 'any'] as const) {
      const follower = followerOf(settingsOf(url, { timeout_seconds: 0.5, tls }));
      expect(await failureOf(follower.deliver([recordItem(1)], never))).toMatchObject({ code: 'target_away', message: expect.stringMatching(/no answer within 0.5 s/) as unknown });
      const patient = followerOf(settingsOf(url, { tls }));
      const begun = Date.now();
      await expect(patient.deliver([recordItem(1)], AbortSignal.timeout(100))).rejects.toMatchObject({ name: 'TimeoutError' });
      expect(Date.now() - begun).toBeLessThan(1000);
    }
  });

  const said = (kind: string, body: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(4 + body.length);
    return Buffer.concat([Buffer.from(kind), length, body]);
  };
  const welcome = Buffer.concat([said('R', Buffer.alloc(4)), said('Z', Buffer.from('I'))]);

  it.each<[string, readonly Buffer[], RegExp]>([
    ['is none', [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')], /does not speak as PostgreSQL does: a message of \d+ bytes$/],
    ['asks for a login that there is not', [said('R', Buffer.from([0, 0, 0, 99]))], /does not speak as PostgreSQL does: Unknown authentication/],
    ['sends a message that breaks off', [said('E', Buffer.from('MA'))], /does not speak as PostgreSQL does: a message that breaks off$/],
    ['sends a row that is none', [welcome, said('D', Buffer.from([0xff, 0xff]))], /does not speak as PostgreSQL does: Invalid array length$/],
    ['sends rows without end', [welcome, Buffer.concat([said('T', Buffer.alloc(2)), ...Array.from({ length: 20 }, () => said('D', Buffer.alloc(60_000)))])], /does not speak as PostgreSQL does: more than 1048576 bytes of rows$/],
    ['repeats the password', [said('E', Buffer.from('SFATAL\0C28P01\0Mnot geheim-9, no\0\0'))], /: not \*\*\*, no \(28P01\)/],
  ])('that %s is away, and says so in words', async (_what, answers, words) => {
    const odd = createServer((socket) => {
      const left = [...answers];
      socket.on('error', () => undefined).on('data', () => { socket.write(left.shift() ?? ''); });
    }).listen(0, '127.0.0.1');
    await once(odd, 'listening');
    onTestFinished(() => { odd.close(); });
    const follower = followerOf(settingsOf(`postgres://writer:geheim-9@127.0.0.1:${(odd.address() as AddressInfo).port}/lookout`));
    for (const failure of [await failureOf(follower.deliver([recordItem(1)], never)), await failureOf(follower.test(never))]) {
      expect(failure).toMatchObject({ code: 'target_away', message: expect.stringMatching(words) as unknown });
    }
  });

  it.skipIf(!canMount)('whose disk is full is waited for until there is room (missed: nothing can be mounted)', async () => {
    const { name, url, sql } = await database();
    const disk = mountSmallDisk(4);
    onTestFinished(async () => {
      await server.stop('fast');
      disk.unmount();
      await server.start();
    });
    await server.own(disk.folder);
    await server.sql(`CREATE TABLESPACE small OWNER writer LOCATION '${disk.folder}'`);
    await server.sql(`ALTER DATABASE ${name} SET default_tablespace = small`);
    const follower = followerOf(settingsOf(url));
    expect(await follower.deliver([recordItem(1)], never)).toEqual([]);
    const filler = join(disk.folder, 'filler');
    await writeFile(filler, Buffer.alloc(8_000_000)).catch(() => undefined);
    const many = Array.from({ length: 300 }, (_, number) => recordItem(10 + number));
    const failure = await failureOf(follower.deliver(many, never));
    expect(failure).toMatchObject({ code: 'target_away', message: expect.stringMatching(/No space left on device \(53100\); make room/) as unknown });
    expect(await sql('SELECT count(*)::int FROM lookout.records')).toEqual([{ count: 1 }]);
    await rm(filler);
    expect(await follower.deliver(many, never)).toEqual([]);
    expect(await sql('SELECT count(*)::int FROM lookout.records')).toEqual([{ count: 301 }]);
  });
});

describe.skipIf(!hasOpenssl)('over TLS (missed: openssl is not on the PATH)', () => {
  let ca: string;
  beforeAll(async () => {
    ca = join(server.folder, 'server.pem');
    const key = join(server.folder, 'key.pem');
    await promisify(execFile)('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', ca, '-days', '3', '-subj', '/CN=db', '-addext', 'subjectAltName=IP:127.0.0.1']);
    await server.own(key);
    await server.own(ca);
    await server.stop('fast');
    await server.start(['ssl=on', `ssl_cert_file=${ca}`, `ssl_key_file=${key}`]);
  });
  afterAll(async () => {
    await server.stop('fast');
    await server.start();
  });

  const isSecure = (name: string): Promise<unknown> => server.sql(`SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE datname = '${name}' AND application_name = 'lookout'`);

  it('goes to a server whose certificate is trusted, to any, and without where that is wanted', async () => {
    const { name, url } = await database();
    for (const [more, ssl] of [[{ tls: 'verify', ca }, true], [{ ca }, true], [{ tls: 'any' }, true], [{ tls: 'off' }, false], [{}, false]] as const) {
      const follower = followerOf(settingsOf(url, more));
      expect(await follower.deliver([recordItem(1)], never)).toEqual([]);
      expect(await isSecure(name)).toEqual([{ ssl }]);
      await follower.close();
      await until(async () => JSON.stringify(await isSecure(name)) === '[]', 5000, () => 'closing leaves a connection behind');
    }
  });

  it('ends within a second when it is to stop, and goes on later', async () => {
    const { name, url } = await database();
    const follower = followerOf(settingsOf(url, { tls: 'any' }));
    await follower.deliver([recordItem(1)], never);
    const release = await lockOf(name, 'lookout.records');
    const begun = Date.now();
    await expect(follower.deliver([recordItem(2)], AbortSignal.timeout(200))).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(Date.now() - begun).toBeLessThan(1000);
    await release();
    expect(await follower.deliver([recordItem(2)], never)).toEqual([]);
  });

  it('says what is wrong with a certificate, and what to do', async () => {
    const { name, url } = await database();
    expect(await failureOf(followerOf(settingsOf(url, { tls: 'verify' })).test(never))).toMatchObject({ code: 'target_away', message: expect.stringMatching(/self-signed certificate(; if the root CA is installed locally, [^;]*)?; name whoever signed it by ca/) as unknown });
    const elsewhere = server.url(name, 'writer').replace('127.0.0.1', 'localhost');
    expect(await failureOf(followerOf(settingsOf(elsewhere, { tls: 'verify', ca })).test(never))).toMatchObject({ code: 'target_away', message: expect.stringMatching(/altnames/) as unknown });
    expect(await failureOf(followerOf(settingsOf(url, { tls: 'verify', ca: '/nowhere/ca.pem' })).test(never))).toMatchObject({ code: 'target_away', message: expect.stringMatching(/\/nowhere\/ca.pem \(ca\) cannot be read/) as unknown });
  });
});

describe('a server without TLS', () => {
  it('is not spoken to in the open unless that is wanted', async () => {
    const { url } = await database();
    expect(await failureOf(followerOf(settingsOf(url, { tls: 'verify' })).test(never))).toMatchObject({ code: 'target_away', message: expect.stringMatching(/does not support SSL.*tls: off/) as unknown });
  });
});

describe('the documentation', () => {
  it('shows statements that work', async () => {
    const text = await readFile(new URL('../../docs/follower-postgres.md', import.meta.url), 'utf8');
    const statements = [...text.matchAll(/^```sql\n(.*?)^```$/gms)].map(([, statement = '']) => statement);
    expect(statements.length).toBeGreaterThanOrEqual(8);
    const { url, sql } = await database('postgres');
    const now = Date.now();
    const at = (minutes: number): string => new Date(now - minutes * 60_000).toISOString();
    const record: Item = {
      ...recordItem(1), time: at(10),
      value: {
        basic: { camID: 'gate', Latitude: 48.1371, Longitude: 11.5754 }, animals: { detections: [{ class: 'dog', confidence: 0.9, frame: 0 }, { class: 'dog', confidence: 0.8, frame: 0 }] },
        batch: { id: 'gate-1', frames: [{ index: 0, captured_at: at(10) }, { index: 1, captured_at: at(9) }] }, models: { animals: { looked: 1, inference_ms: 12 } },
      },
    };
    const event = eventItem(1, { began_at: at(10), place: { latitude: 48.1371, longitude: 11.5754 } });
    expect(await followerOf(settingsOf(url)).deliver([record, event], never)).toEqual([]);
    const answers: Readonly<Record<string, unknown>>[] = [];
    for (const statement of statements) {
      answers.push(...await sql(statement
        .replace(/\$__timeFilter\((\w+)\)/g, `$1 BETWEEN '${at(60)}' AND '${at(0)}'`)
        .replace(/\$__timeGroupAlias\((\w+), *'1h'\)/g, 'floor(extract(epoch from $1)/3600)*3600 AS "time"')));
    }
    expect(answers).toEqual([
      expect.objectContaining({ class: 'dog', events: '1', alerts: '1' }),
      expect.objectContaining({ camera: 'gate', latitude: 48.1371, class: 'dog', frames: '1' }),
      expect.objectContaining({ camera_id: 'gate', model: 'animals', percent_looked_at: '50.0', ms_each: '12.0' }),
      expect.objectContaining({ class: 'dog', metres: 13 }),
      expect.objectContaining({ metric: 'dog', value: '1' }),
      expect.objectContaining({ camera_id: 'gate', longitude: 11.5754, alerts: '1' }),
      expect.objectContaining({ state: 'begun', end: '' }),
    ]);
  });
});
