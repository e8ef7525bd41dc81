/** What every source keeps to, on a real peer that sends pictures. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { imageSize } from 'image-size';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LookoutError } from '../../src/errors.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { loadFamily, type Member } from '../../src/lib/family.ts';
import { silentLog, type Log } from '../../src/lib/log.ts';
import type { CapturedFrame, Config, EventRule, Source } from '../../src/types.ts';
import { alive, descendants } from '../helpers/process-tree.ts';
import { jpegOf, never, NO_RULES, streamOf, takenAway } from '../sources/streams.ts';

type SourceSettings = Pick<Config, 'jpeg_quality' | 'max_width' | 'capture_engine'>;
export type SourceMember = Member<{ readonly config: SourceSettings; readonly log: Log; readonly rules: () => readonly EventRule[] }, Source> & { readonly schemes: readonly string[] };

export interface Peer {
  /** Shows a picture at least once a second. */
  readonly url: string;
  /** It does not wait until it is asked. */
  begin?(source: Source): void;
  /** The peer goes away: it cuts who is connected and is found no more. */
  close(): Promise<void>;
}

/** A new picture is asked for this often. */
const INTERVAL_MS = 1000;

/** `open` is called once. */
export function sourceContract(name: string, open: () => Promise<Peer>, capture_engine: Config['capture_engine'] = 'auto'): void {
  describe(`the source of ${name}`, () => {
    const before = descendants(process.pid);
    let peer: Peer;
    let source: Source;
    let folder: string;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'lookout-source-'));
      peer = await open();
      source = await sourceFor(peer.url, capture_engine);
      peer.begin?.(source);
    });
    afterAll(async () => {
      await source.close();
      await peer.close();
      await rm(folder, { recursive: true });
    });
    afterEach(async () => {
      // Whatever nobody took.
      expect(await readdir(folder)).toEqual([]);
    });

    const frames = (signal: AbortSignal = never): AsyncIterator<CapturedFrame, unknown> =>
      takenAway(source.frames(streamOf(peer.url, { interval_seconds: INTERVAL_MS / 1000 }), folder, signal));

    it('yields pictures in order, and what it says of each is true', async () => {
      const began = Date.now();
      const stop = new AbortController();
      const running = frames(stop.signal);
      const taken = [await next(running), await next(running), await next(running)];
      stop.abort();
      await running.next();
      for (const frame of taken) {
        const { width, height, mode, missed } = frame;
        const { type, ...size } = imageSize(jpegOf(frame));
        expect({ type, width: size.width, height: size.height }).toEqual({ type: 'jpg', width, height });
        expect(mode).not.toBe('');
        expect(missed).toBe(0);
      }
      const times = taken.map(({ captured_at }) => Date.parse(captured_at));
      expect(times).toEqual([...times].sort((a, b) => a - b));
      expect(new Set(times).size).toBe(times.length);
      expect(times[0]).toBeGreaterThan(began - 5000);
      expect(times.at(-1)).toBeLessThanOrEqual(Date.now());
      expect(taken.map(({ captured_at }) => new Date(captured_at).toISOString())).toEqual(taken.map(({ captured_at }) => captured_at));
    });

    it('gives a slow consumer the newest picture and counts the others', async () => {
      const stop = new AbortController();
      const running = frames(stop.signal);
      await next(running);
      await systemClock.sleep(4 * INTERVAL_MS, never);
      // One that waits, and one that is being made.
      expect((await readdir(folder)).length).toBeLessThanOrEqual(2);
      const late = await next(running);
      expect(late.missed).toBeGreaterThanOrEqual(1);
      expect(Date.now() - Date.parse(late.captured_at)).toBeLessThan(3 * INTERVAL_MS);
      expect((await next(running)).missed).toBe(0);
      stop.abort();
      await running.next();
    });

    it.each(['before it has begun', 'while it connects', 'while it waits for a picture'])('ends within a second when it is aborted %s', async (when) => {
      const stop = new AbortController();
      if (when === 'before it has begun') stop.abort();
      const running = frames(stop.signal);
      if (when === 'while it waits for a picture') {
        // The first may be kept back until shortly before the second.
        await next(running);
        await next(running);
      }
      const waiting = running.next();
      await systemClock.sleep(20, never);
      const aborted = Date.now();
      stop.abort();
      expect(await waiting).toEqual({ done: true, value: undefined });
      expect(Date.now() - aborted).toBeLessThan(1000);
    });

    it('is left in the middle without a trace', async () => {
      const running = frames();
      await next(running);
      await running.return?.();
      expect(await running.next()).toMatchObject({ done: true });
    });

    // The last of them: the peer is gone afterwards.
    it('throws when its peer goes away, and leaves no process behind', async () => {
      const running = frames();
      await next(running);
      await peer.close();
      const error: unknown = await untilItEnds(running).catch((thrown: unknown) => thrown);
      if (!(error instanceof LookoutError)) throw new Error(`not a LookoutError: ${String(error)}`);
      expect(error.retry).toBe(true);
      await source.close();
      const pids = new Set(before.map(({ pid }) => pid));
      await expect.poll(() => alive(descendants(process.pid)).filter(({ pid }) => !pids.has(pid)), { timeout: 2000 }).toEqual([]);
    });
  });
}

/** The family's member for the URL's scheme, made as the app makes it. */
async function sourceFor(url: string, capture_engine: Config['capture_engine']): Promise<Source> {
  const scheme = /^([a-z][a-z0-9+.-]*):(?:\/\/|$)/i.exec(url)?.[1] ?? 'file';
  const members = await loadFamily<SourceMember>(new URL('../../src/sources/', import.meta.url));
  const member = [...members.values()].find(({ schemes }) => schemes.includes(scheme));
  if (!member) throw new Error(`no source has the scheme ${scheme}`);
  return member.create({ config: { jpeg_quality: 90, max_width: null, capture_engine }, log: silentLog, ...NO_RULES });
}

async function next(running: AsyncIterator<CapturedFrame, unknown>): Promise<CapturedFrame> {
  const step = await running.next();
  if (step.done) throw new Error('the source ended');
  return step.value;
}

async function untilItEnds(running: AsyncIterator<CapturedFrame, unknown>): Promise<void> {
  while (!(await running.next()).done);
}
