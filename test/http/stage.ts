/** Real Chromium before a server with a fake Face: what the tests of the pages share. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from 'vitest';
import { createFakeFace, type FakeFace } from '../helpers/fake-face.ts';
import { PICTURE } from './records.ts';
import { createSite, type Site } from './site.ts';

const CHROMIUM = '/usr/bin/chromium';

export interface Stage {
  /** Of the test that runs. */
  readonly face: FakeFace;
  readonly site: Site;
  /** What the pages complained about; a test fails on what is left in here. */
  readonly faults: string[];
  /** A small JPEG. */
  readonly picture: string;
  /** Closed after the test, the last one first. */
  readonly closing: (() => Promise<void>)[];
  /** `before` is called before the page is loaded. */
  readonly open: (url: string, options?: BrowserContextOptions, before?: (page: Page) => Promise<unknown>) => Promise<Page>;
}

export function inChromium(tests: (stage: () => Stage) => void): void {
  describe.skipIf(!existsSync(CHROMIUM))('in Chromium (skipped where /usr/bin/chromium is absent: the pages are not driven then)', () => {
    let browser: Browser;
    let folder: string;
    let stage: Stage;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'lookout-page-'));
      await writeFile(join(folder, 'latest.jpg'), Buffer.from(PICTURE, 'base64'));
      browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--headless', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
    });

    afterAll(async () => {
      await browser.close();
      await rm(folder, { recursive: true });
    });

    beforeEach(async () => {
      const face = createFakeFace();
      const site = await createSite(face);
      const closing = [site.close];
      const faults: string[] = [];
      stage = {
        face, site, faults, closing, picture: join(folder, 'latest.jpg'),
        async open(url, options = {}, before = () => Promise.resolve()) {
          const context = await browser.newContext(options);
          closing.push(() => context.close());
          const page = await context.newPage();
          page.setDefaultTimeout(10_000);
          page.on('pageerror', (error) => faults.push(error.message));
          page.on('console', (message) => { if (message.type() === 'error') faults.push(message.text()); });
          await before(page);
          await page.goto(url);
          return page;
        },
      };
    });

    afterEach(async () => {
      // One after the other: a page that outlives its server complains.
      for (const close of stage.closing.splice(0).reverse()) await close();
      expect(stage.faults).toEqual([]);
    });

    tests(() => stage);
  });
}

/** Whether something is wider than the screen. */
export function scrollsSideways(page: Page): Promise<boolean> {
  return page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth');
}

/** What is wider than the card or the form that it stands in, also where that cuts it off. */
export function tooWide(page: Page): Promise<readonly string[]> {
  return page.evaluate(`[...document.querySelectorAll('.item *, .panel *')]
    .filter((node) => node.getClientRects().length > 0 && node.getBoundingClientRect().right > node.closest('.item, .panel').getBoundingClientRect().right + 1)
    .map((node) => node.tagName + '.' + node.className)`);
}
