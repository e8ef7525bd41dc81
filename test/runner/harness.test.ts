import { execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import { LookoutError } from '../../src/errors.ts';
import { parseLine } from '../../src/runner/messages.ts';
import { alive, failure, folder, frames, harnessed, never, pids, python, runners, until, type Language } from './fixtures.ts';

const { start, logs } = runners();

describe.each<Language>(['python', 'node'])('the %s harness', (language) => {
  const exception = language === 'python' ? 'ValueError' : 'Error';

  test('sets up once, answers call by call, and keeps state between calls', async () => {
    const runner = await start(harnessed(language, 'model'));
    expect(runner.ready).toEqual({ detector: 'fixture', labels: ['dog', 'cat'], device: 'cpu' });
    const detection = (index: number, call: number): object => ({ class: `/frames/${index}.jpg`, confidence: 0.5, box: [index, call, 640, 480] });
    const first = await runner.predict(frames(2), {}, never);
    expect(first.predictions).toEqual([{ index: 0, detections: [detection(0, 1)] }, { index: 1, detections: [detection(1, 1)] }]);
    expect(first.inference_ms).toBeGreaterThanOrEqual(0);
    expect((await runner.predict(frames(1), {}, never)).predictions).toEqual([{ index: 0, detections: [detection(0, 2)] }]);
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
    const runner = await start(harnessed(language, 'model'));
    const { predictions } = await runner.predict(frames(4).slice(2), {}, never);
    expect(predictions.map(({ index }) => index)).toEqual([2, 3]);
  });

  test('turns an exception into a failed call and lives on', async () => {
    const runner = await start(harnessed(language, 'model'));
    const error = await failure(runner.predict(frames(1), { do: 'raise' }, never));
    expect(error.code).toBe('runner_failed');
    expect(error.message).toContain(`the call failed: ${exception}: cannot look`);
    expect(error.message).toMatch(/model\.(py|mjs)/);
    expect((await runner.predict(frames(1), {}, never)).predictions).toHaveLength(1);
  });

  test('takes exceptions and error texts as the errors of their frames', async () => {
    const runner = await start(harnessed(language, 'model'));
    expect((await runner.predict(frames(3), { do: 'bad frames' }, never)).predictions).toEqual([
      { index: 0, error: { code: 'bad_frame', message: `${exception}: torn` } },
      { index: 1, error: { code: 'bad_frame', message: 'grey' } },
      { index: 2, detections: [] },
    ]);
  });

  test('takes label for class and bbox for box, from tuples and typed arrays too', async () => {
    const runner = await start(harnessed(language, 'model'));
    expect((await runner.predict(frames(1), { do: 'aliases' }, never)).predictions).toEqual([
      { index: 0, detections: [{ class: 'dog', confidence: 1, box: [1, 2, 3, 4] }] },
    ]);
  });

  test.for([['short', 'predict returned 0 answers for 2 frames'], ['nan', /JSON|confidence is null/]] as const)(
    'fails a call whose answer is %s',
    async ([behaviour, why]) => {
      const runner = await start(harnessed(language, 'model'));
      const error = await failure(runner.predict(frames(2), { do: behaviour }, never));
      expect([error.code, error.message]).toEqual(['runner_failed', expect.stringMatching(why)]);
      expect((await runner.predict(frames(1), {}, never)).predictions).toHaveLength(1);
    },
  );

  test('calls predict_frame for one frame after the other, and its exception is that frame\'s error', async () => {
    const runner = await start(harnessed(language, 'frame'));
    expect(runner.ready).toEqual({ detector: null, labels: null, device: null });
    const found = [{ class: 'dog', confidence: 0.9, box: [1, 2, 3, 4] }];
    expect((await runner.predict(frames(3), { bad: 1 }, never)).predictions).toEqual([
      { index: 0, detections: found },
      { index: 1, error: { code: 'bad_frame', message: expect.stringContaining('cannot open /frames/1.jpg') as string } },
      { index: 2, detections: found },
    ]);
  });

  test('says why set-up failed', async () => {
    const error = await failure(start(harnessed(language, 'model', { do: 'raise' })));
    expect(error.code).toBe('runner_died');
    expect(error.message).toMatch(/the runner gave up: (Runtime)?Error: no weights in \/models\/fixture/);
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
    expect(said.trim().split('\n').map(parseLine)).toEqual([
      { type: 'ready', protocol: 1, detector: 'fixture', labels: ['dog', 'cat'], device: 'cpu' },
      { type: 'result', id: 1, predictions: [{ index: 0, detections: [{ class: '/frames/0.jpg', confidence: 0.5, box: [0, 1, 640, 480] }] }], inference_ms: expect.any(Number) as number },
      { type: 'failed', id: 2, error: { message: expect.stringContaining('cannot look') as string }, frames: [] },
    ]);
  });
});

test('the python harness takes sys.exit in a call as that call\'s failure and in set-up as the end', async () => {
  const runner = await start(harnessed('python', 'model'));
  expect((await failure(runner.predict(frames(1), { do: 'leave' }, never))).message).toContain('SystemExit: 4');
  expect((await runner.predict(frames(1), {}, never)).predictions).toHaveLength(1);
  expect((await failure(start(harnessed('python', 'model', { do: 'leave' })))).message).toContain('gave up: SystemExit: 3');
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
