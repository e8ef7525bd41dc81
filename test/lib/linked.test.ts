import { getEventListeners } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { linked } from '../../src/lib/linked.ts';

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

describe('a linked signal', () => {
  it('aborts with the first that does, for its reason', () => {
    const [a, b] = [new AbortController(), new AbortController()];
    const both = linked(a.signal, b.signal);
    expect(both.signal.aborted).toBe(false);
    b.abort('over');
    a.abort('late');
    expect(both.signal.reason).toBe('over');
  });

  it('is aborted at once by one that was', () => {
    expect(linked(new AbortController().signal, AbortSignal.abort('before')).signal.reason).toBe('before');
  });

  it('may be aborted by itself, which the others do not notice', () => {
    const long = new AbortController();
    const one = linked(long.signal);
    one.abort('enough');
    expect([one.signal.reason, long.signal.aborted]).toEqual(['enough', false]);
  });

  it('may be one of many', async () => {
    const warnings: Error[] = [];
    const hear = (warning: Error): void => void warnings.push(warning);
    process.on('warning', hear);
    const long = new AbortController();
    const many = Array.from({ length: 50 }, () => linked(long.signal));
    await setImmediate();
    process.off('warning', hear);
    long.abort();
    expect([warnings, many.filter(({ signal }) => signal.aborted).length]).toEqual([[], 50]);
  });

  it.each(['release', 'abort'] as const)('leaves nothing behind after its %s', (end) => {
    const long = new AbortController();
    for (let round = 0; round < 100; round += 1) {
      const one = linked(long.signal);
      expect(listeners(long.signal)).toBe(1);
      one[end]();
      expect(listeners(long.signal)).toBe(0);
    }
    const released = linked(long.signal);
    released.release();
    long.abort();
    expect(released.signal.aborted).toBe(false);
  });
});
