import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { linesLost, writeTo } from '../../src/lib/standard-streams.ts';

it('keeps a bounded number of lines for a reader who hangs, and counts the others', () => {
  const hung = new Writable({ decodeStrings: false, write: () => undefined });
  const line = `${'x'.repeat(999)}\n`;
  const before = linesLost();
  for (let written = 0; written < 5000; written += 1) writeTo(hung, line, 1_000_000);
  expect(hung.writableLength).toBeLessThan(1_100_000);
  expect(linesLost() - before).toBeGreaterThan(3900);
});

it('tells a slow reader what comes once it has caught up', () => {
  const waiting: (() => void)[] = [];
  const slow = new Writable({ decodeStrings: false, highWaterMark: 1, write: (_chunk, _encoding, done) => { waiting.push(done); } });
  const before = linesLost();
  writeTo(slow, 'x'.repeat(2_000_000), 1_000_000);
  writeTo(slow, 'lost', 1_000_000);
  expect(linesLost() - before).toBe(1);
  waiting.pop()?.();
  writeTo(slow, 'told', 1_000_000);
  expect(linesLost() - before).toBe(1);
});
