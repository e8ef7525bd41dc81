/** What a finding may carry: each field in good and bad shapes, and how large it may be. */
import { describe, expect, test } from 'vitest';
import { detailsOf, MAX_FINDING, MAX_FINDINGS_OF_A_FRAME, parseFindings, sizeOf } from '../../src/runner/finding.ts';
import { full, listsInLists, nested, shown } from './findings.ts';

const found = (fields: object): readonly unknown[] => [{ class: 'dog', confidence: 0.5, ...fields }];
const parse = (detections: unknown): readonly unknown[] => parseFindings(JSON.parse(JSON.stringify(detections)), 'detections');

test('a finding with everything is read as it was said', () => {
  expect(parse([full])).toEqual([full]);
});

test('a confidence that misses 0 or 1 by rounding is 0 or 1', () => {
  expect(parse([1.0000001, 1.001, -0.001].map((confidence) => ({ class: 'dog', confidence })))).toEqual([1, 1, 0].map((confidence) => ({ class: 'dog', confidence })));
  expect(() => parse(found({ confidence: -0.002 }))).toThrow('confidence is -0.002, not between 0 and 1');
});

test('what is absent, null or unknown is left out', () => {
  const nothing = Object.fromEntries(Object.keys(full).filter((name) => !['class', 'confidence'].includes(name)).map((name) => [name, null]));
  expect(parse(found({ ...nothing, mood: 'bad', frame: 3, model: 'x' }))).toEqual(found({}));
  const inner = { keypoints: [{ x: 1, y: 2, confidence: null, name: null, z: 3 }], mask: { size: [1, 1], counts: [1], area: 1 } };
  expect(parse(found(inner))).toEqual(found({ keypoints: [{ x: 1, y: 2 }], mask: { size: [1, 1], counts: [1] } }));
});

const MILLIONS: readonly number[] = Array.from({ length: 3_000_000 }, () => 0);

/** Whether it takes the processor less than it would to look at each of millions. */
function soon(task: () => void): boolean {
  const before = process.cpuUsage();
  task();
  const { user, system } = process.cpuUsage(before);
  return user + system < 500_000;
}

describe('a finding may say', () => {
  test.for([
    { track: 'a7' }, { track: 0 }, { track: -1.5 },
    { polygon: [[0, 0], [9.5, 0], [9, 9]] },
    { mask: { size: [2, 3], counts: [6] } }, { mask: { size: [480, 640], counts: 'PPYo1' } },
    { keypoints: [] }, { keypoints: [{ x: -1, y: 2.5 }] },
    { attributes: {} }, { attributes: { colour: 'red', wheels: 4, moving: false } },
    { embedding: [0.25] },
    { extra: 0 }, { extra: false }, { extra: '' }, { extra: [null, { deep: [1] }] }, { extra: nested(32) },
  ])('%j', (fields) => {
    expect(parse(found(fields))).toEqual(found(fields));
  });

  test('names that mean something in JavaScript', () => {
    const text = '[{"class":"__proto__","confidence":1,"attributes":{"__proto__":1,"constructor":"x"},"extra":{"__proto__":{"a":1}}}]';
    expect(JSON.stringify(parseFindings(JSON.parse(text), 'detections'))).toBe(text);
  });
});

describe('a finding may not say', () => {
  test.for([
    [{ confidence: 1.5 }, 'confidence is 1.5, not between 0 and 1'],
    [{ confidence: null }, 'confidence is null, not a number'],
    [{ class: 7 }, 'class is 7, not a text'],
    [{ class: undefined }, 'class is missing, not a text'],
    [{ box: [1, 2, 3] }, 'box is [1,2,3], not four numbers'],
    [{ box: [1, 2, 3, '4'] }, 'box[3] is "4", not a number'],
    [{ track: true }, 'track is true, not a text or a number below 2^53'],
    [{ track: 2 ** 60 }, 'track is 1152921504606847000, not a text or a number below 2^53'],
    [{ polygon: [[0, 0], [1, 1]] }, 'polygon is [[0,0],[1,1]], not a ring of at least three points'],
    [{ polygon: [[0, 0], [1, 1], [2, 2, 2]] }, 'polygon[2] is [2,2,2], not a point [x, y]'],
    [{ polygon: [0, 0, 1, 1, 2, 2] }, 'polygon[0] is 0, not a list'],
    [{ mask: [1] }, 'mask is [1], not an object'],
    [{ mask: { size: [2], counts: [2] } }, 'mask.size is [2], not [height, width]'],
    [{ mask: { size: [2, 0], counts: [] } }, 'mask.size[1] is 0, not a whole number from 1'],
    [{ mask: { size: [2, 2], counts: [1, 2] } }, 'mask.counts add up to 3, not to height times width, 4'],
    [{ mask: { size: [2, 2], counts: [5, -1] } }, 'mask.counts[1] is -1, not a whole number from 0'],
    [{ mask: { size: [2, 2], counts: 'x y' } }, 'mask.counts is "x y", not run lengths as COCO compresses them'],
    [{ mask: { size: [2, 2] } }, 'mask.counts is missing, not a list'],
    [{ keypoints: [[1, 2]] }, 'keypoints[0] is [1,2], not an object'],
    [{ keypoints: [{ x: 1 }] }, 'keypoints[0].y is missing, not a number'],
    [{ keypoints: [{ x: 1, y: 2, confidence: 2 }] }, 'keypoints[0].confidence is 2, not between 0 and 1'],
    [{ keypoints: [{ x: 1, y: 2, name: 3 }] }, 'keypoints[0].name is 3, not a text'],
    [{ attributes: ['red'] }, 'attributes is ["red"], not an object'],
    [{ attributes: { colour: ['red'] } }, 'attributes.colour is ["red"], not a text, a number, true or false'],
    [{ attributes: { colour: null } }, 'attributes.colour is null, not a text, a number, true or false'],
    [{ embedding: [] }, 'embedding is [], not a list with numbers'],
    [{ embedding: [1, null] }, 'embedding[1] is null, not a number'],
    [{ extra: nested(33) }, `extra${'[0]'.repeat(32)} is nested deeper than 32 levels`],
    [{ extra: { ['k'.repeat(90)]: nested(32) } }, `extra.${'k'.repeat(60)}[0]`],
  ] as const)('%j', ([fields, why]) => {
    expect(() => parse(found(fields))).toThrow(`detections[0].${why}`);
  });

  test('a number that no double holds', () => {
    expect(() => parseFindings(JSON.parse('[{"class":"dog","confidence":1,"extra":{"far":[1e999]}}]'), 'detections')).toThrow('detections[0].extra.far[0] is Infinity, not a number');
    expect(() => parseFindings(JSON.parse('[{"class":"dog","confidence":1e999}]'), 'detections')).toThrow('detections[0].confidence is Infinity, not a number');
  });

  test.for(['extra', 'embedding', 'polygon', 'keypoints', 'box', 'attributes'])('more than it may hold, of however many elements, told at once: %s', (field) => {
    const why = 'detections[0] is more than 16384 bytes of JSON';
    expect(soon(() => { expect(() => parseFindings(found({ [field]: MILLIONS }), 'detections')).toThrow(why); })).toBe(true);
    expect(soon(() => { expect(() => parseFindings(found({ [field]: { more: [MILLIONS] } }), 'detections')).toThrow(why); })).toBe(true);
    expect(soon(() => { expect(parseFindings(found({ mood: MILLIONS }), 'detections')).toEqual(found({})); })).toBe(true);
    expect(soon(() => { expect(detailsOf({ [field]: MILLIONS })).toEqual({}); })).toBe(true);
  });

  test('what is nested without end, wherever it stands', () => {
    const endless = listsInLists(200_000);
    const said = (field: string): unknown => JSON.parse(`[{"class":"dog","confidence":1,"${field}":${endless}}]`);
    expect(() => parseFindings(said('class'), 'detections')).toThrow(`detections[0].class is ${shown(endless)}, not a text`);
    expect(() => parseFindings(said('extra'), 'detections')).toThrow('is nested deeper than 32 levels');
    expect(() => parseFindings(said('attributes'), 'detections')).toThrow(`detections[0].attributes is ${shown(endless)}, not an object`);
  });
});

describe('a finding is as large', () => {
  /** Of so many bytes of JSON. */
  const sized = (bytes: number): unknown => {
    const [bare] = found({ extra: '' });
    return { ...(bare as object), extra: 'x'.repeat(bytes - sizeOf(bare)) };
  };

  test('as 16 KiB, and no byte larger', () => {
    expect(parse([sized(MAX_FINDING)])).toHaveLength(1);
    expect(() => parse([...found({}), sized(MAX_FINDING + 1)])).toThrow('detections[1] is 16385 bytes of JSON, more than 16384');
    expect(() => parse(found({ extra: 'ü'.repeat(8192) }))).toThrow('detections[0] is');
  });

  test('that those of a frame have 256 KiB together', () => {
    const full = Array.from({ length: MAX_FINDINGS_OF_A_FRAME / MAX_FINDING }, () => sized(MAX_FINDING));
    expect(parse(full)).toHaveLength(16);
    expect(() => parse([...full, ...found({})])).toThrow('detections are more than 262144 bytes of JSON');
  });
});
