/** Real Chromium, without a window. */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Debian's headless shell before its browser: it has the same engine, and no tabs and bars to draw, which take most of a small test's time. */
const FILE = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'].find((file) => existsSync(file));

/** It asks nobody for anything but its pages. */
const QUIET = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export const hasChromium = FILE !== undefined;

/** Its pages of one site share a process: those of their own would cost more than what most of them show. */
export function launchChromium(...args: readonly string[]): Promise<Browser> {
  if (FILE === undefined) throw new Error('Chromium is not installed: node setup.mjs --test does it');
  return chromium.launch({ executablePath: FILE, args: [...QUIET, '--renderer-process-limit=1', ...args] });
}
