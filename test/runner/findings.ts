/** A finding that says everything it may, and deep JSON. */
import type { Detection, Json } from '../../src/types.ts';

export const full: Detection = {
  class: 'person',
  confidence: 0.75,
  box: [10, 20.5, 110, 220],
  track: 7,
  polygon: [[10, 20.5], [110, 20.5], [110, 220], [10, 220]],
  mask: { size: [4, 5], counts: [6, 2, 2, 2, 8] },
  keypoints: [{ x: 50, y: 40.25, confidence: 0.5, name: 'nose' }, { x: 55, y: 60 }],
  attributes: { colour: 'red', bags: 2, running: true },
  embedding: [0.125, -3, 0.5],
  extra: { plate: ['AB', null, 12.5], sure: false },
};

/** Lists in lists, so many levels of them. */
export function nested(levels: number): Json {
  return levels === 0 ? 1 : [nested(levels - 1)];
}

/** So many lists, each in the one before. */
export const listsInLists = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

/** How they are shown: of what is nested so deep, older versions of Node cannot write JSON. */
export function shown(lists: string): string {
  try {
    return JSON.stringify(JSON.parse(lists)).slice(0, 60);
  } catch {
    return 'nested too deep to show';
  }
}
