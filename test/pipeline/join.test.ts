import { describe, expect, it } from 'vitest';
import { joinAnswers, type Asked } from '../../src/pipeline/join.ts';
import type { LaneAnswer } from '../../src/types.ts';
import { answer, dog, failure, identity } from '../record/parts.ts';

const never = new AbortController().signal;
const found = answer([dog]);

/** A model that answers after a while, or only ends when it is given up. */
function asked(model: string, result: LaneAnswer | null, afterMs = 0, ready = true): Asked & { gaveUp: boolean } {
  const one = {
    model, identity, ready, gaveUp: false,
    ask: (signal: AbortSignal) => new Promise<LaneAnswer>((resolve, reject) => {
      if (result) setTimeout(() => { resolve(result); }, afterMs);
      signal.addEventListener('abort', () => {
        one.gaveUp = true;
        reject(signal.reason as Error);
      });
    }),
  };
  return one;
}

describe('the answers of a batch\'s models', () => {
  it('are all there when all answer', async () => {
    const models = [asked('motion', found), asked('animals', failure('runner_failed'), 30)];
    expect(await joinAnswers(models, 1000, never)).toEqual({ motion: found, animals: failure('runner_failed') });
  });

  it('read late, or not ready, a while after the first one', async () => {
    const slow = asked('slow', null);
    const joined = await joinAnswers([asked('motion', found, 20), slow, asked('new', null, 0, false)], 100, never);
    expect(joined).toMatchObject({
      motion: found, slow: { error: { code: 'late', message: expect.stringContaining('0.1 s') as string }, identity }, new: { error: { code: 'not_ready' } },
    });
    expect(slow.gaveUp).toBe(true);
  });

  it('are waited for while none has come', async () => {
    expect(await joinAnswers([asked('slow', found, 300)], 50, never)).toEqual({ slow: found });
  });

  it('are waited for however soon another model failed', async () => {
    expect(await joinAnswers([asked('broken', failure()), asked('slow', found, 300)], 50, never)).toEqual({ broken: failure(), slow: found });
  });

  it('are waited for no more once the signal aborts', async () => {
    const stop = new AbortController();
    const joining = joinAnswers([asked('motion', found), asked('slow', null)], 60_000, stop.signal);
    const began = Date.now();
    stop.abort(new Error('enough'));
    await expect(joining).rejects.toThrow('enough');
    expect(Date.now() - began).toBeLessThan(1000);
  });

  it('fail together with one that cannot even be asked, and nobody waits for the others', async () => {
    const slow = asked('slow', null);
    const broken: Asked = { model: 'broken', identity, ready: true, ask: () => Promise.reject(new Error('out of memory')) };
    await expect(joinAnswers([slow, broken], 60_000, never)).rejects.toThrow('out of memory');
    expect(slow.gaveUp).toBe(true);
  });
});
