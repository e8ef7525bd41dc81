/** Which batch a frame is in: while it is open, once it is closed, from an earlier run, and how much is remembered. */
import { expect, it } from 'vitest';
import { createBatches } from '../../src/events/batches.ts';
import type { Batch, Frame } from '../../src/types.ts';

const frame = (session: string, sequence: number): Frame => ({ key: `${session}/${sequence}.jpg`, captured_at: '', width: 1, height: 1, sequence });
const batch = (session: string, id: string, ...sequences: number[]): Batch => ({ id, session, frames: sequences.map((one) => frame(session, one)) }) as unknown as Batch;
const create = (): ReturnType<typeof createBatches> => createBatches((_session, firstKey) => firstKey);

it('is named by its first frame while it is open, and keeps that name', () => {
  const batches = create();
  for (let sequence = 0; sequence < 3; sequence += 1) for (const session of ['a', 'b']) batches.offered(frame(session, sequence), session);
  expect([0, 1, 2].map((one) => batches.of(frame('a', one)))).toEqual(['a/0.jpg', 'a/0.jpg', 'a/0.jpg']);
  batches.closed(batch('a', 'a/0.jpg', 0, 1, 2));
  batches.offered(frame('a', 3), 'a');
  expect([2, 3].map((one) => batches.of(frame('a', one)))).toEqual(['a/0.jpg', 'a/3.jpg']);
  expect(batches.of(frame('b', 2))).toBe('b/0.jpg');
});

it('is known of an earlier run, in whatever order they come, and of nothing else', () => {
  const batches = create();
  batches.closed(batch('old', 'late', 10, 11, 12));
  batches.closed(batch('old', 'early', 0, 1, 5));
  expect([0, 1, 5, 6, 9, 10, 12, 13].map((one) => batches.of(frame('old', one)))).toEqual(['early', 'early', 'early', null, null, 'late', 'late', null]);
  expect(batches.of(frame('other', 0))).toBe(null);
});

it('is remembered of the newest five thousand', () => {
  const batches = create();
  for (let one = 0; one < 5100; one += 1) {
    const session = `s${one % 50}`;
    batches.offered(frame(session, 10 * one), session);
    batches.closed(batch(session, `${session}/${10 * one}.jpg`, 10 * one, 10 * one + 9));
  }
  expect([99, 100, 5099].map((one) => batches.of(frame(`s${one % 50}`, 10 * one + 4)))).toEqual([null, 's0/1000.jpg', 's49/50990.jpg']);
});

it('is remembered while it is open, however many others are closed meanwhile', () => {
  const batches = create();
  batches.offered(frame('slow', 0), 'slow');
  for (let one = 0; one < 5100; one += 1) {
    const session = `s${one % 50}`;
    batches.offered(frame(session, one), session);
    batches.closed(batch(session, `${session}/${one}.jpg`, one));
  }
  batches.offered(frame('slow', 1), 'slow');
  expect(batches.of(frame('slow', 1))).toBe('slow/0.jpg');
  batches.closed(batch('slow', 'slow/0.jpg', 0, 1));
  expect(batches.of(frame('slow', 1))).toBe('slow/0.jpg');
  expect(batches.of(frame('slow', 2))).toBe(null);
});

it('is closed by the batch that its first frame is in, and by no earlier one', () => {
  const batches = create();
  batches.offered(frame('a', 10), 'a');
  batches.closed(batch('a', 'earlier', 0, 9));
  expect(batches.of(frame('a', 11))).toBe('a/10.jpg');
  batches.closed(batch('a', 'other', 10, 11));
  expect([9, 11, 12].map((one) => batches.of(frame('a', one)))).toEqual(['earlier', 'other', null]);
});
