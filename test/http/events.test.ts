/** Events over HTTP: the list, one of them, its picture, each as it comes; and silences. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { LookoutError } from '../../src/errors.ts';
import { silentLog } from '../../src/lib/log.ts';
import type { EventEntry, EventSummary } from '../../src/types.ts';
import { eventItem } from '../contracts/follower.ts';
import { until } from '../helpers/app.ts';
import { createFakeFace, type FakeFace } from '../helpers/fake-face.ts';
import { createSite, STATIC, type Site } from './site.ts';

let face: FakeFace;
let site: Site;
const open: IncomingMessage[] = [];

beforeEach(async () => {
  face = createFakeFace();
  site = await createSite(face);
});

afterEach(async () => {
  for (const one of open.splice(0)) one.destroy();
  await site.close();
});

const entry = (number: number, more: Partial<EventEntry> = {}): EventEntry => eventItem(number, more).value as unknown as EventEntry;
const idOf = (number: number): string => entry(number).id;
const SUMMARY: EventSummary = { kind: 'summary', id: 'summary-1', at: '2026-01-01T00:00:09.000Z', camera_id: 'gate', rule: 'dogs', day: '2026-01-01', suppressed: 1, alerts: 5, when: 'first' };

describe('GET /api/events', () => {
  beforeEach(() => {
    face.tell(entry(1, { camera_id: 'yard', class: 'cat' }));
    face.tell(entry(2, { alert: false, suppressed: 'cooldown' }));
    face.tell(entry(3));
    face.tell(entry(3, { sequence: 1, state: 'ended', ended_at: '2026-01-01T00:01:00.000Z', ended_by: 'quiet', last_seen_at: '2026-01-01T00:00:40.000Z', frames: 4, batches: ['gate_0123abcd-1'] }));
    face.tell(SUMMARY);
    face.tell({ kind: 'review', id: 'review-1', event: idOf(2), at: '2026-01-01T00:00:09.000Z', camera_id: 'gate', rule: 'default', verdict: 'false_alarm', keep: true });
  });

  const asked = async (query: string): Promise<readonly string[]> => ((await site.send('GET', `/api/events${query}`)).json as { events: EventEntry[] }).events.map(({ id }) => id);

  it('lists what the newest entry of each says, those that began last first', async () => {
    const { json } = await site.send('GET', '/api/events');
    expect(json).toMatchObject({ events: [{ id: idOf(3), state: 'ended', frames: 4, sequence: 1 }, { id: idOf(2), suppressed: 'cooldown', verdict: 'false_alarm', keep: true }, { id: idOf(1), class: 'cat' }] });
  });

  it.each([
    ['?camera_id=yard', [1]], ['?class=dog', [3, 2]], ['?rule=default', [3, 2, 1]], ['?rule=other', []], ['?alert=true', [3, 1]], ['?alert=false', [2]], ['?state=open', [2, 1]],
    ['?state=ended', [3]], ['?since=2026-01-01T00:00:40Z', [3]], ['?since=2026-01-01T01:00:02%2B01:00', [3, 2]], [`?before=${idOf(3)}`, [2, 1]], ['?limit=1', [3]], [`?limit=1&before=${idOf(3)}`, [2]],
    ['?camera_id=gate&alert=true', [3]], ['?verdict=false_alarm', [2]], ['?verdict=none', [3, 1]], ['?verdict=true_alarm', []],
  ])('%s', async (query, numbers) => {
    expect(await asked(query)).toEqual(numbers.map(idOf));
  });

  it.each([
    ['limit=0', 'limit must be'], ['limit=501', 'limit must be'], ['limit=1.5', 'limit must be'], ['alert=1', 'alert must be'], ['state=begun', 'state must be'], ['verdict=maybe', 'verdict must be true_alarm, false_alarm or none'], ['since=yesterday', 'since must be'],
    ['since=2026-13-01T00:00:00Z', 'since must be'], ['since=2026', 'since must be'], ['class=a&class=b', 'class may be given once only'],
  ])('refuses %s', async (query, message) => {
    expect(await site.send('GET', `/api/events?${query}`)).toMatchObject({ status: 400, json: { code: 'bad_request', error: expect.stringContaining(message) as string } });
  });
});

describe('one event', () => {
  it('is what its newest entry says', async () => {
    face.tell(entry(1));
    expect(await site.send('GET', `/api/events/${idOf(1)}`)).toMatchObject({ status: 200, json: entry(1) });
    expect(await site.send('GET', '/api/events/none')).toMatchObject({ status: 404, json: { code: 'not_found', error: expect.stringContaining('data/events.ndjson') as string } });
    expect(await site.send('GET', '/api/events/%zz')).toMatchObject({ status: 400 });
    expect(await site.send('GET', '/api/events/constructor')).toMatchObject({ status: 404 });
  });

  it('is what somebody says of it, and to be kept or not', async () => {
    face.tell(entry(1));
    const patch = (json: unknown, id = idOf(1)): ReturnType<Site['send']> => site.send('PATCH', `/api/events/${id}`, { json });
    expect(await patch({ verdict: 'false_alarm' })).toMatchObject({ status: 200, json: { ...entry(1), verdict: 'false_alarm', keep: false } });
    expect(await patch({ keep: true })).toMatchObject({ status: 200, json: { verdict: 'false_alarm', keep: true } });
    expect(await patch({ verdict: null })).toMatchObject({ status: 200, json: { verdict: null, keep: true } });
    expect((await site.send('GET', `/api/events/${idOf(1)}`)).json).toMatchObject({ verdict: null, keep: true });
    expect(await patch({ keep: true }, 'none')).toMatchObject({ status: 404, json: { code: 'not_found' } });
    for (const [json, words] of [[{}, 'fewer than 1'], [{ verdict: 'true' }, 'verdict must be one of true_alarm, false_alarm'], [{ keep: 'yes' }, 'keep must be boolean'], [{ kept: true }, 'does not know "kept"'], [[], 'must be a JSON object']] as const) {
      expect(await patch(json)).toMatchObject({ status: 400, json: { error: expect.stringContaining(words) as string } });
    }
    face.failNext(new LookoutError('log_failed', 'it cannot be written'));
    expect(await patch({ keep: true })).toMatchObject({ status: 500, json: { code: 'log_failed' } });
  });

  it('has a picture with what was seen drawn in, where that is asked for', async () => {
    face.tell(entry(1));
    face.eventPictures.set(idOf(1), Buffer.from('picture'));
    const path = `/api/events/${idOf(1)}/picture.jpg`;
    for (const [query, shown] of [['?boxes=true', 'picture with its box'], ['?boxes=false', 'picture'], ['', 'picture']] as const) expect((await site.send('GET', `${path}${query}`)).text).toBe(shown);
    for (const query of ['?boxes=1', '?boxes=', '?boxes=true&boxes=true']) expect(await site.send('GET', `${path}${query}`)).toMatchObject({ status: 400, json: { error: expect.stringContaining('boxes must be') as string } });
    face.failNext(new LookoutError('too_many_at_once', '4 pictures are being drawn'));
    expect((await site.send('GET', `${path}?boxes=true`)).status).toBe(503);
    face.eventPictures.clear();
    expect((await site.send('GET', `${path}?boxes=true`)).status).toBe(404);
  });

  it('says nothing of a client that leaves while its picture is drawn, but of what fails then', async () => {
    const errors: unknown[] = [];
    const told = await createSite(face, {}, STATIC, { ...silentLog, error: (...words) => { errors.push(words); } });
    onTestFinished(() => told.close());
    face.tell(entry(1));
    const why: ((reason: unknown) => unknown)[] = [(reason) => reason, () => new TypeError('a fault of the drawer')];
    for (const [left, thrown] of why.entries()) {
      let [isDrawing, isOver] = [false, false];
      face.eventDrawing = async (_id, signal) => {
        isDrawing = true;
        await once(signal, 'abort');
        isOver = true;
        throw thrown(signal.reason);
      };
      const asked = request(`${told.url}/api/events/${idOf(1)}/picture.jpg?boxes=true`).on('error', () => undefined).end();
      await until(() => isDrawing, 5000, () => 'nothing is drawn');
      asked.destroy();
      await until(() => isOver, 5000, () => 'it is still being drawn');
      await new Promise((resolve) => setImmediate(resolve));
      expect(errors).toHaveLength(left);
    }
  });

  it('has a clip, also in ranges, once there is one and as long as that is kept', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lookout-event-clip-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, 'clip.mp4'), '0123456789');
    const { id } = await face.makeClip('gate', { before_seconds: 5, after_seconds: 5 });
    const clip = { id, made_of: 'video', begins_at: '2026-01-01T00:00:00.000Z', ends_at: '2026-01-01T00:00:10.000Z' } as const;
    const ask = (range = ''): ReturnType<Site['send']> => site.send('GET', `/api/events/${idOf(1)}/clip.mp4`, range === '' ? {} : { headers: { range } });
    const none = (words: string): object => ({ status: 404, json: { error: expect.stringContaining(words) as string } });
    face.tell(entry(1, { rule: 'dogs' }));
    expect(await ask()).toMatchObject(none('asks for one'));
    face.changeRule('dogs', { clips: true });
    expect(await ask()).toMatchObject(none('yet'));
    face.changeRule('dogs', { clips: false });
    await face.start({ camera_id: 'gate', url: 'rtsp://gate', options: { clips: true } });
    expect(await ask()).toMatchObject(none('yet'));
    face.tell(entry(1, { sequence: 1, clip }));
    face.clipFiles.set(id, join(folder, 'clip.mp4'));
    const { status, text, headers } = await ask();
    expect([status, text, headers['content-type'], headers['cache-control']]).toEqual([200, '0123456789', 'video/mp4', 'private, no-cache']);
    const part = await ask('bytes=2-4');
    expect([part.status, part.text]).toEqual([206, '234']);
    expect((await ask('bytes=20-')).status).toBe(416);
    await face.removeClip(id);
    expect(await ask()).toMatchObject({ status: 404, json: { error: expect.stringContaining('clips_max_bytes') as string } });
    face.tell(entry(2, { state: 'ended' }));
    expect(await site.send('GET', `/api/events/${idOf(2)}/clip.mp4`)).toMatchObject({ status: 404, json: { error: expect.stringContaining('asks for one') as string } });
  });

  it('has a picture, which may become a better one, until that goes', async () => {
    face.tell(entry(1));
    face.eventPictures.set(idOf(1), Buffer.from('picture'));
    const { status, headers, text } = await site.send('GET', `/api/events/${idOf(1)}/picture.jpg`);
    expect([status, text, headers['content-type'], headers['cache-control']]).toEqual([200, 'picture', 'image/jpeg', 'no-cache']);
    face.eventPictures.clear();
    expect(await site.send('GET', `/api/events/${idOf(1)}/picture.jpg`)).toMatchObject({ status: 404, json: { error: expect.stringContaining('event_pictures_max_bytes') as string } });
    expect(await site.send('GET', '/api/events/none/picture.jpg')).toMatchObject({ status: 404, json: { error: expect.stringContaining('No event') as string } });
  });
});

describe('GET /api/events/stream', () => {
  /** What it says, as it comes. */
  async function listen(headers: Readonly<Record<string, string>> = {}): Promise<{ readonly answer: IncomingMessage; readonly heard: () => string }> {
    const before = face.hearing.size;
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      request({ host: '127.0.0.1', port: site.port, path: '/api/events/stream', agent: false, headers }, resolve).on('error', reject).end();
    });
    open.push(answer);
    let text = '';
    answer.on('error', () => undefined).setEncoding('utf8').on('data', (more: string) => { text += more; });
    await until(() => face.hearing.size > before, 5000, () => 'nobody hears');
    return { answer, heard: () => text };
  }

  const said = (number: number, sequence: number, event: string): string => `id: ${idOf(number)}/${sequence}\nevent: ${event}\ndata: {"kind":"event"`;
  const blocks = (text: string): readonly string[] => text.split('\n\n').filter((block) => block !== '');

  it('tells each entry once it is in the log, and nothing of before', async () => {
    face.tell(entry(1));
    const { answer, heard } = await listen();
    expect([answer.statusCode, answer.headers['content-type'], answer.headers['cache-control'], answer.headers['x-accel-buffering'], answer.headers['content-encoding']]).toEqual([200, 'text/event-stream; charset=utf-8', 'no-store, no-transform', 'no', undefined]);
    face.tell(entry(2));
    face.tell(entry(2, { sequence: 1, state: 'ended' }));
    face.tell(SUMMARY);
    await site.send('PATCH', `/api/events/${idOf(1)}`, { json: { verdict: 'true_alarm' } });
    await until(() => blocks(heard()).length === 4, 5000, heard);
    const [begun = '', ended = '', summary = '', review = ''] = blocks(heard());
    expect(begun.startsWith(said(2, 0, 'begun'))).toBe(true);
    expect(JSON.parse(begun.split('\ndata: ')[1] ?? '')).toEqual(entry(2));
    expect(ended.startsWith(said(2, 1, 'ended'))).toBe(true);
    expect(summary.startsWith('id: summary-1\nevent: summary\n')).toBe(true);
    expect(review.startsWith(`id: review-of-${idOf(1)}\nevent: review\n`)).toBe(true);
  });

  it('keeps a line break of a class within its line', async () => {
    const { heard } = await listen();
    face.tell(entry(1, { class: 'dog\n\ndata: {}' }));
    await until(() => heard() !== '', 5000, heard);
    expect(blocks(heard())).toHaveLength(1);
    expect(JSON.parse(heard().split('\ndata: ')[1] ?? '')).toMatchObject({ class: 'dog\n\ndata: {}' });
  });

  it('goes on after the entry that the client had last, and loses none in between', async () => {
    face.tell(entry(1));
    face.tell(entry(1, { sequence: 1, state: 'ended' }));
    face.tell(entry(2));
    const { heard } = await listen({ 'Last-Event-ID': `${idOf(1)}/0` });
    face.tell(entry(3));
    await until(() => blocks(heard()).length === 3, 5000, heard);
    expect(blocks(heard()).map((block, index) => block.startsWith([said(1, 1, 'ended'), said(2, 0, 'begun'), said(3, 0, 'begun')][index] ?? '?'))).toEqual([true, true, true]);
  });

  it('says so where that entry is not among the newest, and goes on', async () => {
    face.tell(entry(1));
    const { heard } = await listen({ 'Last-Event-ID': 'long ago' });
    face.tell(entry(2));
    await until(() => blocks(heard()).length === 2, 5000, heard);
    expect(blocks(heard())[0]).toBe('event: reset\ndata: {}');
  });

  it('says so too where more was missed than may wait for the client', async () => {
    face.tell(entry(1));
    for (let number = 2; number < 130; number += 1) face.tell(entry(number, { class: 'x'.repeat(9000) }));
    const { heard } = await listen({ 'Last-Event-ID': `${idOf(1)}/0` });
    await until(() => heard() !== '', 5000, () => 'it says nothing');
    expect(heard()).toBe('event: reset\ndata: {}\n\n');
  });

  it('stops telling a client that goes away', async () => {
    const { answer } = await listen();
    answer.destroy();
    await until(() => face.hearing.size === 0, 5000, () => `${face.hearing.size} hear`);
  });

  it('cuts a client that reads nothing, and keeps nobody waiting for it', async () => {
    const { answer } = await listen();
    answer.pause();
    const other = await listen();
    const long = 'x'.repeat(200_000);
    let told = 0;
    for (; face.hearing.size > 1 && told < 200; told += 1) {
      face.tell(entry(told, { class: long }));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(face.hearing.size).toBe(1);
    await until(() => blocks(other.heard()).length === told, 5000, () => `${blocks(other.heard()).length} of ${told}`);
  });

  it('answers HEAD with its head, and another method with 405', async () => {
    const { status, headers } = await site.send('HEAD', '/api/events/stream');
    expect([status, headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8']);
    expect((await site.send('POST', '/api/events/stream')).status).toBe(405);
    expect(face.hearing.size).toBe(0);
  });

  it('takes a hundred listeners, and gives a place back', async () => {
    const listeners = [];
    for (let number = 0; number < 100; number += 1) listeners.push(await listen());
    expect(await site.send('GET', '/api/events/stream')).toMatchObject({ status: 503, json: { code: 'too_many_at_once' } });
    listeners[0]?.answer.destroy();
    await until(() => face.hearing.size === 99, 5000, () => `${face.hearing.size} hear`);
    await listen();
  });

  it('gives a sign of life to proxies', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const { heard } = await listen();
      vi.advanceTimersByTime(15_000);
      await until(() => heard() === ': \n\n', 5000, heard);
    } finally {
      vi.useRealTimers();
    }
  });

  it('ends with the server, although somebody listens', async () => {
    const { answer } = await listen();
    const closed = new Promise((resolve) => { answer.once('close', resolve); });
    await site.close();
    await closed;
    await until(() => face.hearing.size === 0, 5000, () => `${face.hearing.size} hear`);
    site = await createSite(face);
  });
});

describe('/api/silences', () => {
  const post = (json: unknown): ReturnType<Site['send']> => site.send('POST', '/api/silences', { json });

  it('has a camera, or one rule of it, alert nobody: for an hour, or as long as is asked', async () => {
    const before = Date.now();
    const { status, json } = await post({ camera_id: 'gate' });
    const { until: end } = json as { readonly until: string };
    expect([status, json]).toEqual([200, { camera_id: 'gate', rule: null, until: end }]);
    expect(Date.parse(end) - before).toBeGreaterThanOrEqual(3_600_000);
    expect(Date.parse(end) - before).toBeLessThan(3_610_000);
    expect((await post({ camera_id: 7, rule: 'dogs', seconds: 60 })).json).toMatchObject({ camera_id: '7', rule: 'dogs' });
    expect((await site.send('GET', '/api/silences')).json).toMatchObject({ silences: [{ camera_id: 'gate', rule: null, until: end }, { camera_id: '7', rule: 'dogs' }] });
  });

  it('knows the rules that there are', async () => {
    expect(await post({ camera_id: 'gate', rule: 'cats' })).toMatchObject({ status: 404, json: { code: 'not_found', error: 'No rule "cats"; rules are dogs, complaints.' } });
    expect((await site.send('GET', '/api/silences')).json).toEqual({ silences: [] });
  });

  it('takes 0 seconds, which ends one', async () => {
    const now = Date.now();
    const { json } = await post({ camera_id: 'gate', seconds: 0 });
    expect(Date.parse((json as { readonly until: string }).until) - now).toBeLessThan(5000);
  });

  it.each([
    [{}, 'camera_id'], [{ camera_id: '' }, 'camera_id'], [{ camera_id: null }, 'camera_id'], [{ camera_id: '../x' }, 'camera_id'], [{ camera_id: 'x'.repeat(129) }, 'camera_id'],
    [{ camera_id: 'gate', rule: 5 }, 'rule must be'], [{ camera_id: 'gate', rule: 'r'.repeat(65) }, 'rule must NOT'], [{ camera_id: 'gate', seconds: -1 }, 'seconds must be >= 0'],
    [{ camera_id: 'gate', seconds: 604_801 }, 'seconds must be <= 604800'], [{ camera_id: 'gate', seconds: '60' }, 'seconds must be number'], [{ camera_id: 'gate', minutes: 5 }, 'does not know "minutes"'], [[], 'must be a JSON object'],
  ])('refuses %j', async (json, message) => {
    expect(await post(json)).toMatchObject({ status: 400, json: { code: 'bad_request', error: expect.stringContaining(message) as string } });
    expect((await site.send('GET', '/api/silences')).json).toEqual({ silences: [] });
  });
});
