import { describe, expect, it } from 'vitest';
import { createTurns } from '../../src/lib/turns.ts';

const never = new AbortController().signal;

describe('turns', () => {
  it('do work in the order in which it was asked for, one at a time, also after a failure', async () => {
    const takeTurn = createTurns();
    const seen: string[] = [];
    const work = (name: string) => takeTurn(async () => {
      seen.push(`${name} begins`);
      await new Promise(setImmediate);
      seen.push(`${name} ends`);
      if (name === 'b') throw new Error('b failed');
    }, never);
    const [, second] = await Promise.allSettled([work('a'), work('b'), work('c')]);
    expect(second).toMatchObject({ status: 'rejected', reason: { message: 'b failed' } });
    expect(seen).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });

  it('end early for who aborts while waiting, and nobody gets ahead because of it', async () => {
    const takeTurn = createTurns();
    let finish: () => void = () => undefined;
    const first = takeTurn(() => new Promise<void>((resolve) => { finish = resolve; }), never);
    const abort = new AbortController();
    const second = takeTurn(() => Promise.resolve('second'), abort.signal);
    let thirdRan = false;
    const third = takeTurn(() => Promise.resolve((thirdRan = true)), never);
    abort.abort(new Error('enough'));
    await expect(second).rejects.toThrow('enough');
    await new Promise(setImmediate);
    expect(thirdRan).toBe(false);
    finish();
    await Promise.all([first, third]);
    expect(thirdRan).toBe(true);
  });
});
