import { expect, it } from 'vitest';
import { createRecent } from '../../src/events/recent.ts';
import type { EventEntry } from '../../src/types.ts';

/** Ids rise with time. */
const idOf = (number: number): string => `event-${String(number).padStart(6, '0')}`;
const entry = (number: number, state: EventEntry['state'] = 'ended'): EventEntry => ({
  kind: 'event', id: idOf(number), sequence: 1, state, at: '2026-01-01T00:00:00.000Z', camera_id: 'gate', place: null, rule: 'all', section: 'animals', class: 'dog', models: ['animals'],
  alert: true, suppressed: null, began_at: '2026-01-01T00:00:00.000Z', last_seen_at: '2026-01-01T00:00:00.000Z', ended_at: null, ended_by: null, frames: 1,
} as unknown as EventEntry);

it('lists events by their beginning, whatever came of them since', () => {
  const recent = createRecent(() => false);
  for (const number of [3, 1, 4, 2]) recent.add(entry(number));
  recent.add(entry(1, 'going_on'));
  expect(recent.list({ limit: 9 }).map(({ id }) => id)).toEqual([4, 3, 2, 1].map(idOf));
  expect(recent.list({ limit: 9, before: idOf(3) }).map(({ id }) => id)).toEqual([2, 1].map(idOf));
});

it('knows the newest, of which one that goes on for long is none', () => {
  const recent = createRecent(() => false);
  for (let number = 0; number < 20_000; number += 1) recent.add(entry(number));
  recent.add(entry(0, 'going_on'));
  expect(recent.list({ limit: 1 }).map(({ id }) => id)).toEqual([idOf(19_999)]);
  expect(recent.get(idOf(10_000))).not.toBeNull();
  let shown = 0;
  for (let before = idOf(20_000); ;) {
    const page = recent.list({ limit: 500, before });
    shown += page.length;
    if (page.length < 500) break;
    before = page.at(-1)?.id ?? '';
  }
  expect(shown).toBeGreaterThanOrEqual(10_000);
});
