/** Real Chromium before a server with a fake Face: what the tests of the pages share. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from 'vitest';
import { hasChromium, launchChromium } from '../helpers/chromium.ts';
import { createFakeFace, type FakeFace } from '../helpers/fake-face.ts';
import { PICTURE } from './records.ts';
import { createSite, type Site } from './site.ts';

const DESKTOP = { width: 1280, height: 720 };

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
  readonly open: (url: string, options?: PageOptions, before?: (page: Page) => Promise<unknown>) => Promise<Page>;
}

/** `clock`: its time can be set. */
type PageOptions = BrowserContextOptions & { readonly clock?: boolean };

export function inChromium(tests: (stage: () => Stage) => void): void {
  describe.skipIf(!hasChromium)('in Chromium (skipped where it is absent: the pages are not driven then)', () => {
    let browser: Browser;
    let folder: string;
    let stage: Stage;
    const contexts = new Map<string, BrowserContext>();

    /** Those of the same kind share one, with a page that stays: without, each would cost half a second of a processor. */
    async function contextFor({ clock, ...asked }: PageOptions): Promise<BrowserContext> {
      const options = { ...asked, viewport: DESKTOP };
      const kind = JSON.stringify(options);
      const context = clock ? undefined : contexts.get(kind);
      if (context) return context;
      const made = await browser.newContext(options);
      if (clock) {
        await made.clock.install();
        stage.closing.push(() => made.close());
      } else {
        contexts.set(kind, made);
        await made.newPage();
      }
      return made;
    }

    /** What a test opened, and what its pages opened by themselves. */
    async function clear(context: BrowserContext): Promise<void> {
      for (const page of context.pages().slice(1)) await page.close();
      await context.clearCookies();
    }

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'lookout-page-'));
      await writeFile(join(folder, 'latest.jpg'), Buffer.from(PICTURE, 'base64'));
      browser = await launchChromium();
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
          const page = await (await contextFor(options)).newPage();
          await page.setViewportSize(options.viewport ?? DESKTOP);
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
      for (const context of contexts.values()) await clear(context);
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
