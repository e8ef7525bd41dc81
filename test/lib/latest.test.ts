import { describe, expect, it } from 'vitest';
import { createLatest } from '../../src/lib/latest.ts';

describe('a mailbox with one place', () => {
  it('gives the newest value and counts those before it', async () => {
    const box = createLatest<number>();
    expect([1, 2, 3].map((value) => box.put(value))).toEqual([null, 1, 2]);
    expect(await box.take()).toEqual({ value: 3, missed: 2 });
    box.put(4);
    expect(await box.take()).toEqual({ value: 4, missed: 0 });
  });

  it('lets a reader wait', async () => {
    const box = createLatest<string>();
    const taking = box.take();
    box.put('here');
    expect(await taking).toEqual({ value: 'here', missed: 0 });
  });

  it.each(['a value that is there', 'a reader that waits'])('closes after %s', async (what) => {
    const box = createLatest<number>();
    if (what === 'a value that is there') box.put(1);
    const taking = box.take();
    box.close();
    expect(await taking).toEqual(what === 'a value that is there' ? { value: 1, missed: 0 } : null);
    expect(await box.take()).toBeNull();
  });

  it('fails with the first reason, after what is there', async () => {
    const box = createLatest<number>();
    box.put(1);
    box.fail(new Error('first'));
    box.fail(new Error('second'));
    box.close();
    expect(await box.take()).toEqual({ value: 1, missed: 0 });
    await expect(box.take()).rejects.toThrow('first');
    const waiting = createLatest<number>();
    const taking = waiting.take();
    waiting.fail(new Error('gone'));
    await expect(taking).rejects.toThrow('gone');
  });
});
