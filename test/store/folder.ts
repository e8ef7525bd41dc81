/** A folder of its own for each test of a file, and frames in a spool. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach } from 'vitest';
import { batchOf as sessionBatch, type Session, type Spool } from '../../src/store/spool.ts';
import type { Batch, Frame } from '../../src/types.ts';

/** Where it is, once a test runs. */
export function testFolder(): { readonly path: string } {
  const folder = { path: '' };
  beforeEach(async ({ onTestFinished }) => {
    const path = await mkdtemp(join(tmpdir(), 'lookout-test-'));
    folder.path = path;
    // After whatever the test itself has to close, which may still write there.
    onTestFinished(() => rm(path, { recursive: true, force: true }));
  });
  return folder;
}

/** The smallest JPEG that is whole by its markers: 4 x 2 pixels, without any. */
export const PICTURE = Buffer.from('ffd8ffe000104a46494600010100000100010000ffc0000b080002000401011100ffda0008010100003f0000ffd9', 'hex');
export const BEGIN = Date.parse('2026-07-01T12:00:00.000Z');

/** Frames a second apart, in the spool. */
export async function putFrames(spool: Spool, session: Session, count: number, firstSecond = 0): Promise<Frame[]> {
  const frames: Frame[] = [];
  for (let second = firstSecond; second < firstSecond + count; second += 1) {
    frames.push(await spool.put(session, { captured_at: new Date(BEGIN + second * 1000).toISOString(), width: 4, height: 2, picture: { jpeg: PICTURE } }));
  }
  return frames;
}

export const batchOf = (session: Session, frames: readonly Frame[]): Batch => sessionBatch(session, frames, 'count');
