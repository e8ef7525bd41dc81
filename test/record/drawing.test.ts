/** The sheet with findings that is laid over a picture. */
import { expect, test } from 'vitest';
import { drawFindings } from '../../src/record/drawing.ts';
import { legible } from '../../src/lib/glyphs.ts';
import type { Detection } from '../../src/types.ts';

const SIZE = { width: 80, height: 40 };

/** `#` for red, `o` for white, `.` where the picture is seen. */
function drawn(findings: readonly Detection[]): readonly string[] {
  const sheet = drawFindings(findings, SIZE);
  const point = (x: number, y: number): string => {
    const [red = 0, green = 0, , alpha = 0] = sheet.subarray((y * SIZE.width + x) * 4);
    return alpha === 0 ? '.' : green > 0 ? 'o' : red > 0 ? '#' : '?';
  };
  return Array.from({ length: SIZE.height }, (_, y) => Array.from({ length: SIZE.width }, (_, x) => point(x, y)).join(''));
}

test('draws a box, and above it what is in it', () => {
  const lines = drawn([{ class: 'T', confidence: 1, box: [10, 20, 50, 35] }]);
  expect(lines.slice(9, 24).map((line) => line.slice(8, 20))).toEqual([
    '............',
    '..##########', // its name, from ten lines above
    '..#ooooo####',
    '..#o#o#o####',
    '..###o######',
    '..###o######',
    '..###o######',
    '..###o######',
    '..###o######',
    '..##########',
    '..##########',
    '..##########', // the box
    '..##########',
    '..##........',
    '..##........',
  ]);
  expect(lines[30]?.slice(45, 52)).toBe('...##..');
  expect(lines[35]).toBe('.'.repeat(80));
});

test('names a box at the upper edge within it, and what has no box one below the other', () => {
  const [first, , , ...rest] = drawn([{ class: 'a', confidence: 0.5, box: [40, 0, 80, 40] }, { class: 'b', confidence: 0.5 }, { class: 'c', confidence: 0.5 }]);
  expect(first).toBe(`${'#'.repeat(37)}...${'#'.repeat(40)}`);
  expect(rest[10]?.slice(0, 36)).toContain('o');
  expect(rest[20]?.slice(0, 36)).toBe('.'.repeat(36));
});

test('names a box at any edge where its name is seen as a whole', () => {
  const corner = drawn([{ class: 'a', confidence: 0.5, box: [70, 34, 80, 40] }]);
  expect([corner[23], corner[24]?.slice(42), corner[33]?.slice(42), corner[34]?.slice(69)]).toEqual(['.'.repeat(80), `.${'#'.repeat(37)}`, `.${'#'.repeat(37)}`, `.${'#'.repeat(10)}`]);
  const [first] = drawn([{ class: 'a', confidence: 0.5, box: [-30, -30, 300, 300] }]);
  expect(first).toBe(`${'#'.repeat(37)}${'.'.repeat(43)}`);
});

test('draws what is left of a box that hangs over an edge, and names longer than the picture', () => {
  expect(drawn([{ class: 'x'.repeat(500), confidence: 0.5, box: [-20, -20, 900, 900] }])).toHaveLength(40);
});

test('writes accents without them and other alphabets as question marks', () => {
  expect(legible('Hündin: собака\n')).toBe('Hundin: ???????');
});
