import { expect, test } from 'vitest';
import { keepLastWords, quoteLastWords } from '../../src/runner/last-words.ts';

test('the last forty lines are kept', () => {
  const words = keepLastWords();
  for (let i = 1; i <= 100; i++) words.add([`line ${i}`]);
  const lines = words.text().split('\n');
  expect([lines.length, lines[0], lines.at(-1)]).toEqual([40, 'line 61', 'line 100']);
});

test('long lines leave room for fewer', () => {
  const words = keepLastWords();
  for (let i = 0; i < 10; i++) words.add([String(i).repeat(3000)]);
  expect(words.text()).toBe(`${'8'.repeat(3000)}\n${'9'.repeat(3000)}`);
});

test('a program that wrote nothing is said to have left no last words', () => {
  expect(quoteLastWords('')).toBe(' It left no last words.');
  expect(quoteLastWords('a\nb')).toBe(' Its last words:\n  a\n  b');
});
