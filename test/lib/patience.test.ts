import { expect, it, onTestFinished, vi } from 'vitest';
import { saying } from '../../src/lib/patience.ts';

it('says nothing of what is done in a moment, and of what is not that it still goes on', async () => {
  vi.useFakeTimers();
  onTestFinished(() => { vi.useRealTimers(); });
  const said: number[] = [];
  let end = (): void => undefined;
  const long = saying(() => { said.push(Date.now()); }, () => new Promise<void>((resolve) => { end = resolve; }));
  await saying(() => { said.push(NaN); }, () => Promise.resolve());
  await vi.advanceTimersByTimeAsync(4999);
  expect(said).toEqual([]);
  await vi.advanceTimersByTimeAsync(5001);
  expect(said).toHaveLength(2);
  end();
  await long;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(said).toHaveLength(2);
});
