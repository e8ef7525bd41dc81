/** The last frames of cameras whose events have clips, under names of their own: frames leave the spool with their batch. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, linkOrCopy, makeFolder, removeIfPresent } from '../lib/files.ts';
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
  /** Holds a frame, and lets go of those that are older by so much. null: it is gone, or comes too soon after the one before. */
  hold(cameraId: string, frame: Frame, seconds: number): Promise<HeldFrame | null>;
  /** Oldest first: the one that was the newest at a time, and those after it. */
  since(cameraId: string, ms: number): readonly HeldFrame[];
}

/** No clip shows more than ten in a second. */
const LEAST_APART_MS = 100;

/** What an earlier run left in the folder goes. */
export async function openReel(folder: string, pathOf: (key: string) => string): Promise<Reel> {
  await rm(folder, { recursive: true, force: true });
  const held = new Map<string, readonly HeldFrame[]>();
  let lastNumber = 0;

  return {
    async hold(cameraId, { key, captured_at, width, height }, seconds) {
      const ms = Date.parse(captured_at);
      const before = held.get(cameraId) ?? [];
      const apartMs = ms - (before.at(-1)?.ms ?? -Infinity);
      if (apartMs >= 0 && apartMs < LEAST_APART_MS) return null;
      lastNumber += 1;
      const own: HeldFrame = { file: join(folder, `${lastNumber}.jpg`), ms, width, height };
      // Those of a clock that was set back cannot stand in one clip with it.
      const kept = apartMs < 0 ? [] : from(before, ms - 1000 * seconds);
      held.set(cameraId, [...kept, own]);
      try {
        await makeFolder(folder);
        await linkOrCopy(pathOf(key), own.file);
      } catch (error) {
        held.set(cameraId, (held.get(cameraId) ?? []).filter((one) => one !== own));
        if (hasCode(error, 'ENOENT')) return null;
        throw error;
      } finally {
        for (const one of before) if (!kept.includes(one)) await removeIfPresent(one.file);
      }
      return own;
    },
    since: (cameraId, ms) => from(held.get(cameraId) ?? [], ms),
  };
}

function from(frames: readonly HeldFrame[], ms: number): readonly HeldFrame[] {
  return frames.slice(Math.max(0, frames.findLastIndex((frame) => frame.ms <= ms)));
}
