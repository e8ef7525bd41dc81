/** The pages in real Chromium against a fake Face: ours on a desktop, on a phone and without JavaScript, and the old ones. */
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Json } from '../../src/types.ts';
import type { FakeFace } from '../helpers/fake-face.ts';
import { flatRecord, nestedRecord, PICTURE, secondRecord } from './records.ts';
import { createSite, type Site } from './site.ts';
import { inChromium, scrollsSideways, type Stage, tooWide } from './stage.ts';

const OLD_PAGES = fileURLToPath(new URL('../fixtures/legacy-pages', import.meta.url));
const RTSP = 'rtsp://admin:secret@192.0.2.1:554/s';
const SIZES = [['desktop', { width: 1280, height: 900 }], ['phone', { width: 390, height: 844 }]] as const;

inChromium((stage) => {
  let face: FakeFace;
  let site: Site;
  let open: Stage['open'];
  let closing: Stage['closing'];

  beforeEach(() => { ({ face, site, open, closing } = stage()); });

  describe.each(SIZES)('on a %s', (_name, viewport) => {
    it('tells what to do next while there is nothing', async () => {
      const page = await open(site.url, { viewport });
      expect(await page.title()).toBe('Lookout');
      await page.getByText('No stream yet.').waitFor();
      await page.getByText('No record yet.').waitFor();
      expect(await scrollsSideways(page)).toBe(false);
    });

    it('starts a stream, shows its picture, progress and a record with boxes, and stops it', async () => {
      const page = await open(site.url, { viewport });
      await page.getByLabel('RTSP URL').fill(RTSP);
      await page.getByLabel('Camera').fill('CAM-001');
      await page.getByText('Known camera at 37.7749, -122.4194').waitFor();
      expect(await page.getByLabel('Latitude').isVisible()).toBe(false);
      expect(await page.getByRole('checkbox', { name: 'animals' }).isChecked()).toBe(true);
      await page.getByRole('checkbox', { name: 'motion' }).check();
      await page.getByRole('button', { name: 'Start', exact: true }).click();
      await page.getByText('CAM-001: started').waitFor();
      expect(face.asked.starts).toMatchObject([{ camera_id: 'CAM-001', url: RTSP, models: ['animals', 'motion'] }]);

      face.pictures.set('CAM-001', { file: stage().picture, captured_at: new Date().toISOString() });
      face.show('CAM-001', { open_batch: 7, last_frame_at: new Date().toISOString(), last_frame_age_seconds: 1 });
      face.showModel('animals', { state: 'provisioning', progress: 'fetching detector 40 %' });
      const card = page.locator('.stream');
      await card.getByText('7 of 10 frames').waitFor();
      expect(await card.locator('progress').evaluate((bar: { position: number }) => bar.position)).toBeCloseTo(0.7);
      await card.getByText('fetching detector 40 %').waitFor();
      await card.getByRole('img', { name: 'Latest picture of CAM-001' }).waitFor();

      face.written.push(nestedRecord());
      const record = page.locator('.record');
      await record.getByText('dog × 2 (up to 91 %)').waitFor();
      await record.getByText('garbage failed: weights are missing').waitFor();
      await record.getByText('motion looked at 2 of 3 frames').waitFor();
      // Only the dog of the snapshot's frame, in pixels of the frame although the snapshot is smaller.
      await record.getByText('Frame 2 of 3').waitFor();
      expect(await record.locator('svg').getAttribute('viewBox')).toBe('0 0 1280 720');
      expect(await record.locator('rect').count()).toBe(1);
      expect(await record.locator('rect[x="320"][y="180"][width="320"][height="360"]').count()).toBe(1);
      const [json] = await Promise.all([page.context().waitForEvent('page'), record.getByRole('link', { name: 'JSON' }).click()]);
      expect(await json.locator('body').innerText()).toContain('"frame_base64"');

      await card.getByRole('button', { name: 'Stop' }).click();
      await card.getByText('stopped by request').waitFor();
      await card.getByRole('button', { name: 'Start again' }).click();
      await card.getByRole('button', { name: 'Stop' }).waitFor();
      expect(await scrollsSideways(page)).toBe(false);
    });
  });

  it('starts several streams, adds a new camera, and keeps what failed in the form', async () => {
    const page = await open(site.url);
    await page.getByRole('checkbox', { name: 'animals' }).waitFor();
    await page.getByRole('button', { name: 'Add another stream' }).click();
    const [first, second] = [page.getByRole('group', { name: 'Stream 1' }), page.getByRole('group', { name: 'Stream 2' })];
    await first.getByLabel('RTSP URL').fill(RTSP);
    await first.getByLabel('Camera').fill('CAM-9');
    await first.getByLabel('Latitude').fill('1.5');
    await first.getByLabel('Longitude').fill('2');
    await second.getByLabel('RTSP URL').fill('file:///etc/passwd');
    await second.getByLabel('Camera').fill('CAM-002');
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await page.getByText('CAM-9: started').waitFor();
    await page.getByText('URLs of the scheme file are not allowed').waitFor();
    expect(await page.getByLabel('RTSP URL').inputValue()).toBe('file:///etc/passwd');
    expect(face.table.at(-1)).toEqual({ cameraID: 'CAM-9', latitude: '1.5', longitude: '2' });
  });

  it('shows records of the old generations and hostile text as text', async () => {
    const hostile = '<img src=x onerror=alert(1)>';
    face.written.push(flatRecord(), secondRecord(), nestedRecord('b', hostile));
    await face.start({ camera_id: hostile, url: 'rtsp://a/' });
    const page = await open(site.url);
    await page.locator('.record').getByText('pothole × 1 (up to 40 %)').waitFor();
    await page.locator('.record').getByText('08/10/2025 16:45:10').waitFor();
    await page.locator('.record').getByText('cow × 1 (up to 70 %)').waitFor();
    await page.locator('.record h3', { hasText: hostile }).waitFor();
    await page.locator('.stream h3', { hasText: hostile }).waitFor();
    expect(await page.locator('h3 img').count()).toBe(0);
  });

  it('writes what a box holds within the picture, wherever the box is', async () => {
    face.written.push(...[[1270, 0, 1280, 10], [1270, 710, 1280, 720], [0, 0, 1280, 720]].map((box, index) => nestedRecord(String(index), 'CAM-001', PICTURE, box)));
    const page = await open(site.url);
    await expect.poll(() => page.locator('.record text').count()).toBe(3);
    expect(await page.evaluate(`[...document.querySelectorAll('.record text')].map((text) => {
      const [label, picture] = [text, text.ownerSVGElement].map((node) => node.getBoundingClientRect());
      return label.left >= picture.left && label.right <= picture.right && label.top >= picture.top && label.bottom <= picture.bottom;
    })`)).toEqual([true, true, true]);
  });

  it('says what has no box in words, and draws what has one', async () => {
    const record = JSON.parse(JSON.stringify(nestedRecord())) as { stray_animal: { detections: object[] } };
    record.stray_animal.detections.push({ class: 'fog', confidence: 0.8, frame: 1 });
    face.written.push(record as unknown as Json);
    const page = await open(site.url);
    await page.locator('.record').getByText('fog × 1 (up to 80 %)').waitFor();
    await page.locator('.record rect').waitFor();
    expect(await page.locator('.record text').allTextContents()).toEqual(['dog 91 %']);
  });

  it('says when the server is gone and recovers', async () => {
    const page = await open(site.url);
    await page.getByText('No stream yet.').waitFor();
    await page.route('**/api/**', (route) => route.fulfill({ status: 200, contentType: 'text/plain', body: 'x' }));
    await page.getByText('Lookout does not answer.').waitFor();
    await page.unroute('**/api/**');
    await page.getByText('Lookout does not answer.').waitFor({ state: 'hidden' });
  });

  it.each(SIZES)('keeps long names and messages within their cards on a %s', async (_name, viewport) => {
    const long = 'W'.repeat(128);
    await face.start({ camera_id: long, url: RTSP });
    const at = new Date().toISOString();
    face.show(long, { state: 'reconnecting', reason: `${long}; next try in 2.0 s`, last_error: { code: 'x', message: long, at } });
    await face.start({ camera_id: 'CAM-001', url: RTSP });
    face.show('CAM-001', { last_error: { code: 'x', message: long, at } });
    face.showModel('potholes', { missing: `the weights *.pt are missing; put the file into /${long}` });
    face.written.push(nestedRecord('a', long));
    const page = await open(site.url, { viewport });
    await page.locator('.record').waitFor();
    await page.getByRole('group').filter({ hasText: 'Start a stream' }).evaluate((form: { open: boolean }) => { form.open = true; });
    await page.locator('.stream').getByText('Last error').waitFor();
    expect(await page.locator('.stream').getByText(/Last error/).count(), 'what the reason says is said once').toBe(1);
    expect(await tooWide(page)).toEqual([]);

    const hint = page.locator('.choice', { hasText: 'potholes' }).locator('.hint');
    const height = (): Promise<number> => hint.evaluate((node: { clientHeight: number }) => node.clientHeight);
    const line = await height();
    expect(await hint.getAttribute('title')).toContain('put the file into');
    await page.getByRole('checkbox', { name: 'potholes' }).check();
    expect(await height()).toBeGreaterThan(2 * line);
    expect(await tooWide(page)).toEqual([]);
  });

  it.each(SIZES)('starts a stream without JavaScript on a %s', async (_name, viewport) => {
    const page = await open(site.url, { javaScriptEnabled: false, viewport });
    await page.getByLabel('RTSP URL').fill(RTSP);
    await page.getByLabel('Camera').fill('CAM-9');
    await page.getByLabel('Latitude').fill('1.5');
    await page.getByLabel('Longitude').fill('2');
    await page.getByLabel('Names, separated by commas').fill('animals, motion');
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await page.getByText('Started: CAM-9.').waitFor();
    expect(face.asked.starts).toMatchObject([{ camera_id: 'CAM-9', url: RTSP, models: ['animals', 'motion'] }]);
    expect(face.table.at(-1)).toMatchObject({ cameraID: 'CAM-9', latitude: '1.5' });
    await page.getByLabel('RTSP URL').fill('file:///etc/passwd');
    await page.getByLabel('Camera').fill('CAM-002');
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await page.getByText('Not started: URLs of the scheme file are not allowed').waitFor();
    expect(new URL(page.url()).search).toBe('');
    // The page that says so is the answer to the form.
    expect(stage().faults.splice(0).filter((fault) => !fault.includes('400'))).toEqual([]);
    await page.getByLabel('RTSP URL').fill('rtsp://192.0.2.1/s');
    await page.getByText('User name and password').click();
    await page.getByLabel('User name').fill('admin');
    await page.getByLabel('Password').fill(' p@ss:/ ');
    await page.getByLabel('Camera').fill('CAM-002');
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await page.getByText('Started: CAM-002.').waitFor();
    expect(face.asked.starts.at(-1)?.url).toBe('rtsp://admin:%20p%40ss%3A%2F%20@192.0.2.1/s');
  });

  it('says on the page of the API why there is nothing on it', async () => {
    const page = await open(`${site.url}/docs`, {}, (blank) => blank.route('**/openapi.json', (route) => route.abort()));
    await page.locator('#summary').getByText('Lookout does not answer.').waitFor();
    expect(stage().faults.splice(0).filter((one) => !one.includes('ERR_FAILED'))).toEqual([]);
  });

  it('shows the API', async () => {
    const page = await open(`${site.url}/docs`);
    await page.getByText('/start_streams').click();
    await page.getByText('A result for each, in the order of the request').waitFor();
    await page.getByText('/api/records', { exact: true }).click();
    await page.getByText('Records in the generation in which they were written.').waitFor();
    expect(await page.locator('pre').filter({ hasText: 'column by column' }).count(), 'definitions of the record stand where they are meant').toBe(1);
    expect(await page.locator('pre').filter({ hasText: '$ref' }).count()).toBe(0);
  });

  it('the first old page starts a stream', async () => {
    const old = await createSite(face, {}, OLD_PAGES);
    closing.push(old.close);
    const page = await open(`${old.url}/static/v1.html`);
    await page.getByPlaceholder('rtsp://...').fill(RTSP);
    await page.getByPlaceholder('CAM-001').fill('CAM-7');
    const output = page.locator('#status');
    await page.getByRole('button', { name: 'Start Stream' }).click();
    await expect.poll(() => output.textContent()).toBe('{"camera_id":"CAM-7","model_name":"animals","status":"started"}');
    await page.getByRole('button', { name: 'Start Stream' }).click();
    await expect.poll(() => output.textContent()).toBe('{"camera_id":"CAM-7","status":"already_running"}');
  });

  it('the third old page adds a camera and starts two streams', async () => {
    const old = await createSite(face, {}, OLD_PAGES);
    closing.push(old.close);
    const page = await open(`${old.url}/static/v3.html`);
    await page.locator('.stream').first().waitFor();
    await page.getByRole('button', { name: '+ Add Stream' }).click();
    const [first, second] = [page.locator('.stream').nth(0), page.locator('.stream').nth(1)];
    await first.getByPlaceholder('rtsp://...').fill(RTSP);
    await first.locator('select').selectOption('CAM-002');
    await second.getByPlaceholder('rtsp://...').fill(RTSP);
    await second.locator('select').selectOption('__NEW__');
    await second.getByPlaceholder('CAM-001').fill('CAM-8');
    await second.getByPlaceholder('26.4499').fill('26.4499');
    await second.getByPlaceholder('80.3319').fill('80.3319');
    await page.getByRole('button', { name: 'Start All Streams' }).click();
    await expect.poll(() => page.locator('#status').textContent()).toBe('Streams started:\nCAM-002: started\nCAM-8: started');
    expect(face.table.at(-1)).toEqual({ cameraID: 'CAM-8', latitude: '26.4499', longitude: '80.3319' });
  });
});
