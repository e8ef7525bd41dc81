/** The page of events in real Chromium: each as it comes, those that are asked for, silence, and who follows them. */
import { readFile } from 'node:fs/promises';
import type { Locator, Page } from 'playwright-core';
import { beforeEach, expect, it } from 'vitest';
import type { EventEntry } from '../../src/types.ts';
import { eventItem } from '../contracts/follower.ts';
import type { FakeFace } from '../helpers/fake-face.ts';
import { nestedRecord } from './records.ts';
import { createSite, type Site } from './site.ts';
import { inChromium, scrollsSideways, type Stage, tooWide } from './stage.ts';

const PHONE = { width: 360, height: 740 };
const HOSTILE = '<img src=x onerror="document.title=\'run\'">';

inChromium((stage) => {
  let face: FakeFace;
  let site: Site;
  let open: Stage['open'];
  let url: string;

  beforeEach(() => {
    ({ face, site, open } = stage());
    url = `${site.url}/events`;
  });

  const entry = (number: number, more: Partial<EventEntry> = {}): EventEntry => {
    const made = eventItem(number, { rule: 'dogs', ...more }).value as unknown as EventEntry;
    return { ...made, best: { ...made.best, picture: null } };
  };
  /** With a picture. */
  const tell = async (told: EventEntry): Promise<void> => {
    face.eventPictures.set(told.id, await readFile(stage().picture));
    face.tell({ ...told, best: { ...told.best, picture: `${told.id}.jpg` } });
  };
  const card = (page: Page, text: string | RegExp): Locator => page.locator('.event').filter({ hasText: text });
  /** Entries come to the page by themselves. */
  const listening = (): Promise<void> => eventually(() => face.hearing.size).toBe(1);
  const complaints = (what: RegExp): readonly string[] => stage().faults.splice(0).filter((one) => !what.test(one));

  it('shows an event when it begins, goes on and ends, and why it did not alert', async () => {
    const page = await open(url);
    await page.getByText('No event yet. One begins as soon as').waitFor();
    await listening();
    await tell(entry(1, { alert: false, suppressed: 'cooldown' }));
    const one = card(page, 'dog');
    await one.getByText('just begun').waitFor();
    await one.getByText('No alert: its rule had alerted of this class just before.').waitFor();
    for (const fact of ['Goes on', 'gate', '90 % sure', '1 frame', 'rule dogs', '48.1, 11.5']) await one.getByText(fact, { exact: true }).waitFor();
    expect(await one.locator('time').getAttribute('datetime')).toBe('2026-01-01T00:00:01.000Z');
    await one.locator('rect[x="1"][y="2"][width="29"][height="38"]').waitFor();
    const image = one.getByRole('img', { name: 'Picture of dog at gate' });
    const first = await image.getAttribute('src');

    const better = { captured_at: '2026-01-01T00:00:41.000Z', confidence: 0.95, box: [5, 6, 30, 40], width: 64, height: 48, picture: null } as const;
    await tell(entry(1, { sequence: 1, state: 'going_on', last_seen_at: '2026-01-01T00:00:41.000Z', frames: 9, best: better }));
    await one.getByText('40 s so far').waitFor();
    await one.getByText('Alert', { exact: true }).waitFor();
    expect(await one.getByText('No alert').isVisible()).toBe(false);
    await one.locator('rect[x="5"]').waitFor();
    expect(await image.getAttribute('src')).not.toBe(first);

    const batches = ['CAM-001_0123abcd-0', 'b', 'c', 'd', 'e'];
    await tell(entry(1, { sequence: 2, state: 'ended', last_seen_at: '2026-01-01T00:02:06.000Z', ended_at: '2026-01-01T00:02:06.000Z', ended_by: 'not_looked', frames: 9, best: better, batches }));
    await one.getByText('lasted 2 min 5 s; nobody could look any longer').waitFor();
    expect(await one.getByText('Goes on').isVisible()).toBe(false);
    await one.getByText('2 more').waitFor();
    expect(await one.getByRole('link', { name: 'Clip' }).count()).toBe(0);
    face.written.push(nestedRecord());
    await one.getByRole('link', { name: 'Record 1 of dog at gate' }).click();
    await page.locator('.record').getByText('dog × 2').waitFor();
    expect(face.asked.queries.at(-1)?.id).toBe(batches[0]);
  });

  it('links to the clip of an event that has one, and says what became of a picture', async () => {
    await tell(entry(1, { clip: { id: 'c', made_of: 'video', begins_at: '2026-01-01T00:00:00.000Z', ends_at: '2026-01-01T00:00:09.000Z' } }));
    face.eventPictures.clear();
    face.tell(entry(2));
    const page = await open(url);
    await page.getByText('Its picture is gone').waitFor();
    await page.getByText('No picture was kept').waitFor();
    expect(await page.getByRole('link', { name: 'Clip of dog at gate' }).evaluateAll((links: { href: string }[]) => links.map(({ href }) => new URL(href).pathname))).toEqual([`/api/events/${entry(1).id}/clip.mp4`]);
    expect(complaints(/404/)).toEqual([]);
  });

  it('shows a clip that came after the last entry, and a picture whose way was lost', async () => {
    let isLost = true;
    await tell(entry(1));
    const page = await open(url, { clock: true }, (blank) => blank.route('**/picture.jpg*', (route) => (isLost ? route.abort() : route.continue())));
    await card(page, 'dog').waitFor();
    await listening();
    await eventually(() => stage().faults.filter((one) => one.includes('ERR_FAILED')).length).toBeGreaterThan(1);
    expect(await page.getByText('Its picture is gone').count()).toBe(0);
    isLost = false;
    await page.clock.fastForward(4000);
    await card(page, 'dog').locator('rect').waitFor();

    // Nobody is told: the log has no entry for it.
    const clip = { id: 'c', made_of: 'video', begins_at: '2026-01-01T00:00:00.000Z', ends_at: '2026-01-01T00:00:09.000Z' } as const;
    const listeners = [...face.hearing];
    face.hearing.clear();
    face.tell(entry(1, { clip }));
    for (const listener of listeners) face.hearing.add(listener);
    await page.clock.fastForward(31_000);
    await page.getByRole('link', { name: 'Clip of dog at gate' }).waitFor();
    expect(complaints(/ERR_FAILED/)).toEqual([]);
  });

  it('is filtered by camera, class and whether it alerts, also what comes, and the filter stands in its address', async () => {
    face.tell(entry(1, { class: 'cat' }));
    face.tell(entry(2, { camera_id: 'yard' }));
    face.tell(entry(3, { alert: false, suppressed: 'hours' }));
    const page = await open(url);
    const cards = page.locator('.event');
    await eventually(() => cards.count()).toBe(3);
    await page.getByLabel('Alerts only').check();
    await eventually(() => cards.count()).toBe(2);
    await page.getByLabel('Camera').fill('gate');
    await page.getByLabel('Class').fill('dog');
    await page.getByText('No event is like that.').waitFor();
    expect(new URL(page.url()).search).toBe('?camera_id=gate&class=dog&alert=true');
    await page.reload();
    await page.getByText('No event is like that.').waitFor();
    await listening();
    face.tell(entry(4, { camera_id: 'yard' }));
    face.tell(entry(5, { alert: false, suppressed: 'hours' }));
    face.tell(entry(3, { sequence: 1, state: 'going_on' }));
    await card(page, 'gate').waitFor();
    expect(await cards.count()).toBe(1);
    await page.getByLabel('Class').fill('');
    await eventually(() => cards.count()).toBe(2);
    await page.getByLabel('Class').fill('none');
    await page.getByRole('button', { name: 'Show all events' }).click();
    await eventually(() => cards.count()).toBe(5);
    expect(new URL(page.url()).search).toBe('');
    expect(await page.locator('#classes option').evaluateAll((options: { value: string }[]) => options.map(({ value }) => value).sort())).toEqual(['cat', 'dog']);
  });

  it('shows older ones on request, and holds new ones back from who has gone down, whose place stays', async () => {
    for (let number = 1; number <= 70; number += 1) await tell(entry(number));
    const page = await open(url);
    const cards = page.locator('.event');
    const order = (): Promise<readonly string[]> => cards.evaluateAll((nodes: { dataset: { key: string } }[]) => nodes.map(({ dataset }) => dataset.key));
    await eventually(() => cards.count()).toBe(30);
    const older = page.getByRole('button', { name: 'Show older ones' });
    for (const number of [60, 70]) {
      await older.click();
      await eventually(() => cards.count()).toBe(number);
    }
    await older.waitFor({ state: 'hidden' });
    expect(await order()).toEqual(Array.from({ length: 70 }, (_, index) => entry(70 - index).id));

    await page.evaluate('scrollTo(0, 1500)');
    const seen = card(page, 'gate').nth(20);
    const top = (): Promise<number> => seen.evaluate((node: { getBoundingClientRect(): { top: number } }) => node.getBoundingClientRect().top);
    await listening();
    const before = await top();
    await tell(entry(71));
    await tell(entry(72));
    const known = await order();
    await tell(entry(50, { sequence: 1, state: 'going_on', class: 'dog', frames: 77 }));
    await page.getByText('77 frames').waitFor();
    expect([await order(), await top()]).toEqual([known, before]);
    await page.getByRole('button', { name: 'Show 2 new events' }).click();
    await eventually(async () => (await order()).slice(0, 3)).toEqual([72, 71, 70].map((number) => entry(number).id));
    expect(await page.evaluate('scrollY')).toBe(0);

    // A storm of them is no burden: the newest are shown.
    for (let number = 101; number <= 700; number += 1) face.tell(entry(number));
    await eventually(() => cards.count()).toBe(500);
    expect((await order())[0]).toBe(entry(700).id);
    await page.getByText('The newest 500 are shown.').waitFor();
    expect(await page.evaluate("[...document.querySelectorAll('.event h3')].filter((title) => title.checkVisibility({ contentVisibilityAuto: true })).length"), 'cards that are laid out').toBeLessThan(60);
  });

  it('silences the rule of a camera for an hour, says until when, and ends it', async () => {
    await tell(entry(1));
    await tell(entry(2, { rule: 'complaints' }));
    const page = await open(url);
    const silence = page.getByRole('button', { name: 'Silence for 1 hour: dogs at gate' });
    await silence.focus();
    await page.keyboard.press('Enter');
    const one = card(page, 'rule dogs');
    await one.getByText(/^Silenced until \d/).waitFor();
    expect(face.silences()).toMatchObject([{ camera_id: 'gate', rule: 'dogs' }]);
    expect((face.silences()[0]?.until ?? 0) - Date.now()).toBeGreaterThan(3_590_000);
    expect(await card(page, 'rule complaints').getByText(/silenced until/i).count()).toBe(0);
    const end = one.getByRole('button', { name: 'End silence of dogs at gate' });
    expect(await end.evaluate((node: { ownerDocument: { activeElement: unknown } }) => node.ownerDocument.activeElement === node)).toBe(true);
    await page.keyboard.press('Enter');
    await silence.waitFor();
    expect(face.silences()).toEqual([]);

    // All of a camera is silenced as a whole, and so it ends.
    face.silence('gate', null, Date.now() + 60_000);
    await page.reload();
    await card(page, 'rule complaints').getByText(/^All of gate is silenced until \d/).waitFor();
    await page.route('**/api/silences', (route) => (route.request().method() === 'POST' ? route.fulfill({ status: 503, json: { error: 'Lookout is stopping', code: 'shutting_down' } }) : route.continue()));
    const endAll = page.getByRole('button', { name: 'End silence of all at gate' }).first();
    await endAll.click();
    await page.getByRole('alert').filter({ hasText: 'Lookout is stopping' }).waitFor();
    await page.unroute('**/api/silences');
    await endAll.click();
    await silence.waitFor();
    expect(face.silences()).toEqual([]);
    expect(complaints(/503/)).toEqual([]);
  });

  it('shows how followers do, or how to have some', async () => {
    const page = await open(url, { clock: true });
    const followers = page.locator('#followers');
    const [first] = face.following;
    if (!first) throw new Error('the fake has no follower');
    await followers.getByText('1 waiting').waitFor();
    for (const text of ['control-room', 'webhook, https://hooks.example', 'Waiting', '3 items behind, 2 s', '40 delivered', '2 refused and set aside']) await followers.getByText(text, { exact: true }).waitFor();
    await followers.getByText(/^It took no connection\. Since .*2026.* it is tried again/).waitFor();
    face.following[0] = { ...first, reason: 'https://hooks.example answered 503.' };
    await page.clock.fastForward(5000);
    await followers.getByText(/^https:\/\/hooks\.example answered 503\. Since/).waitFor();
    face.following[0] = { ...first, state: 'idle', reason: '', since: null, lag_items: 0, lag_seconds: 0, set_aside: 0, lost: 7 };
    await page.clock.fastForward(5000);
    await followers.getByText('Up to date').waitFor();
    await followers.getByText('7 lost').waitFor();
    expect(await followers.getByText(/waiting|set aside|tried again/).filter({ visible: true }).count()).toBe(0);
    face.following.length = 0;
    await page.clock.fastForward(5000);
    await page.getByText('Events can be sent on to a webhook').waitFor();
    expect(await followers.isVisible()).toBe(false);
  });

  it('shows names as text, and all of it within 360 pixels', async () => {
    const [first] = face.following;
    if (!first) throw new Error('the fake has no follower');
    face.following[0] = { ...first, target: `${HOSTILE}${'W'.repeat(300)}`, reason: HOSTILE };
    await tell(entry(1, { class: HOSTILE, camera_id: HOSTILE, alert: false, suppressed: HOSTILE as 'rule' }));
    await tell(entry(2, { class: 'W'.repeat(10_000), camera_id: 'W'.repeat(128), rule: 'W'.repeat(64), state: 'ended', ended_at: '2026-01-01T00:02:06.000Z', ended_by: 'interrupted', batches: ['a', 'b', 'c', 'd'] }));
    const page = await open(url, { viewport: PHONE });
    expect(await page.locator('#follower-list').isVisible(), 'on a phone events come first').toBe(false);
    await page.getByRole('heading', { name: 'Followers' }).click();
    await page.locator('#followers').getByText(HOSTILE, { exact: false }).first().waitFor();
    await page.getByRole('heading', { name: HOSTILE }).waitFor();
    await page.getByRole('button', { name: `Silence for 1 hour: dogs at ${HOSTILE}` }).click();
    await page.getByText('Silenced until').waitFor();
    await eventually(() => page.locator('.event svg').count()).toBe(2);
    expect([await scrollsSideways(page), await tooWide(page)]).toEqual([false, []]);
    expect([await page.locator('main img[src="x"]').count(), await page.title()]).toEqual([0, 'Events · Lookout']);
  });

  it('hears of events where a token is asked for, also of those that came while it was cut off', async () => {
    const token = 'a-token-of-some-length';
    let guarded = await createSite(face, { token });
    const { port } = guarded;
    stage().closing.push(() => guarded.close());
    const page = await open(`${guarded.url}/events`, { httpCredentials: { username: 'any', password: token } });
    await listening();
    face.tell(entry(1, { class: 'heard' }));
    await card(page, 'heard').waitFor();
    await guarded.close();
    face.tell(entry(2, { class: 'missed' }));
    guarded = await createSite(face, { token, port });
    await card(page, 'missed').waitFor();
    await listening();
    face.tell(entry(3, { class: 'heard again' }));
    await card(page, 'heard again').waitFor();
    expect(complaints(/ERR_/)).toEqual([]);
  });

  it('asks for the list while it may not listen', async () => {
    const page = await open(url, { clock: true }, (blank) => blank.route('**/api/events/stream', (route) => route.fulfill({ status: 503, json: { error: 'too many', code: 'too_many_at_once' } })));
    await page.getByText('No event yet.').waitFor();
    await tell(entry(1));
    await page.clock.fastForward(3000);
    await card(page, 'dog').waitFor();
    await page.unroute('**/api/events/stream');
    await page.clock.fastForward(5000);
    await listening();
    expect(complaints(/503/)).toEqual([]);
  });
});

/** On a machine that has other things to do. */
const eventually = <Value>(look: () => Value) => expect.poll(look, { timeout: 15_000 });
