/** What a one-shot program's output says of a frame: lenient where the Flask orchestrator was, and open to the newer fields. */
import { describe, expect, test } from 'vitest';
import { parseOutput } from '../../src/runner/one-shot-output.ts';
import type { Prediction } from '../../src/types.ts';
import { frames } from './fixtures.ts';
import { full, nested } from './findings.ts';

const read = (...detections: readonly object[]): Prediction | undefined => parseOutput(JSON.stringify([{ detections }]), frames(1)).predictions[0];
const seen = { class: 'dog', confidence: 0, box: [0, 0, 0, 0] };

test('a finding with everything is read as it was said', () => {
  expect(read(full)).toEqual({ index: 0, detections: [full] });
});

test('a finding without a box has one of nothing, whatever else it says', () => {
  expect(read({ label: 'dog', track: 3 }, { label: 'dog', bbox: null })).toEqual({ index: 0, detections: [{ ...seen, track: 3 }, seen] });
});

describe('a field of a wrong shape is left out, and the others stay:', () => {
  test.for([
    { track: [] }, { polygon: [[1, 2]] }, { mask: 'x' }, { mask: { size: [2, 2], counts: [3] } }, { keypoints: 3 }, { keypoints: [{ x: 1 }] },
    { attributes: { a: null } }, { embedding: [] }, { extra: nested(33) },
  ])('%j', (fields) => {
    expect(read({ label: 'dog', ...fields, ...('track' in fields ? { extra: 1 } : { track: 1 }) })).toEqual({
      index: 0, detections: [{ ...seen, ...('track' in fields ? { extra: 1 } : { track: 1 }) }],
    });
  });
});

test('fields that make a finding, or those of a frame, too large are left out', () => {
  const long = (length: number): object => ({ label: 'dog', extra: 'x'.repeat(length) });
  expect(read(long(16 * 1024), long(5))).toEqual({ index: 0, detections: [seen, { ...seen, extra: 'xxxxx' }] });
  expect(read(...Array.from({ length: 20 }, () => long(16_000)))).toEqual({ index: 0, detections: Array.from({ length: 20 }, () => seen) });
});

test('a box or a confidence of a wrong shape fails the call, as it always did', () => {
  expect(() => read({ label: 'dog', bbox: [1, 2, 3] })).toThrow('[0].detections[0].bbox is [1,2,3], not four numbers');
  expect(() => read({ label: 'dog', confidence: 3 })).toThrow('[0].detections[0].confidence is 3, not between 0 and 1');
});
