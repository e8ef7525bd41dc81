import { describe, expect, test } from 'vitest';
import { LookoutError } from '../../src/errors.ts';
import { converse } from '../../src/runner/conversation.ts';
import { parseLine, predictLine, type RunnerMessage } from '../../src/runner/messages.ts';
import { frames } from './fixtures.ts';

const said: Record<RunnerMessage['type'], RunnerMessage> = {
  ready: { type: 'ready', protocol: 1, detector: 'yolox_nano', labels: ['dog', 'cat'], device: 'cpu', mix: true, slots: 2 },
  result: {
    type: 'result',
    id: 1,
    predictions: [
      { index: 0, detections: [{ class: 'dog', confidence: 0.91, box: [10, 20.5, 110, 220] }] },
      { index: 1, error: { code: 'bad_frame', message: 'not a picture' } },
    ],
    inference_ms: 41.7,
  },
  failed: { type: 'failed', id: 2, error: { message: 'out of memory' }, frames: [{ index: 3, message: 'too large' }] },
  fatal: { type: 'fatal', error: { message: 'the GPU is gone' } },
};

test('predict has this JSON', () => {
  expect(predictLine({ id: 1, frames: frames(1), options: { confidence: 0.3 } })).toMatchInlineSnapshot(`
    "{"type":"predict","id":1,"frames":[{"index":0,"stream":"CAM-001_0a1b2c3d","sequence":40,"file":"/frames/0.jpg","captured_at":"2025-03-01T12:00:00.000Z","width":640,"height":480}],"options":{"confidence":0.3}}
    "
  `);
});

test('predict is one line for everybody, whatever its texts hold', () => {
  const options = { note: 'a\u2028b\u2029c\n' };
  const line = predictLine({ id: 1, frames: frames(1), options });
  expect(line).not.toMatch(/[\u2028\u2029\n]./);
  expect(JSON.parse(line)).toMatchObject({ options });
});

test('ready has this JSON', () => {
  expect(JSON.stringify(said.ready)).toMatchInlineSnapshot(`"{"type":"ready","protocol":1,"detector":"yolox_nano","labels":["dog","cat"],"device":"cpu","mix":true,"slots":2}"`);
});

test('result has this JSON', () => {
  expect(JSON.stringify(said.result)).toMatchInlineSnapshot(`"{"type":"result","id":1,"predictions":[{"index":0,"detections":[{"class":"dog","confidence":0.91,"box":[10,20.5,110,220]}]},{"index":1,"error":{"code":"bad_frame","message":"not a picture"}}],"inference_ms":41.7}"`);
});

test('failed has this JSON', () => {
  expect(JSON.stringify(said.failed)).toMatchInlineSnapshot(`"{"type":"failed","id":2,"error":{"message":"out of memory"},"frames":[{"index":3,"message":"too large"}]}"`);
});

test('fatal has this JSON', () => {
  expect(JSON.stringify(said.fatal)).toMatchInlineSnapshot(`"{"type":"fatal","error":{"message":"the GPU is gone"}}"`);
});

test.for(Object.values(said))('$type is read as it was said', (message) => {
  expect(parseLine(JSON.stringify(message))).toEqual(message);
});

test('optional fields may be missing or null', () => {
  expect(parseLine('{"type":"ready","protocol":1,"labels":null}')).toEqual({ type: 'ready', protocol: 1, detector: null, labels: null, device: null, mix: null, slots: 1 });
  expect(parseLine('{"type":"failed","id":1,"error":{"message":"x"}}')).toMatchObject({ frames: [] });
});

test('names that are long are cut, and labels that are many', () => {
  const long = 'é'.repeat(5000);
  const cut = `${'é'.repeat(255)}…`;
  const labels = [long, ...Array.from({ length: 40_000 }, (_, index) => `class ${index}`)];
  const read = parseLine(JSON.stringify({ type: 'ready', protocol: 1, detector: long, device: long, labels }));
  expect(read).toMatchObject({ detector: cut, device: cut, labels: [cut, ...labels.slice(1, 32_768)] });
});

test('fields that the protocol does not know are left out', () => {
  expect(parseLine('{"type":"fatal","error":{"message":"x","more":1},"mood":"bad"}')).toEqual({ type: 'fatal', error: { message: 'x' } });
});

test('why something failed is cut where it is long, and said of no more frames than were asked about', () => {
  const message = 'x'.repeat(5000);
  const cut = `${'x'.repeat(1999)}…`;
  const read = (line: object): RunnerMessage => parseLine(JSON.stringify(line), () => 2);
  const failures = Array.from({ length: 50 }, (_, index) => ({ index, message }));
  expect(read({ type: 'failed', id: 1, error: { message }, frames: failures })).toEqual({
    type: 'failed', id: 1, error: { message: cut }, frames: [{ index: 0, message: cut }, { index: 1, message: cut }],
  });
  expect(read({ type: 'fatal', error: { message } })).toEqual({ type: 'fatal', error: { message: cut } });
  expect(read({ type: 'result', id: 1, predictions: [{ index: 0, error: { code: 'bad_frame', message } }], inference_ms: 1 })).toMatchObject({ predictions: [{ error: { message: cut } }] });
});

describe('a line that is no message is refused', () => {
  test.for([
    ['Loading...', 'a line is not JSON'],
    ['[]', 'the message is [], not an object'],
    ['{"type":"progress"}', 'type is "progress", not one of ready, result, failed, fatal'],
    ['{"type":"ready","protocol":2}', 'protocol is 2, not 1, which this Lookout speaks'],
    ['{"type":"ready"}', 'protocol is missing, not 1, which this Lookout speaks'],
    ['{"type":null}', 'type is null, not one of ready, result, failed, fatal'],
    ['{"type":"ready","protocol":1,"labels":[1]}', 'labels[0] is 1, not a text'],
    ['{"type":"ready","protocol":1,"mix":"no"}', 'mix is "no", not true or false'],
    ['{"type":"ready","protocol":1,"slots":0}', 'slots is 0, not a whole number from 1'],
    ['{"type":"ready","protocol":1,"slots":65}', 'slots is 65, not a whole number from 1 to 64'],
    ['{"type":"ready","protocol":1,"slots":1.5}', 'slots is 1.5, not a whole number from 0'],
    ['{"type":"result","id":"1"}', 'id is "1", not a whole number from 0'],
    ['{"type":"failed","id":1}', 'error is missing, not an object'],
  ] as const)('%s', ([line, why]) => {
    expect(() => parseLine(line)).toThrow(why);
  });
});

describe('a result that says something impossible is a failed call', () => {
  test.for([
    ['predictions of no frame', [{ detections: [] }], 'predictions[0].index is missing, not a whole number from 0'],
    ['predictions of an impossible frame', [{ index: -1, detections: [] }], 'predictions[0].index is -1, not a whole number from 0'],
    ['no predictions', null, 'predictions is null, not a list'],
  ] as const)('%s', ([, predictions, why]) => {
    const line = JSON.stringify({ type: 'result', id: 4, predictions, inference_ms: 1 });
    expect(parseLine(line)).toEqual({ type: 'failed', id: 4, error: { message: `the answer is not valid: ${why}` }, frames: [] });
  });

  test('a negative, impossible or missing time', () => {
    expect(parseLine('{"type":"result","id":4,"predictions":[],"inference_ms":1e308}')).toMatchObject({ type: 'failed', error: { message: expect.stringContaining('inference_ms is 1e+308, not a number from 0 to 86400000') as string } });
    expect(parseLine('{"type":"result","id":4,"predictions":[],"inference_ms":-1}')).toMatchObject({ type: 'failed', error: { message: expect.stringContaining('inference_ms is -1') as string } });
    expect(parseLine('{"type":"result","id":4,"predictions":[]}')).toMatchObject({ type: 'failed', error: { message: expect.stringContaining('inference_ms is missing') as string } });
  });
});

describe('what is wrong with a frame is that frame\'s error, and the others keep their answers:', () => {
  test.for([
    [{}, 'detections is missing, not a list'],
    [{ detections: { class: 'dog' } }, 'detections is {"class":"dog"}, not a list'],
    [{ detections: ['dog'] }, 'detections[0] is "dog", not an object'],
    [{ error: { code: 'odd', message: 'x' } }, 'error.code is "odd", not "bad_frame"'],
    [{ error: 'x' }, 'error is "x", not an object'],
  ] as const)('%j', ([said, why]) => {
    const line = JSON.stringify({ type: 'result', id: 4, predictions: [{ index: 3, ...said }, { index: 4, detections: [], error: null }], inference_ms: 1 });
    expect(parseLine(line)).toMatchObject({
      type: 'result', predictions: [{ index: 3, error: { code: 'bad_frame', message: why } }, { index: 4, detections: [] }],
    });
  });
});

test('whatever goes wrong with a line ends the runner, and nobody else', () => {
  const reasons: string[] = [];
  const { hear } = converse({
    ready: () => { throw new RangeError('too much'); },
    fatal: (why) => reasons.push(why),
    failure: (why) => new LookoutError('runner_failed', why),
  });
  for (let line = 0; line < 2; line += 1) hear(JSON.stringify(said.ready), false);
  expect(reasons).toEqual([`broke the protocol: RangeError: too much: ${JSON.stringify(said.ready)}`]);
});
