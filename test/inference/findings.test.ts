import { describe, expect, it } from 'vitest';
import { keepFindings, neverFound } from '../../src/inference/findings.ts';
import type { Detection, Prediction } from '../../src/types.ts';

const found = (name: string, confidence: number): Detection => ({ class: name, confidence, box: [1, 2, 3, 4] });
const ALL = { classes: null, class_map: {}, confidence: null };
const kept = (filter: Partial<Parameters<typeof keepFindings>[0]>, ...detections: readonly Detection[]): unknown =>
  keepFindings({ ...ALL, ...filter }, [{ index: 0, detections }]).map((one) => ('detections' in one ? one.detections : one));

describe('what of a model\'s findings is kept', () => {
  it('is everything unless the manifest says otherwise', () => {
    expect(kept({}, found('dog', 0.01), found('truck', 0.9))).toEqual([[found('dog', 0.01), found('truck', 0.9)]]);
  });

  it('is of the classes that are named, in the model\'s words', () => {
    expect(kept({ classes: ['dog'] }, found('dog', 0.5), found('Dog', 0.5), found('truck', 0.9))).toEqual([[found('dog', 0.5)]]);
    expect(kept({ classes: [] }, found('dog', 0.5))).toEqual([[]]);
  });

  it('is at least as sure as the manifest wants', () => {
    expect(kept({ confidence: 0.45 }, found('dog', 0.45), found('dog', 0.4499))).toEqual([[found('dog', 0.45)]]);
  });

  it('has the record\'s names, looked up after the classes were chosen', () => {
    expect(kept({ classes: ['16'], class_map: { 16: 'dog', dog: 'cat' } }, found('16', 0.5), found('dog', 0.5))).toEqual([[found('dog', 0.5)]]);
  });

  it('leaves errors of frames and the order of frames as they are', () => {
    const predictions: readonly Prediction[] = [
      { index: 1, detections: [found('truck', 0.9)] }, { index: 0, error: { code: 'bad_frame', message: 'torn' } },
    ];
    expect(keepFindings({ ...ALL, classes: ['dog'] }, predictions)).toEqual([{ index: 1, detections: [] }, predictions[1]]);
  });

  it('may be called like something that every object has', () => {
    expect(kept({ class_map: { dog: 'animal' } }, found('constructor', 0.5), found('dog', 0.5))).toEqual([[found('constructor', 0.5), found('animal', 0.5)]]);
  });
});

describe('classes that a model never finds', () => {
  const said = (classes: readonly string[] | null, labels: readonly string[] | null, class_map = {}): string | null => neverFound({ classes, class_map }, labels);

  it('are told when none is among its labels, the model\'s words with them', () => {
    expect(said(['pothole'], ['hole', 'crack'])).toBe('nothing will be found: of the classes pothole none is among the model\'s labels hole, crack');
    expect(said(['pothole'], ['hole', 'crack'], { hole: 'pothole' })).toMatch(/; classes are the model's words before class_map: write hole$/);
    expect(said(['pothole'], Array.from({ length: 80 }, (_, i) => `label ${i}`))).toMatch(/label 19, …$/);
    expect(said(['pothole'], [])).toMatch(/\(it has none\)$/);
  });

  it('are nothing to speak of when one is, all are kept, or the labels were not told', () => {
    expect(said(['pothole', 'crack'], ['crack'])).toBeNull();
    expect(said(null, ['crack'])).toBeNull();
    expect(said(['pothole'], null)).toBeNull();
  });
});
