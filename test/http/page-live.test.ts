/** How the page keeps itself fresh: what it asks for, what it leaves alone, and what it says when an answer is missing. */
import type { Locator, Page } from 'playwright-core';
import { beforeEach, expect, it } from 'vitest';
import type { FakeFace } from '../helpers/fake-face.ts';
import { inChromium, type Stage } from './stage.ts';

const LATEST = '**/latest.jpg?*';

inChromium((stage) => {
  let face: FakeFace;
  let open: Stage['open'];
  let url: string;

  beforeEach(() => { ({ face, open, site: { url } } = stage()); });

  const startMany = async (number: number): Promise<void> => {
    for (let i = 0; i < number; i++) await face.start({ camera_id: `CAM-${i}`, url: 'rtsp://192.0.2.1/s' });
  };
  const capture = (id: string): void => {
    const last_frame_at = new Date().toISOString();
    face.pictures.set(id, { file: stage().picture, captured_at: last_frame_at });
    face.show(id, { last_frame_at, last_frame_age_seconds: 0 });
  };

  it('loads pictures and lays out cards only where they are on screen', async () => {
    await startMany(150);
    const ids = face.streams().map((stream) => String(stream.camera_id));
    ids.forEach(capture);
    const asked = new Set<string>();
    const page = await open(url, { viewport: { width: 1280, height: 900 } }, (blank) => blank.route(LATEST, (route) => {
      asked.add(decodeURIComponent(/cameras\/(.*)\/latest/.exec(route.request().url())?.[1] ?? ''));
      return route.continue();
    }));
    await page.getByRole('img', { name: 'Latest picture of CAM-0', exact: true }).waitFor();
    await nextStreams(page);
    expect(asked.size).toBeLessThan(50);
    const drawn = (): Promise<number> => page.evaluate("[...document.querySelectorAll('.stream h3')].filter((title) => title.checkVisibility({ contentVisibilityAuto: true })).length");
    expect(await drawn(), 'cards that are laid out').toBeLessThan(110);
    await page.getByRole('heading', { name: 'CAM-149' }).scrollIntoViewIfNeeded();
    await page.getByRole('img', { name: 'Latest picture of CAM-149' }).waitFor();
    expect(asked.size).toBeLessThan(120);
  });

  it('says that the latest picture is gone only once it was asked for', async () => {
    await startMany(1);
    capture('CAM-0');
    const held: (() => Promise<void>)[] = [];
    const page = await open(url, {}, (blank) => blank.route(LATEST, (route) => {
      const isQuestion = route.request().method() === 'HEAD';
      if (!isQuestion) held.push(() => (held.length === 1 ? route.abort() : route.fulfill({ contentType: 'image/jpeg', body: 'none' })));
      return isQuestion ? route.continue() : undefined;
    }));
    await page.getByText('Fetching the latest picture').waitFor();
    await expect.poll(() => held.length).toBe(1);
    await held[0]?.();
    // Only the way to it was lost: it is asked for again.
    await expect.poll(() => held.length).toBe(2);
    expect(await page.getByText('The latest picture is gone').count()).toBe(0);
    await held[1]?.();
    await page.getByText('The latest picture is gone').waitFor();
    expect(stage().faults.splice(0).filter((one) => !one.includes('ERR_FAILED'))).toEqual([]);
  });

  it('asks for one picture of a camera at a time, and for the newest next', async () => {
    await startMany(1);
    capture('CAM-0');
    const held: (() => Promise<void>)[] = [];
    const page = await open(url, {}, (blank) => blank.route(LATEST, (route) => { held.push(() => route.continue()); }));
    for (let i = 0; i < 3; i++) {
      await nextStreams(page);
      capture('CAM-0');
    }
    await nextStreams(page);
    expect(held).toHaveLength(1);
    await held[0]?.();
    await expect.poll(() => held.length).toBe(2);
    await held[1]?.();
    await page.getByRole('img', { name: 'Latest picture of CAM-0' }).waitFor();
  });

  it('shows what the server says is wrong for as long as it is, whatever else is answered', async () => {
    const page = await open(url, {}, (blank) => blank.route('**/api/records?*', (route) => route.fulfill({ status: 500, json: { error: 'the disk is gone', code: 'internal' } })));
    const trouble = page.getByRole('alert').filter({ hasText: 'The records cannot be shown: the disk is gone' });
    await trouble.waitFor();
    expect(await page.getByText('does not answer').count()).toBe(0);
    await watchChanges(page, '#trouble');
    for (let i = 0; i < 3; i++) await nextStreams(page);
    expect(await changes(page)).toBe(0);
    await page.unroute('**/api/records?*');
    await trouble.waitFor({ state: 'hidden' });
    // The browser complains by itself about each answer with a 500.
    expect(stage().faults.splice(0).filter((fault) => !fault.includes('500'))).toEqual([]);
  });

  it('says of what alone has no answer that none came', async () => {
    const page = await open(url);
    await page.route('**/api/records?*', async (route) => {
      await nextStreams(page);
      await nextStreams(page);
      await route.abort();
    });
    await page.getByRole('alert').filter({ hasText: 'The records cannot be shown: No answer came.' }).waitFor();
    expect(await page.getByText('does not answer').count()).toBe(0);
    expect(stage().faults.splice(0).filter((fault) => !fault.includes('ERR_FAILED'))).toEqual([]);
  });

  it('shows cameras whose names every object has', async () => {
    const cameras = ['__proto__', 'constructor', 'toString'];
    for (const camera_id of cameras) await face.start({ camera_id, url: 'rtsp://192.0.2.1/s' });
    face.showModel('animals', { cameras: Object.fromEntries([['__proto__', { looked: 1, failed: 0, skipped: { overloaded: 1 } }]]) });
    const page = await open(url);
    const card = (id: string): Locator => page.locator('.stream', { hasText: id });
    await card('__proto__').getByText('Looked at 50 % of 2 frames').waitFor();
    for (const id of cameras.slice(1)) expect(await card(id).getByText('Looked at').count()).toBe(0);
    expect(await page.getByRole('alert').filter({ hasText: 'cannot be shown' }).count()).toBe(0);
  });

  it.each(['', '/records', '/events'])('says what keeps records from being written at %j', async (path) => {
    const page = await open(`${url}${path}`);
    face.missing.push('its record could not be appended: disk full');
    const trouble = page.getByRole('alert').filter({ hasText: 'Not ready: its record could not be appended: disk full.' });
    await trouble.waitFor();
    face.missing.length = 0;
    await trouble.waitFor({ state: 'hidden' });
    // The browser complains by itself about what is not ready.
    expect(stage().faults.splice(0).filter((fault) => !fault.includes('503'))).toEqual([]);
  });

  it('says once that nothing answers, and takes it back as soon as everything does', async () => {
    const page = await open(url, { clock: true });
    await page.getByText('No record yet.').waitFor();
    await page.route('**/api/**', (route) => route.abort());
    await page.getByText('Lookout does not answer.').waitFor();
    await watchChanges(page, '#trouble');
    await Promise.all([
      page.waitForEvent('requestfailed', (request) => request.url().endsWith('/api/cameras')),
      page.clock.fastForward(31_000),
    ]);
    expect(await changes(page)).toBe(0);
    await page.unroute('**/api/**');
    await page.getByText('Lookout does not answer.').waitFor({ state: 'hidden' });
    expect(stage().faults.splice(0).filter((fault) => !fault.includes('ERR_FAILED'))).toEqual([]);
  });

  it('leaves what has not changed alone', async () => {
    await startMany(1);
    const page = await open(url, { clock: true });
    await page.locator('.stream').getByText('Idle').waitFor();
    const chips = async (): Promise<number> => {
      await Promise.all([page.waitForResponse('**/api/models'), page.waitForResponse('**/api/streams*'), page.clock.fastForward(3000)]);
      await nextStreams(page);
      return changes(page);
    };
    for (const part of ['#models', '.stream']) {
      await watchChanges(page, part);
      expect(await chips(), part).toBe(0);
    }
    face.showModel('animals', { state: 'ready', device: 'cuda:0', runners: [{ number: 0, memory_bytes: 1_234_000_000 }, { number: 1, memory_bytes: null }] });
    await page.locator('#models').getByText('Ready').waitFor();
    await page.locator('#models').getByText('reports as stray animal · on cuda:0 · 1,234 MB of memory').waitFor();
    const successor = { version: '2', state: 'failed', reason: 'main.py changed: no such module', progress: null } as const;
    face.showModel('animals', { successor });
    for (const part of ['#models', '.stream']) await page.locator(part).getByText('Goes on as it was. main.py changed: no such module').waitFor();
    face.showModel('animals', { successor: { ...successor, state: 'provisioning', progress: 'installing numpy' } });
    for (const part of ['#models', '.stream']) await page.locator(part).getByText('Works, while its new state is being prepared: installing numpy').waitFor();
  });

  it('stops a stream that captures although its models have failed, and starts one again whose capture has', async () => {
    await startMany(2);
    capture('CAM-0');
    face.show('CAM-0', { state: 'failed', reason: 'potholes: weights are missing', open_batch: 3 });
    face.show('CAM-1', { state: 'failed', reason: 'no such camera', capturing: false });
    const page = await open(url);
    const card = (id: string): Locator => page.locator('.stream', { hasText: id });
    await card('CAM-0').getByText('3 of 10 frames').waitFor();
    await card('CAM-1').getByText('No picture').waitFor();
    expect(await card('CAM-1').locator('progress').isVisible()).toBe(false);
    await card('CAM-1').getByRole('button', { name: 'Start again' }).click();
    await card('CAM-1').getByText('Waiting for the first picture').waitFor();
    await card('CAM-0').getByRole('button', { name: 'Stop' }).click();
    await card('CAM-0').getByText('stopped by request').waitFor();
    expect(face.streams()).toMatchObject([{ camera_id: 'CAM-0', capturing: false }, { camera_id: 'CAM-1', capturing: true }]);
  });

  it('removes a stream that does not capture, once that is confirmed, unless lookout.yaml names it', async () => {
    await startMany(3);
    await face.stop('CAM-1');
    await face.stop('CAM-2');
    face.show('CAM-2', { origin: 'yaml' });
    const page = await open(url);
    const remove = page.getByRole('button', { name: 'Remove CAM' });
    await remove.waitFor();
    expect(await remove.evaluateAll((buttons: { ariaLabel: string }[]) => buttons.map(({ ariaLabel }) => ariaLabel))).toEqual(['Remove CAM-1']);
    const asked: string[] = [];
    page.once('dialog', (dialog) => { asked.push(dialog.message()); void dialog.dismiss(); });
    await remove.click();
    await nextStreams(page);
    expect(face.stream('CAM-1')).not.toBeNull();
    page.once('dialog', (dialog) => { asked.push(dialog.message()); void dialog.accept(); });
    await remove.click();
    await page.getByRole('heading', { name: 'CAM-1' }).waitFor({ state: 'detached' });
    expect(asked).toEqual(Array(2).fill('Remove CAM-1? Its address and options are forgotten; its records stay.'));
    expect(face.streams().map((stream) => stream.camera_id)).toEqual(['CAM-0', 'CAM-2']);
    expect(await hasFocus(page.getByRole('button', { name: 'Start again CAM-2' }))).toBe(true);
  });

  it('offers neither to start nor to remove a stream while Lookout stops', async () => {
    await startMany(1);
    const page = await open(url);
    await page.getByRole('button', { name: 'Stop CAM-0' }).waitFor();
    // What app.ts says then.
    face.missing.push('Lookout is stopping');
    face.show('CAM-0', { state: 'stopped', reason: 'Lookout is stopping', capturing: false });
    await page.locator('.stream').getByText('Lookout is stopping.').waitFor();
    expect(await page.locator('.stream').getByRole('button').count()).toBe(0);
    face.missing.length = 0;
    await page.getByRole('button', { name: 'Start again CAM-0' }).waitFor();
    await page.getByRole('button', { name: 'Remove CAM-0' }).waitFor();
  });

  it('keeps the focus where it works with the keyboard', async () => {
    await startMany(1);
    const page = await open(url);
    const toggle = page.locator('.stream .toggle');
    await toggle.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Start again CAM-0' }).waitFor();
    expect(await hasFocus(toggle)).toBe(true);

    const start = page.getByRole('button', { name: 'Start', exact: true });
    await page.getByLabel('RTSP URL').fill('rtsp://192.0.2.1/s');
    await page.getByLabel('Camera').fill('CAM-001');
    await start.focus();
    await page.keyboard.press('Enter');
    await page.getByText('CAM-001: started').waitFor();
    expect(await hasFocus(start)).toBe(true);

    await page.getByLabel('RTSP URL').fill('rtsp://192.0.2.1/s');
    await page.getByLabel('Camera').fill('CAM-002');
    await page.keyboard.press('Enter');
    await page.getByText('CAM-002: started').waitFor();
    expect(await hasFocus(page.getByLabel('RTSP URL'))).toBe(true);
  });

  it('starts nothing without a model', async () => {
    const page = await open(url);
    await page.getByRole('checkbox', { name: 'animals' }).uncheck();
    await page.getByLabel('RTSP URL').fill('rtsp://192.0.2.1/s');
    await page.getByLabel('Camera').fill('CAM-9');
    await page.getByLabel('Latitude').fill('1.5');
    await page.getByLabel('Longitude').fill('2');
    await page.keyboard.press('Enter');
    await page.getByText('Choose at least one model.').waitFor();
    expect(face.asked.starts).toEqual([]);
    expect(face.table).toHaveLength(2);
    await page.getByRole('checkbox', { name: 'motion' }).check();
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await page.getByText('CAM-9: started').waitFor();
    expect(face.asked.starts).toMatchObject([{ camera_id: 'CAM-9', models: ['motion'] }]);
  });

  it('takes names of models that were typed before the models were known', async () => {
    let answer = (): void => undefined;
    const held = new Promise<void>((resolve) => { answer = resolve; });
    const page = await open(url, {}, (blank) => blank.route('**/api/models', async (route) => { await held; await route.continue(); }));
    await page.getByLabel('RTSP URL').fill('rtsp://192.0.2.1/s');
    await page.getByLabel('Camera').fill('CAM-9');
    await page.getByLabel('Names, separated by commas').fill('motion, potholes');
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await page.getByText('CAM-9: started').waitFor();
    expect(face.asked.starts).toMatchObject([{ camera_id: 'CAM-9', models: ['motion', 'potholes'] }]);
    answer();
    await page.getByRole('checkbox', { name: 'motion' }).waitFor();
    expect(await page.locator('#models input:checked').evaluateAll((boxes: { value: string }[]) => boxes.map(({ value }) => value))).toEqual(['motion', 'potholes']);
  });
});

const hasFocus = (node: Locator): Promise<boolean> => node.evaluate((one: { ownerDocument: { activeElement: unknown } }) => one.ownerDocument.activeElement === one);

/** Counts from now on what changes in and of the first such element. */
async function watchChanges(page: Page, selector: string): Promise<void> {
  await page.evaluate(`
    globalThis.changed = 0;
    const differs = ({ type, attributeName, oldValue, target }) => type !== 'attributes' || target.getAttribute(attributeName) !== oldValue;
    new MutationObserver((changes) => { globalThis.changed += changes.filter(differs).length; })
      .observe(document.querySelector('${selector}'), { subtree: true, childList: true, characterData: true, attributes: true, attributeOldValue: true });
  `);
}

function changes(page: Page): Promise<number> {
  return page.evaluate('globalThis.changed');
}

/** The page has been told of the streams once more. */
async function nextStreams(page: Page): Promise<void> {
  const answer = await page.waitForResponse((response) => new URL(response.url()).pathname.endsWith('/api/streams'));
  await answer.finished();
}
