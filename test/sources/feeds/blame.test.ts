import { expect, it } from 'vitest';
import { createBlame } from '../../../src/sources/feeds/blame.ts';

const MINUTE = 60_000;

it('gives a camera of which hosts die twice within ten minutes one of its own, after three more ffmpeg, for a day', () => {
  const blame = createBlame();
  const places: string[] = [];
  for (const minute of [0, 11, 20, 60, 300, 301]) {
    blame.died('CAM-1', minute * MINUTE);
    places.push(blame.placeOf('CAM-1', minute * MINUTE));
  }
  expect(places).toEqual(['shared', 'shared', 'alone', 'alone', 'alone', 'ffmpeg']);
  expect(blame.placeOf('CAM-2', 301 * MINUTE)).toBe('shared');
  expect(blame.placeOf('CAM-1', (301 + 24 * 60) * MINUTE)).toBe('ffmpeg');
  expect(blame.placeOf('CAM-1', (302 + 24 * 60) * MINUTE)).toBe('shared');
});
