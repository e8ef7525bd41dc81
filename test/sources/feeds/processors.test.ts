import { expect, it } from 'vitest';
import { createProcessors } from '../../../src/sources/feeds/processors.ts';

it('lets as many at a time as there are, who waits longest first, also where some give up or give back twice', () => {
  const processors = createProcessors(2);
  const begun: string[] = [];
  const ask = (name: string): (() => void) => processors.ask(() => { begun.push(name); });
  const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map(ask) as [() => void, () => void, () => void, () => void, () => void];
  expect(begun).toEqual(['a', 'b']);
  c();
  a();
  a();
  expect(begun).toEqual(['a', 'b', 'd']);
  b();
  d();
  e();
  ask('f');
  ask('g');
  ask('h');
  expect(begun).toEqual(['a', 'b', 'd', 'e', 'f', 'g']);
});
