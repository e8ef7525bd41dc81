import { execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import { LookoutError } from '../../src/errors.ts';
import type { Json } from '../../src/types.ts';
import { parseLine } from '../../src/runner/messages.ts';
import { alive, failure, folder, frames, harnessed, never, pids, python, runners, until, warmRunner, type Language } from './fixtures.ts';
import { full, nested } from './findings.ts';

const { start, logs } = runners();

describe.each<Language>(['python', 'node'])('the %s harness', (language) => {
  const exception = language === 'python' ? 'ValueError' : 'Error';
  const warm = warmRunner(harnessed(language, 'model'));

  test('sets up once, answers call by call, and keeps state between calls', async () => {
    const runner = await start(harnessed(language, 'model'));
    expect(runner.ready).toEqual({ detector: 'fixture', labels: ['dog', 'cat'], device: 'cpu', mix: false, slots: 1 });
    const detection = (index: number, call: number): object => ({ class: `/frames/${index}.jpg`, confidence: 0.5, box: [index, call, 640, 480] });
    const first = await runner.predict(frames(2), {}, never);
    expect(first.predictions).toEqual([{ index: 0, detections: [detection(0, 1)] }, { index: 1, detections: [detection(1, 1)] }]);
    expect(first.inference_ms).toBeGreaterThanOrEqual(0);
    // Whatever stands in options, they are one line.
    expect((await runner.predict(frames(1), { note: 'a\u2028b\u2029c\r\nd\u0085' }, never)).predictions).toEqual([{ index: 0, detections: [detection(0, 2)] }]);
    expect(logs.filter((line) => line.startsWith('setting up fixture'))).toHaveLength(1);
  });

  test('keeps prints of the model, of a shell and of native code out of the messages', async () => {
    const runner = await start(harnessed(language, 'model'));
    expect((await runner.predict(frames(1), { do: 'print' }, never)).predictions).toHaveLength(1);
    await until(() => logs.length === 4);
    expect(logs.slice(1).sort()).toEqual(['a print', 'from a descriptor', 'from a shell']);
  });

  test('has no call eaten by a child of the model that reads its input', async () => {
    const runner = await start(harnessed(language, 'model'));
    const soon = AbortSignal.timeout(10_000);
    const answers = await Promise.all([runner.predict(frames(1), { do: 'read input' }, soon), runner.predict(frames(2), {}, soon)]);
    expect(answers.map(({ predictions }) => predictions.length)).toEqual([1, 2]);
  });

  test('answers by the frames\' own indexes', async () => {
    const { predictions } = await warm.predict(frames(4).slice(2), {}, never);
    expect(predictions.map(({ index }) => index)).toEqual([2, 3]);
  });

  test('turns an exception into a failed call and lives on', async () => {
    const error = await failure(warm.predict(frames(1), { do: 'raise' }, never));
    expect(error.code).toBe('runner_failed');
    expect(error.message).toMatch(new RegExp(`^Model fixture: the call failed: model\\.(py|mjs):\\d+: ${exception}: cannot look$`));
    expect((await warm.predict(frames(1), {}, never)).predictions).toHaveLength(1);
  });

  test('takes exceptions and error texts as the errors of their frames', async () => {
    expect((await warm.predict(frames(3), { do: 'bad frames' }, never)).predictions).toEqual([
      { index: 0, error: { code: 'bad_frame', message: `${exception}: torn` } },
      { index: 1, error: { code: 'bad_frame', message: 'grey' } },
      { index: 2, detections: [] },
    ]);
  });

  test('takes label for class and bbox for box, from tuples and typed arrays too', async () => {
    expect((await warm.predict(frames(1), { do: 'aliases' }, never)).predictions).toEqual([
      { index: 0, detections: [{ class: 'dog', confidence: 1, box: [1, 2, 3, 4] }] },
    ]);
  });

  test('takes everything that a finding may say', async () => {
    expect((await warm.predict(frames(1), { do: 'said', answers: [[full as unknown as Json]] }, never)).predictions).toEqual([{ index: 0, detections: [full] }]);
  });

  test('takes numbers and arrays of the language\'s libraries, and no more digits than they mean', async () => {
    expect((await warm.predict(frames(1), { do: 'arrays' }, never)).predictions).toEqual([{
      index: 0,
      detections: [{
        class: '3', confidence: 0.5, box: [1, 2.5, 3, 4], track: 7,
        polygon: [[0.12, 0], [9, 0], [9, language === 'python' ? 9 : 8]],
        mask: { size: [2, 3], counts: '06' },
        keypoints: [{ x: 1, y: 2, confidence: 0.25 }, { x: 3, y: 4, confidence: 0.5 }],
        attributes: { wheels: 4, moving: true },
        embedding: [0.1, 2],
        extra: { scores: [[1, 2], [3, 4]], pair: [1, 'a'], 5: null },
      }],
    }]);
  });

  test('takes whole numbers as they are, and refuses those that would be rounded', async () => {
    const bad = (index: number, what: string): object => ({
      index, error: { code: 'bad_frame', message: expect.stringMatching(`^frame ${index}, finding 0: ${what}, not a text or a number below 2\\^53$`) as string },
    });
    expect((await warm.predict(frames(5), { do: 'large' }, never)).predictions).toEqual([
      bad(0, 'attributes\\.id is 9007199254740992'), bad(1, 'attributes\\.id is -1152921504606846976'), bad(2, 'extra\\.ids\\[0\\]\\[1\\] is 9223372036854775808'), bad(3, 'extra is 10+…'),
      { index: 4, detections: [{ class: 'dog', confidence: 0.5, attributes: { id: 1 - 2 ** 53 }, extra: { ids: [2 ** 53 - 1], far: 1e300 } }] },
    ]);
  });

  test('makes a bad finding the error of its frame, and says what is wrong and where', async () => {
    const dog = { class: 'dog', confidence: 0.5 };
    const far = { ...dog, extra: 'x'.repeat(16 * 1024) };
    const wrong: readonly (readonly [Json, RegExp])[] = [
      [[{ ...dog, confidence: 3 }], /^frame N, finding 0: confidence is 3(\.0)?, not between 0 and 1$/],
      [[dog, { ...dog, confidence: null }], /^frame N, finding 1: confidence is missing; there are class\b/],
      [[{ confidence: 0.5 }], /^frame N, finding 0: class is missing; there are confidence$/],
      [[{ class: null, name: 'dog', conf: 0.5, xyxy: [1, 2, 3, 4] }], /^frame N, finding 0: class is missing; there are name, conf, xyxy$/],
      [[{}], /^frame N, finding 0: class is missing; there is nothing$/],
      [{ error: null, detections: [] }, /^frame N: the answer is (an object|a dict), \{.*\}, not a list of findings/],
      ['long '.repeat(50), /^frame N: the answer is a text, .{60}…, not a list of findings/],
      [[{ ...dog, class: ['a', 'b'] }], /^frame N, finding 0: class is \[.*, not a text$/],
      [[{ ...dog, box: [1, 2, 3] }], /^frame N, finding 0: box is \[1.*, not four numbers$/],
      [[{ ...dog, box: [1, 2, 3, 'x'] }], /^frame N, finding 0: box\[3\] is .x., not a number$/],
      [[{ ...dog, box: '1234' }], /^frame N, finding 0: box is .1234., not a list$/],
      [[{ ...dog, track: [1, 2] }], /^frame N, finding 0: track is \[1, ?2\], not a number$/],
      [[{ ...dog, track: 2 ** 60 }], /^frame N, finding 0: track is 11\d+, not a text or a number below 2\^53$/],
      [[{ ...dog, polygon: [[0, 0], [1, 1]] }], /^frame N, finding 0: polygon is .*, not a ring of at least three points$/],
      [[{ ...dog, polygon: [[0, 0, 0], [1, 1], [2, 2]] }], /^frame N, finding 0: polygon\[0\] is .*, not a point \[x, y\]$/],
      [[{ ...dog, mask: [[0, 1]] }], /^frame N, finding 0: mask is \[\[0, ?1\]\], not (an object|a dict)$/],
      [[{ ...dog, mask: { size: [2, 2.5], counts: [5] } }], /^frame N, finding 0: mask\.size\[1\] is 2\.5, not a whole number from 1$/],
      [[{ ...dog, mask: { size: [2], counts: [2] } }], /^frame N, finding 0: mask\.size is \[2\], not \[height, width\]$/],
      [[{ ...dog, mask: { size: [2, 2], counts: [3] } }], /^frame N, finding 0: mask\.counts add up to 3, not to height times width, 4$/],
      [[{ ...dog, mask: { size: [2, 2], counts: '' } }], /^frame N, finding 0: mask\.counts is .., not run lengths as COCO/],
      [[{ ...dog, keypoints: [{ x: 1 }] }], /^frame N, finding 0: keypoints\[0\]\.y is missing, not a number$/],
      [[{ ...dog, keypoints: [[1, 2, 2]] }], /^frame N, finding 0: keypoints\[0\]\.confidence is 2(\.0)?, not between 0 and 1$/],
      [[{ ...dog, keypoints: [[1]] }], /^frame N, finding 0: keypoints\[0\] is \[1\], not \[x, y\] or/],
      [[{ ...dog, attributes: { colours: ['red', 'blue'] } }], /^frame N, finding 0: attributes\.colours is \[.*, not a text, a number, [tT]rue or [fF]alse$/],
      [[{ ...dog, attributes: 'red' }], /^frame N, finding 0: attributes is .red., not (an object|a dict)$/],
      [[{ ...dog, embedding: [] }], /^frame N, finding 0: embedding is \[\], not a list with numbers$/],
      [[{ ...dog, embedding: [1, null] }], /^frame N, finding 0: embedding\[1\] is missing, not a number$/],
      [[{ ...dog, extra: nested(33) }], /^frame N, finding 0: extra(\[0\])+ is nested deeper than 32 levels$/],
      [[far], /^frame N, finding 0: it is 164\d\d bytes of JSON, more than 16384$/],
      [Array.from({ length: 17 }, () => ({ ...far, extra: far.extra.slice(100) })), /^frame N: the findings are more than 262144 bytes of JSON$/],
      [['dog'], /^frame N, finding 0: it is .dog., not (an object|a dict)$/],
      [{ detections: [] }, /^frame N: the answer is (an object|a dict), \{.*\}, not a list of findings; nothing found is \[\]$/],
      [null, /^frame N: the answer is (null|None), not a list of findings/],
      ['dog', /^frame N: the answer is a text, .dog., not a list of findings/],
      [5, /^frame N: the answer is 5, not a list of findings/],
      [dog, /^frame N: the answer is a single finding, not a list of findings; put it into a list$/],
      [[[1, 2, 30, 40, 0.9, 16]], /^frame N, finding 0: it is \[1, ?2, ?30, ?40, ?0\.9, ?16\], not (an object|a dict)$/],
      [[{ ...dog, confidence: 1.002 }], /^frame N, finding 0: confidence is 1\.002, not between 0 and 1$/],
      [[dog, { ...dog, box: [300, 100, 30, 400] }], /^frame N, finding 1: box is \[300[^\]]*\], and x2 is less than x1$/],
      [[{ ...dog, box: [1, 100, 30, 99.5] }], /^frame N, finding 0: box is \[1[^\]]*\], and y2 is less than y1$/],
    ];
    const { predictions } = await warm.predict(frames(wrong.length + 1), { do: 'said', answers: [...wrong.map(([answer]) => answer), [dog]] }, never);
    expect(predictions.map((one) => ('error' in one ? one.error : one.detections))).toEqual([
      ...wrong.map(([, why], index) => ({ code: 'bad_frame', message: expect.stringMatching(new RegExp(why.source.replace('N', String(index)))) as string })),
      [dog],
    ]);
  });

  test('names an answer of the wrong kind as what it is', async () => {
    const dog = { class: 'dog', confidence: 0.5 };
    const wrong: readonly (readonly [Json, RegExp])[] = [
      [null, /predict returned (null|None), not a list with a list of findings for each frame$/],
      [{ detections: [] }, /predict returned (an object|a dict), \{.*\}, not a list/],
      ['ab', /predict returned a text, .ab., not a list/],
      [7, /predict returned 7, not a list/],
      [[dog, dog], /predict returned a flat list of findings, not a list with a list of findings for each frame$/],
      [[dog], /predict returned a flat list of findings/],
      [[[dog]], /predict returned 1 answers for 2 frames; each frame needs one, \[\] where nothing is found$/],
    ];
    for (const [answers, why] of wrong) {
      const error = await failure(warm.predict(frames(2), { do: 'said', answers }, never));
      expect([error.code, error.message]).toEqual(['runner_failed', expect.stringMatching(why)]);
    }
  });

  test('lets go of a list that never ends', async () => {
    const runner = await start(harnessed(language, 'model'));
    const soon = AbortSignal.timeout(10_000);
    const bad = (index: number, why: RegExp): object => ({ index, error: { code: 'bad_frame', message: expect.stringMatching(why) as string } });
    expect((await runner.predict(frames(4), { do: 'endless' }, soon)).predictions).toEqual([
      bad(0, /^frame 0: the findings are more than 262144 bytes of JSON$/),
      bad(1, /^frame 1, finding 0: box has more than 16384 elements$/),
      bad(2, /^frame 2, finding 0: keypoints\[0\] (is \[1,1,1,1\], not \[x, y\] or|has more than 16384 elements)/),
      { index: 3, detections: [{ class: 'dog', confidence: 0.5 }] },
    ]);
    expect((await failure(runner.predict(frames(2), { do: 'endless answers' }, soon))).message).toMatch(/predict returned 10000 answers for 2 frames/);
  });

  test('takes a confidence that misses 1 or 0 by rounding, and cuts boxes to the frame', async () => {
    const runner = await start(harnessed(language, 'model'));
    const dog = { class: 'dog', confidence: 0.5 };
    const answers = [[{ ...dog, confidence: 1.0000001 }, { ...dog, confidence: 1.001 }, { ...dog, confidence: -1e-9 }], [{ ...dog, box: [-50, -20.5, 30, 40] }, { ...dog, box: [600, 470, 700, 480.5] }, { ...dog, box: [5, 5, 5, 5] }]];
    const { predictions } = await runner.predict(frames(2), { do: 'said', answers }, never);
    expect(predictions).toEqual([
      { index: 0, detections: [{ ...dog, confidence: 1 }, { ...dog, confidence: 1 }, { ...dog, confidence: 0 }] },
      { index: 1, detections: [{ ...dog, box: [0, 0, 30, 40] }, { ...dog, box: [600, 470, 640, 480] }, { ...dog, box: [5, 5, 5, 5] }] },
    ]);
    expect(logs.filter((line) => line.startsWith('warning'))).toEqual([]);
  });

  test('warns once of boxes that are in other units, whatever the number of calls', async () => {
    const runner = await start(harnessed(language, 'model'));
    const boxed = (...box: readonly number[]): Json => [{ class: 'dog', confidence: 0.5, box }];
    const answers = [boxed(0.1, 0.1, 0.5, 0.6), boxed(0, 0, 1, 1), boxed(300, 200, 30, 40), boxed(5000, 5000, 9000, 9000), boxed(0, 0, 0, 0), boxed(10, 10, 5, 600)];
    for (let call = 0; call < 2; call += 1) {
      const { predictions } = await runner.predict(frames(6), { do: 'said', answers }, never);
      expect(predictions.map((one) => 'error' in one)).toEqual([false, false, true, false, false, true]);
      expect(predictions[3]).toEqual({ index: 3, detections: [{ class: 'dog', confidence: 0.5, box: [640, 480, 640, 480] }] });
    }
    await until(() => logs.filter((line) => line.startsWith('warning')).length === 3);
    expect(logs.filter((line) => line.startsWith('warning'))).toEqual([
      expect.stringMatching(/the box \[0\.1, ?0\.1, ?0\.5, ?0\.6\] looks like shares of the frame, 0 to 1; a box is x1, y1, x2, y2 in pixels of the frame$/),
      expect.stringMatching(/the box \[300.* looks like x, y, width, height; a box is x1, y1, x2, y2/),
      expect.stringMatching(/the box \[5000.* lies outside the frame of 640 x 480 pixels; nothing of it is left$/),
    ]);
  });

  test('is not misled by a model that changes what it is given', async () => {
    const { predictions } = await warm.predict(frames(2), { do: 'change' }, never);
    expect(predictions.map(({ index }) => index)).toEqual([0, 1]);
  });

  test('makes a confidence that is no number the error of its frame', async () => {
    const message = expect.stringMatching(/^frame 0, finding 0: confidence is nan, not a number$/i) as string;
    expect((await warm.predict(frames(1), { do: 'nan' }, never)).predictions).toEqual([{ index: 0, error: { code: 'bad_frame', message } }]);
  });

  test('fails a call that has not one answer for each frame, and one whose answer is too long to send', async () => {
    const short = await failure(warm.predict(frames(2), { do: 'short' }, never));
    expect([short.code, short.message]).toEqual(['runner_failed', expect.stringContaining('predict returned 0 answers for 2 frames')]);
    const long = await failure(warm.predict(frames(90), { do: 'long' }, never));
    expect([long.code, long.message]).toEqual(['runner_failed', expect.stringMatching(/the answer is 17\d{6} (bytes|characters), more than 16777216/)]);
    expect((await warm.predict(frames(1), {}, never)).predictions).toHaveLength(1);
  });

  test('calls predict_frame for one frame after the other, and its exception is that frame\'s error', async () => {
    const runner = await start(harnessed(language, 'frame'));
    expect(runner.ready).toEqual({ detector: null, labels: null, device: null, mix: true, slots: 1 });
    const found = [{ class: 'dog', confidence: 0.9, box: [1, 2, 3, 4] }];
    expect((await runner.predict(frames(3), { bad: 1 }, never)).predictions).toEqual([
      { index: 0, detections: found },
      { index: 1, error: { code: 'bad_frame', message: expect.stringMatching(/^frame\.(py|mjs):\d+: (OS)?Error: cannot open \/frames\/1\.jpg$/) as string } },
      { index: 2, detections: found },
    ]);
  });

  test('says why set-up failed', async () => {
    const error = await failure(start(harnessed(language, 'model', { do: 'raise' })));
    expect(error.code).toBe('runner_died');
    expect(error.message).toMatch(/the runner gave up before it was ready: model\.(py|mjs):\d+: (Runtime)?Error: no weights in \/models\/fixture\. Its last words:\n/);
    expect(error.message.split('no weights in')).toHaveLength(language === 'python' ? 3 : 2);
  });

  test('says what a model lacks that defines nothing', async () => {
    expect((await failure(start(harnessed(language, 'empty')))).message).toMatch(/neither predict\(frames, options\) nor predict_?[fF]rame/);
  });

  test('that crashes in native code is reported by its signal', async () => {
    const error = await failure(start(harnessed(language, 'model', { do: 'crash' })));
    expect([error.code, error.message]).toEqual(['runner_died', expect.stringContaining('was killed by SIGABRT before it was ready')]);
  });

  test('that leaves in the middle of a call is reported with its last words', async () => {
    const runner = await start(harnessed(language, 'model'));
    const error = await failure(runner.predict(frames(1), { do: 'die' }, never));
    expect(error.code).toBe('runner_died');
    expect(error.message).toMatch(/the runner exited with code 7 during the call\. Its last words:\n(.*\n)* {2}my last word$/);
    expect(await runner.ended).toBe('exited with code 7');
  });

  test('that hangs is killed within a second of the abort', async () => {
    const runner = await start(harnessed(language, 'model'));
    const abort = new AbortController();
    const late = new LookoutError('runner_timeout', 'no answer');
    const call = failure(runner.predict(frames(1), { do: 'hang' }, abort.signal));
    const before = Date.now();
    abort.abort(late);
    expect(await call).toBe(late);
    await runner.ended;
    expect(Date.now() - before).toBeLessThan(2000);
    expect(pids(logs).map(alive)).toEqual([false]);
  });

  test('leaves when its input ends', async () => {
    const runner = await start(harnessed(language, 'model'));
    await runner.close();
    expect(pids(logs).map(alive)).toEqual([false]);
  });

  test('says what the protocol says, line by line', () => {
    const { file, args } = harnessed(language, 'model', {});
    const calls = [{ id: 1, options: {} }, { id: 2, options: { do: 'raise' } }].map((call) => `${JSON.stringify({ type: 'predict', frames: frames(1), ...call })}\n`);
    const said = execFileSync(file, args, { input: calls.join(''), encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] });
    expect(said.trim().split('\n').map((line) => parseLine(line))).toEqual([
      { type: 'ready', protocol: 1, detector: 'fixture', labels: ['dog', 'cat'], device: 'cpu', mix: false, slots: 1 },
      { type: 'result', id: 1, predictions: [{ index: 0, detections: [{ class: '/frames/0.jpg', confidence: 0.5, box: [0, 1, 640, 480] }] }], inference_ms: expect.any(Number) as number },
      { type: 'failed', id: 2, error: { message: expect.stringContaining('cannot look') as string }, frames: [] },
    ]);
  });
});

test('the python harness takes sys.exit in a call as that call\'s failure and in set-up as the end', async () => {
  const runner = await start(harnessed('python', 'model'));
  expect((await failure(runner.predict(frames(1), { do: 'leave' }, never))).message).toMatch(/the call failed: model\.py:\d+: SystemExit: 4$/);
  expect((await runner.predict(frames(1), {}, never)).predictions).toHaveLength(1);
  expect((await failure(start(harnessed('python', 'model', { do: 'leave' })))).message).toMatch(/gave up before it was ready: model\.py:\d+: SystemExit: 3\./);
});

test('the python harness ends a forked copy of the model that comes back, so that each call is answered once', async () => {
  const runner = await start(harnessed('python', 'model'));
  for (let call = 0; call < 3; call += 1) expect((await runner.predict(frames(1), { do: 'fork' }, never)).predictions).toHaveLength(1);
  await until(() => logs.filter((line) => line.includes('a copy of the model\'s process that os.fork made')).length === 3);
  expect((await runner.predict(frames(1), {}, never)).predictions).toEqual([{ index: 0, detections: [expect.objectContaining({ box: [0, 4, 640, 480] })] }]);
});

test('the python harness says that it takes no coroutines', async () => {
  const runner = await start(harnessed('python', 'model'));
  expect((await failure(runner.predict(frames(1), { do: 'async' }, never))).message).toMatch(/predict returned a coroutine \(define it with def, not with async def\), not a list/);
});

test('the node harness waits for each answer by itself, and one that is rejected costs its frame', async () => {
  const runner = await start(harnessed('node', 'model'));
  expect((await runner.predict(frames(2), { do: 'promises' }, never)).predictions).toEqual([
    { index: 0, error: { code: 'bad_frame', message: expect.stringMatching(/^model\.mjs:\d+: Error: torn$/) as string } },
    { index: 1, detections: [] },
  ]);
});

test('the node harness refuses to start where prints could break its messages', () => {
  const harness = harnessed('node', 'model').args.slice(3);
  expect(() => execFileSync(process.execPath, harness, { encoding: 'utf8', stdio: 'pipe' })).toThrow(/LOOKOUT_MESSAGES_FD=3/);
});

test('a runner in the middle of a call does not outlive a parent that is killed', async () => {
  const parent = spawn(process.execPath, ['--import', './load-typescript.mjs', 'parent.mjs', python], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const lines: string[] = [];
    createInterface(parent.stdout).on('line', (line) => lines.push(line));
    await until(() => lines.includes('called') && pids(lines).length === 1, 20_000);
    expect(pids(lines).map(alive)).toEqual([true]);
    parent.kill('SIGKILL');
    await until(() => pids(lines).every((pid) => !alive(pid)));
  } finally {
    parent.kill('SIGKILL');
  }
});
