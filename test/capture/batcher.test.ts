import { describe, expect, it } from 'vitest';
import { createBatcher } from '../../src/capture/batcher.ts';
import type { Frame } from '../../src/types.ts';

const frame = (key: string): Frame => ({ key, captured_at: '2026-07-01T12:00:00.000Z', sequence: 0, width: 1, height: 1 });

describe('a batcher', () => {
  it('is full with the last of so many frames', () => {
    const batcher = createBatcher(3, 1000);
    expect(['a', 'b', 'c'].map((key) => batcher.add(frame(key), 0))).toEqual([false, false, true]);
    expect(batcher.size).toBe(3);
  });

  it('is full with every frame when batches have one', () => {
    expect(createBatcher(1, 1000).add(frame('a'), 0)).toBe(true);
  });

  it('gives its frames in order and begins anew', () => {
    const batcher = createBatcher(3, 1000);
    for (const key of ['a', 'b']) batcher.add(frame(key), 0);
    expect(batcher.take().map(({ key }) => key)).toEqual(['a', 'b']);
    expect([batcher.size, batcher.dueAt(), batcher.take()]).toEqual([0, null, []]);
    batcher.add(frame('c'), 0);
    expect(batcher.take().map(({ key }) => key)).toEqual(['c']);
  });

  it('is due a while after its first frame', () => {
    const batcher = createBatcher(3, 1000);
    expect(batcher.dueAt()).toBeNull();
    batcher.add(frame('a'), 500);
    batcher.add(frame('b'), 900);
    expect(batcher.dueAt()).toBe(1500);
    batcher.take();
    batcher.add(frame('c'), 2000);
    expect(batcher.dueAt()).toBe(3000);
  });
});
