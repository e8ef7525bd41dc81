import { expect, test } from 'vitest';
import { splitLines } from '../../src/runner/lines.ts';

function split(limit: number, ...pieces: string[]): [string, boolean][] {
  const lines: [string, boolean][] = [];
  const { push, end } = splitLines(limit, (text, cut) => lines.push([text, cut]));
  pieces.forEach(push);
  end();
  return lines;
}

test('a line may come in pieces and several lines in one', () => {
  expect(split(99, 'on', 'e\ntwo\nth', 'ree')).toEqual([['one', false], ['two', false], ['three', false]]);
});

test('carriage returns end lines and empty lines are left out', () => {
  expect(split(99, ' 10%\r 20%\r\n\n', 'done')).toEqual([[' 10%', false], [' 20%', false], ['done', false]]);
});

test('a line over the limit is cut once and the line after it is whole', () => {
  expect(split(4, 'abcd', 'e', 'fghijkl', 'm\nok\nabcd\n')).toEqual([['abcd', true], ['ok', false], ['abcd', false]]);
});
