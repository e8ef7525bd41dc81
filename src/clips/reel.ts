/** The last frames of cameras whose events have clips, under names of their own: frames leave the spool with their batch. */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createByteBudget } from '../lib/byte-budget.ts';
import type { Clock } from '../lib/clock.ts';
import { hasCode, linkOrCopy, makeFolder, removeIfPresent } from '../lib/files.ts';
import { createExpendables } from '../store/expendables.ts';
import type { Expendable } from '../store/janitor.ts';
import type { Frame } from '../types.ts';

export interface HeldFrame {
  readonly file: string;
  /** Of its capture, since 1970. */
  readonly ms: number;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

export interface Reel {
  /**
   * Holds a frame, and lets go of those that are older by so much; of all once no frame has come for as long, and for two intervals.
   * null: it is gone, or too near to another in time.
   */
  hold(cameraId: string, frame: Frame, seconds: number, intervalSeconds: number): Promise<HeldFrame | null>;
  /** Oldest first: the one that was the newest at a time, and those after it. Their files may be gone. */
  since(cameraId: string, ms: number): readonly HeldFrame[];
  /** Lets go of all frames of the camera. */
  forget(cameraId: string): Promise<void>;
  /** What the janitor may let go. */
  readonly expendable: Expendable;
  /** Holds no more. */
  close(): void;
}

/** No clip shows more than ten in a second. */
const LEAST_APART_MS = 100;
/** Where so many in a row are older than the newest, the clock was set back. */
const MOST_OVERTAKEN = 3;

/** What an earlier run left in the folder goes. `failed`: frames of the camera could not be let go. */
export async function openReel(folder: string, pathOf: (key: string) => string, clock: Clock, failed: (cameraId: string) => (error: unknown) => void): Promise<Reel> {
  await rm(folder, { recursive: true, force: true });
  const held = new Map<string, readonly HeldFrame[]>();
  /** By camera, what cancels it. */
  const alarms = new Map<string, () => void>();
  const budget = await createByteBudget({ maxBytes: Infinity, existing: [], remove: removeIfPresent });
  /** By camera, frames since the newest that are older. */
  const inARow = new Map<string, number>();
  /** One that was held up and lost its folder meanwhile removes nothing of who came after it. */
  const run = randomUUID().slice(0, 8);
  let lastNumber = 0;

  async function letGo(frames: readonly HeldFrame[]): Promise<void> {
    for (const { file } of frames) {
      budget.forget(file);
      await removeIfPresent(file);
    }
  }

  async function forget(cameraId: string): Promise<void> {
    alarms.get(cameraId)?.();
    alarms.delete(cameraId);
    inARow.delete(cameraId);
    const frames = held.get(cameraId) ?? [];
    held.delete(cameraId);
    await letGo(frames);
  }

  return {
    async hold(cameraId, { key, captured_at, width, height }, seconds, intervalSeconds) {
      const ms = Date.parse(captured_at);
      const before = held.get(cameraId) ?? [];
      const lates = ms < (before.at(-1)?.ms ?? -Infinity) ? (inARow.get(cameraId) ?? 0) + 1 : 0;
      // Pictures that are pushed may overtake each other. Those of a clock that was set back cannot stand in one clip with what was before.
      const isBack = lates >= MOST_OVERTAKEN;
      inARow.set(cameraId, isBack ? 0 : lates);
      const others = isBack ? [] : before;
      const place = others.findLastIndex((frame) => frame.ms <= ms) + 1;
      const apartMs = Math.min(ms - (others[place - 1]?.ms ?? -Infinity), (others[place]?.ms ?? Infinity) - ms);
      if (apartMs < LEAST_APART_MS) return null;
      lastNumber += 1;
      const own: HeldFrame = { file: join(folder, `${run}-${lastNumber}.jpg`), ms, width, height };
      const isHeld = (): boolean => held.get(cameraId)?.includes(own) === true;
      const all = others.toSpliced(place, 0, own);
      const kept = from(all, (all.at(-1) ?? own).ms - 1000 * seconds);
      held.set(cameraId, kept);
      alarms.get(cameraId)?.();
      alarms.set(cameraId, clock.after(1000 * (seconds + 2 * intervalSeconds), () => { forget(cameraId).catch(failed(cameraId)); }));
      try {
        await makeFolder(folder);
        await linkOrCopy(pathOf(key), own.file);
        await budget.add(own.file);
      } catch (error) {
        held.set(cameraId, (held.get(cameraId) ?? []).filter((one) => one !== own));
        if (hasCode(error, 'ENOENT')) return null;
        throw error;
      } finally {
        const stay = new Set(kept);
        await letGo(before.filter((one) => !stay.has(one)));
        // It was let go before it was there.
        if (!isHeld()) await letGo([own]);
      }
      return isHeld() ? own : null;
    },
    since: (cameraId, ms) => from(held.get(cameraId) ?? [], ms),
    forget,
    expendable: createExpendables(folder, budget)(() => true),
    close() {
      for (const cancel of alarms.values()) cancel();
    },
  };
}

function from(frames: readonly HeldFrame[], ms: number): readonly HeldFrame[] {
  return frames.slice(Math.max(0, frames.findLastIndex((frame) => frame.ms <= ms)));
}
