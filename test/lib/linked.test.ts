import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { linked } from '../../src/lib/linked.ts';

describe('a linked signal', () => {
  it('aborts with each of the others, for their reason', () => {
    const [one, two] = [new AbortController(), new AbortController()];
    const own = linked([one.signal, two.signal]);
    expect(own.signal.aborted).toBe(false);
    two.abort('enough');
    expect(own.signal.reason).toBe('enough');
    expect(linked([one.signal, two.signal]).signal.reason).toBe('enough');
  });

  it('aborts by itself without the others', () => {
    const other = new AbortController();
    const own = linked([other.signal]);
    own.abort('late');
    expect([own.signal.reason, other.signal.aborted]).toEqual(['late', false]);
  });

  it('leaves nothing behind in a signal that lives on', () => {
    const other = new AbortController();
    for (let call = 0; call < 100; call += 1) linked([other.signal]).release();
    expect(getEventListeners(other.signal, 'abort')).toEqual([]);
    const released = linked([other.signal]);
    released.release();
    other.abort();
    expect(released.signal.aborted).toBe(false);
  });
});
