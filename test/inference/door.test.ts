import { describe, expect, it } from 'vitest';
import { createDoor, type Bounds, type Door } from '../../src/inference/door.ts';
import type { Call, Waiting } from '../../src/inference/camera-line.ts';

interface Item extends Waiting {
  readonly name: string;
}

const BOUNDS: Bounds<Item> = { perCamera: () => 10, total: 1000, patienceMs: () => Infinity };
const CALL: Call<Item> = { room: 8, mix: true, mayGo: () => true };

/** `a1`: the first frame of camera a. */
function item(name: string, more: Partial<Item> = {}): Item {
  const [camera = '', ...digits] = name;
  return { name, camera, session: `${camera}_1`, sequence: Number(digits.join('')), frames: 1, size: '640x360', replaceable: true, at: 0, ...more };
}

function doorWith(...items: readonly (string | Item)[]): Door<Item> {
  const door = createDoor<Item>();
  for (const one of items) door.add(typeof one === 'string' ? item(one) : one, 'live');
  return door;
}

const names = (items: readonly Item[]): string => items.map(({ name }) => name).join(' ');
const take = (door: Door<Item>, call: Partial<Call<Item>> = {}): string => names(door.take({ ...CALL, ...call }));
const tidy = (door: Door<Item>, bounds: Partial<Bounds<Item>>, now = 0): string => names(door.tidy(door.cameras, now, { ...BOUNDS, ...bounds }));

describe('a call', () => {
  it('holds a frame of each camera per round, and within a stream in the order of capture', () => {
    const door = doorWith('a1', 'a2', 'a3', 'b1', 'c1', 'c2');
    expect(take(door, { room: 5 })).toBe('a1 b1 c1 a2 c2');
    expect(take(door)).toBe('a3');
    expect(take(door)).toBe('');
  });

  it('begins with the camera that was served least', () => {
    const door = doorWith('a1', 'a2', 'b1', 'b2');
    expect(take(door, { room: 1 })).toBe('a1');
    expect(take(door, { room: 1 })).toBe('b1');
    door.add(item('c1'), 'live');
    expect(take(door, { room: 2 })).toBe('c1 a2');
    expect(take(door, { room: 1 })).toBe('b2');
  });

  it('gives a camera that was away no turns for that, and owes it none', () => {
    const door = doorWith(...Array.from({ length: 20 }, (_, index) => `a${index}`));
    for (let turn = 0; turn < 10; turn += 1) take(door, { room: 1 });
    for (let index = 0; index < 10; index += 1) door.add(item(`b${index}`), 'live');
    expect(take(door, { room: 6 })).toBe('b0 a10 b1 a11 b2 a12');
  });

  it('counts by camera: sessions change nothing', () => {
    const door = doorWith('a1', 'b1', 'b2');
    expect(take(door, { room: 2 })).toBe('a1 b1');
    door.add(item('a1', { session: 'a_2', name: 'a_2' }), 'live');
    door.add(item('a2', { session: 'a_3', name: 'a_3' }), 'live');
    door.add(item('b3'), 'live');
    expect(take(door, { room: 5 })).toBe('a_2 b2 a_3 b3');
  });

  it('holds one stream and one size where they are not to be mixed, never past one of another size', () => {
    const door = doorWith('a1', 'a2', item('a3', { size: '1x1' }), 'a4', 'b1', 'b2');
    expect(take(door, { mix: false })).toBe('a1 a2');
    expect(take(door, { mix: false })).toBe('b1 b2');
    expect(take(door, { mix: false })).toBe('a3');
    expect(take(door, { mix: false })).toBe('a4');
  });

  it('holds one batch, however large, where there is room for one', () => {
    const door = doorWith(item('a1', { frames: 10 }), item('b1', { frames: 10 }));
    expect(take(door, { room: 1 })).toBe('a1');
  });

  it('passes over those that may not go', () => {
    expect(take(doorWith('a1', 'b1', 'a2'), { mayGo: ({ camera }) => camera === 'b' })).toBe('b1');
  });

  it('is for what is asked again by itself first, and nobody of its stream overtakes that', () => {
    const door = doorWith('a5', 'b1');
    door.add(item('a1'), 'again');
    door.add(item('a2'), 'again');
    expect(take(door, { mayGo: ({ name }) => name !== 'a1' && name !== 'a2' })).toBe('b1');
    expect(take(door)).toBe('a1');
    expect(take(door)).toBe('a2');
    expect(take(door)).toBe('a5');
  });
});

describe('what an earlier run left', () => {
  it('goes when nothing live is there, and else every tenth call', () => {
    const door = doorWith(...Array.from({ length: 30 }, (_, index) => `a${index}`));
    for (const name of ['z1', 'z2', 'z3']) door.add(item(name, { replaceable: false }), 'recovered');
    const calls = Array.from({ length: 25 }, () => take(door, { room: 1 }));
    expect(calls.flatMap((name, place) => (name.startsWith('z') ? [place] : []))).toEqual([9, 19]);
    expect(take(door, { room: 30 })).toBe('a23 a24 a25 a26 a27 a28 a29');
    expect(take(door)).toBe('z3');
  });
});

describe('the door lets go', () => {
  it('of the oldest of a camera that has too many', () => {
    const door = doorWith('a1', 'a2', 'a3', 'b1');
    expect(tidy(door, { perCamera: () => 2 })).toBe('a1');
    expect(names(door.items)).toBe('a2 a3 b1');
  });

  it('of the oldest of the fullest camera when there are too many in all', () => {
    expect(tidy(doorWith('a1', 'b1', 'b2', 'b3', 'c1'), { total: 3 })).toBe('b1 b2');
  });

  it('of what has waited too long, once a newer one of its stream is there', () => {
    const door = doorWith('a1', item('a2', { at: 90 }), 'b1');
    expect(tidy(door, { patienceMs: () => 50 }, 100)).toBe('a1');
    expect(tidy(door, { patienceMs: () => 50 }, 1000)).toBe('');
  });

  it('never of what must not be replaced, whose frames stand before newer ones of their stream', () => {
    const door = doorWith('a5', 'a6', item('a1', { replaceable: false }), item('a2', { replaceable: false }));
    expect(tidy(door, { perCamera: () => 1, total: 0, patienceMs: () => 0 }, 100)).toBe('a5 a6');
    expect(take(door)).toBe('a1 a2');
  });
});

it('gives back what is withdrawn, once', () => {
  const door = createDoor<Item>();
  const [live, old, again] = [item('a1'), item('b1'), item('c1')];
  door.add(live, 'live');
  door.add(old, 'recovered');
  door.add(again, 'again');
  expect([live, old, again].map((one) => door.remove(one))).toEqual([true, true, true]);
  expect([live, old, again].map((one) => door.remove(one))).toEqual([false, false, false]);
  expect([door.empty, take(door)]).toEqual([true, '']);
});
