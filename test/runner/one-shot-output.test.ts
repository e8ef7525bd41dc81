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

/** What is said of the only detection, beside its class. */
const said = (fields: object): unknown => {
  const prediction = read({ label: 'dog', ...fields });
  return prediction && 'detections' in prediction ? prediction.detections.map(({ confidence, box }) => ({ confidence, box })) : prediction?.error.message;
};

describe('a confidence or a box is taken', () => {
  test.for([
    [{ confidence: '0.9' }, { confidence: 0.9 }], [{ confidence: ' 9e-1 ' }, { confidence: 0.9 }], [{ confidence: '.5' }, { confidence: 0.5 }],
    [{ confidence: 90 }, { confidence: 0.9 }], [{ confidence: '87.5' }, { confidence: 0.875 }], [{ confidence: 100 }, { confidence: 1 }],
    [{ confidence: 1.0000001 }, { confidence: 1 }], [{ confidence: null }, {}],
    [{ confidence: '87 %' }, { confidence: 0.87 }], [{ confidence: '0.5%' }, { confidence: 0.005 }], [{ confidence: [0.9] }, { confidence: 0.9 }],
    [{ confidence: -1e-7 }, {}], [{ confidence: 100.0001 }, { confidence: 1 }], [{ bbox: [[1, 2, 3, 4]] }, { box: [1, 2, 3, 4] }],
    [{ bbox: [1, 2, 3, 4, 0.9] }, { box: [1, 2, 3, 4] }], [{ bbox: [1, 2, 3, 4, 'dog', null] }, { box: [1, 2, 3, 4] }],
    [{ bbox: ['1', '2.5', '-3', '4e1'] }, { box: [1, 2.5, -3, 40] }],
    [{ bbox: [] }, {}], [{ bbox: [], box: [1, 2, 3, 4] }, { box: [1, 2, 3, 4] }],
  ] as const)('%j', ([fields, taken]) => {
    expect(said(fields)).toEqual([{ confidence: 0, box: [0, 0, 0, 0], ...taken }]);
  });
});

describe('what nobody can make sense of is the error of its frame, and the other frames stay:', () => {
  test.for([
    [{ detections: [{ label: 'dog', bbox: [1, 2, 3] }] }, '[0].detections[0].bbox is [1,2,3], not four numbers'],
    [{ detections: [{ label: 'dog', box: { x: 1 } }] }, '[0].detections[0].box is {"x":1}, not a list'],
    [{ detections: [{ label: 'dog', bbox: ['1', '', '3', '4'] }] }, '[0].detections[0].bbox is ["1","","3","4"], not four numbers'],
    [{ detections: [{ label: 'dog', confidence: 300 }] }, '[0].detections[0].confidence is 300, not between 0 and 1 or in percent'],
    [{ detections: [{ label: 'dog', confidence: -1 }] }, '[0].detections[0].confidence is -1, not between'],
    [{ detections: [{ label: 'dog', confidence: [0.9, 0.1] }] }, '[0].detections[0].confidence is [0.9,0.1], not a number'],
    [{ detections: [{ label: 'dog', bbox: [[1, 2], [3, 4]] }] }, '[0].detections[0].bbox is [[1,2],[3,4]], not four numbers'],
    [{ detections: [{ label: 'dog', confidence: 'high' }] }, '[0].detections[0].confidence is "high", not a number'],
    [{ detections: [{ label: ['dog'] }] }, '[0].detections[0].label is ["dog"], not a text'],
    [{ detections: ['dog'] }, '[0].detections[0] is "dog", not an object'],
    [{ detections: { label: 'dog' } }, '[0].detections is {"label":"dog"}, not a list'],
    ['dog', '[0] is "dog", not an object'],
    [null, '[0] is null, not an object'],
    [{ error: { code: 5 } }, '[0].error is {"code":5}, not a text'],
  ] as const)('%j', ([element, message]) => {
    expect(parseOutput(JSON.stringify([element, { detections: [{ label: 'dog' }] }]), frames(2)).predictions).toEqual([
      { index: 0, error: { code: 'bad_frame', message: expect.stringContaining(message) as string } },
      { index: 1, detections: [seen] },
    ]);
  });
});

test('an element without detections found nothing, and an error that says nothing is none', () => {
  for (const element of [{}, { detections: null }, { error: '' }, { error: null, detections: [] }]) {
    expect(parseOutput(JSON.stringify([element]), frames(1)).predictions).toEqual([{ index: 0, detections: [] }]);
  }
});

test('an error that is long is cut', () => {
  expect(parseOutput(JSON.stringify([{ error: 'x'.repeat(5000) }]), frames(1)).predictions).toEqual([{ index: 0, error: { code: 'bad_frame', message: `${'x'.repeat(1999)}…` } }]);
});

test('times that are none count as not measured', () => {
  const time = (...times: unknown[]): number | undefined =>
    parseOutput(JSON.stringify(times.map((inference_time_ms) => ({ inference_time_ms }))), frames(times.length)).inference_ms;
  expect(time('12', 3)).toBe(15);
  expect(time(-1, null, 'fast', [], 1e308, 4)).toBe(4);
  expect(time(-1, 'fast')).toBeUndefined();
});

test('NaN and Infinity, as Python writes them, count as missing', () => {
  const output = '\uFEFF[{"inference_time_ms": NaN, "detections": [{"label": "NaN", "confidence": NaN}, {"label": "dog", "confidence": -Infinity}]}]';
  expect(parseOutput(output, frames(1))).toEqual({ predictions: [{ index: 0, detections: [{ ...seen, class: 'NaN' }, seen] }] });
});

test('UTF-16 is told as that, and not shown', () => {
  expect(() => parseOutput(Buffer.from('\uFEFF[]', 'utf16le').toString('utf8'), frames(1))).toThrow('the output is not in UTF-8; write it as that');
});

describe('elements', () => {
  const dog = (frame_path?: string, label = 'dog'): object => ({ frame_path, detections: [{ label }] });
  const labels = (...elements: readonly object[]): readonly unknown[] => parseOutput(JSON.stringify(elements), frames(3)).predictions.map((prediction) => (
    'error' in prediction ? prediction.error.message : prediction.detections.map((one) => one.class).join()));
  const missing = 'the output does not mention this frame';

  test('of fewer frames are matched by their paths, and a frame that none mentions was not looked at', () => {
    expect(labels(dog('/frames/2.jpg'), { frame_path: '/frames/0.jpg' })).toEqual(['', missing, 'dog']);
  });

  test('may stand in any order, and name files without their folder', () => {
    expect(labels(dog('2.jpg', 'c'), dog('/frames/0.jpg', 'a'), dog('tmp/1.jpg', 'b'))).toEqual(['a', 'b', 'c']);
  });

  test('of one frame add up', () => {
    expect(labels(dog('/frames/0.jpg', 'a'), dog('/frames/1.jpg'), dog('/frames/2.jpg'), dog('/frames/0.jpg', 'b'))).toEqual(['a,b', 'dog', 'dog']);
  });

  test('count by their order where paths tell nothing and there is one for each frame', () => {
    expect(labels(dog('x.png', 'a'), dog('x.png', 'b'), dog(undefined, 'c'))).toEqual(['a', 'b', 'c']);
    expect(() => labels(dog('x.png'), dog('/frames/1.jpg'))).toThrow('the output has 2 elements for 3 frames, and not each says by its frame_path');
    expect(() => labels()).toThrow('the output mentions none of the frames');
  });

  test('are too many above 32768, and so are the detections of one frame, however they are told', () => {
    const dogs = (count: number): object => ({ frame_path: '/frames/1.jpg', detections: Array.from({ length: count }, () => ({ label: 'dog' })) });
    expect(labels(dogs(20_000), dogs(20_000), dog('/frames/0.jpg'))).toEqual(['dog', 'the output has 40000 detections of this frame, more than 32768', missing]);
    expect(() => labels(...Array.from({ length: 40_000 }, () => ({ frame_path: '/frames/1.jpg' })))).toThrow('the output has 40000 elements for 3 frames, more than 32768');
  });

  test('of a picture that is there several times are dealt out', () => {
    const twice = frames(2).map((frame) => ({ ...frame, file: '/frames/same.jpg' }));
    const { predictions } = parseOutput(JSON.stringify([dog('/frames/same.jpg', 'a'), dog('/frames/same.jpg', 'b')]), twice);
    expect(predictions).toMatchObject([{ detections: [{ class: 'a' }] }, { detections: [{ class: 'b' }] }]);
  });
});
