/** The page in a real browser against the real thing: add a camera, start, see pictures and a record, stop. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDemoCamera, type DemoCamera } from '../../src/demo/index.ts';
import { openApiDocument } from '../../src/http/openapi.ts';
import type { Clip } from '../../src/types.ts';
import { startTestApp, until, type TestApp } from '../helpers/app.ts';
import { hasChromium, launchChromium } from '../helpers/chromium.ts';
import { ask } from '../http/site.ts';

const WIDTH = 640;

describe.skipIf(!hasChromium)('the page (missed where Chromium is absent)', () => {
  let camera: DemoCamera;
  let folder: string;
  let lookout: TestApp;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    camera = await startDemoCamera({ cameras: { street: { kind: 'scene', width: WIDTH, height: 360, keyframe_seconds: 0.5 } } }, new AbortController().signal);
    folder = await mkdtemp(join(tmpdir(), 'lookout-page-'));
    await mkdir(join(folder, 'data'));
    await writeFile(join(folder, 'data', 'lookout.yaml'), JSON.stringify({ events: [{ name: 'movement', models: ['motion'] }] }));
    lookout = await startTestApp({ interval_seconds: 0.5, default_models: ['motion'] }, folder);
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.setDefaultTimeout(40_000);
    await page.goto(lookout.url);
  });

  afterAll(async () => {
    await browser.close();
    await lookout.close();
    await camera.close();
    await rm(folder, { recursive: true });
  });

  it('adds a camera with its coordinates and starts its stream', async () => {
    await page.getByLabel('RTSP URL').fill(camera.url('street'));
    await page.getByLabel('Camera', { exact: true }).fill('CAM-NEW');
    await page.getByLabel('Latitude').fill('26.4499');
    await page.getByLabel('Longitude').fill('80.3319');
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await page.getByRole('heading', { name: 'CAM-NEW' }).first().waitFor();
    expect(await readFile(lookout.config.camera_data, 'utf8')).toBe('cameraID,latitude,longitude\nCAM-NEW,26.4499,80.3319\n');
  });

  it('shows the camera\'s pictures as they come', async () => {
    const picture = page.locator('#streams img').first();
    await untilShown(picture);
    const first = await picture.getAttribute('src');
    await until(async () => await picture.getAttribute('src') !== first, 20_000, () => 'the picture stays the same');
  });

  it('shows the record with its snapshot, its boxes and where it was', async () => {
    const [record] = await lookout.records('CAM-NEW', 1, 60_000);
    expect(record?.basic).toMatchObject({ Latitude: 26.4499, Longitude: 80.3319 });
    await untilShown(page.locator('#records img').first());
    await page.locator('#records').getByText(/motion ×/).first().waitFor();
  });

  it('shows the frame of the surest box as it was kept, with its boxes and no other', async () => {
    const record = (await lookout.records('CAM-NEW', 2, 60_000))[1];
    const { detections } = record?.['motion'] as { detections: readonly { frame: number; confidence: number }[] };
    const index = detections.reduce((best, one) => (one.confidence > best.confidence ? one : best), { frame: -1, confidence: -1 }).frame;
    const boxes = detections.filter(({ frame }) => frame === index).length;
    expect(boxes).toBeGreaterThan(0);
    expect(boxes).toBeLessThan(detections.length);
    const taken = page.locator(`time[datetime="${record?.batch.frames.find((frame) => frame.index === index)?.captured_at ?? ''}"]`);
    const card = page.locator('.record').filter({ has: taken });
    await untilShown(card.locator('img'));
    await expect.poll(() => card.locator('rect').count()).toBe(boxes);
    expect(await card.locator('img').getAttribute('src')).toContain(index === record?.batch.snapshot?.index ? '/picture.jpg' : `/picture.jpg?frame=${index}`);
  });

  it('shows the event that goes on, with its picture', async () => {
    const events = await browser.newPage();
    await events.goto(`${lookout.url}/events`);
    const event = events.locator('.event', { hasText: 'rule movement' }).first();
    await event.getByText('Alert', { exact: true }).waitFor();
    await untilShown(event.locator('img'));
    await events.close();
  });

  it('gets from every route what /openapi.json says', async () => {
    const [record] = await lookout.records('CAM-NEW', 1, 60_000);
    const { status, body } = await lookout.post('/api/cameras/CAM-NEW/clips', { before_seconds: 0, after_seconds: 3 });
    // Where ffmpeg captures there are none.
    const clip = status === 201 ? (body as Clip).id : null;
    const isThere = (path: string): boolean => !path.startsWith('/api/events/{id}') && (clip !== null || !path.startsWith('/api/clips/'));
    const paths = Object.entries(openApiDocument('1', {}).paths).filter(([path, { get }]) => get && !get.tags.includes('Push-frame server') && isThere(path)).map(([path]) => (
      path.replace('{camera_id}', 'CAM-NEW').replace('/api/rules/{name}', '/api/rules/movement').replace('{name}', 'motion').replace('{id}', path.startsWith('/api/clips/') ? clip ?? '' : record?.batch.id ?? '')));
    expect(paths.length).toBeGreaterThan(10);
    for (const path of [...paths, '/api/records?pictures=true']) {
      const isEndless = /live\.mp4|stream\.mjpeg|events\/stream/.test(path);
      expect((await ask(Number(new URL(lookout.url).port), isEndless ? 'HEAD' : 'GET', path)).status, path).toBeLessThan(300);
    }
  });

  it('stops the stream', async () => {
    await page.getByRole('button', { name: /^Stop/ }).click();
    await page.locator('#streams').getByText('Stopped', { exact: true }).waitFor();
    expect(lookout.stream('CAM-NEW')).toMatchObject({ state: 'stopped', enabled: false });
  });
});

/** The picture is there in its full size. */
function untilShown(picture: Locator): Promise<void> {
  const whole = (image: { complete: boolean; naturalWidth: number }, width: number): boolean => image.complete && image.naturalWidth === width;
  return until(() => picture.evaluate(whole, WIDTH), 20_000, () => 'a picture is not shown');
}
