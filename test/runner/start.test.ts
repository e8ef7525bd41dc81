import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { LookoutError } from '../../src/errors.ts';
import type { RunnerCommand } from '../../src/runner/command.ts';
import type { Json } from '../../src/types.ts';
import { listsInLists, shown } from './findings.ts';
import { alive, failure, folder, frames, harnessed, never, pids, raw, runners, until } from './fixtures.ts';

const { start, logs } = runners();
const endless = listsInLists(20_000);
const late = new LookoutError('runner_timeout', 'no answer within 60 s');

/** Says `messages` in answer to a call of `size` frames. */
async function say(size: number, ...messages: unknown[]) {
  const runner = await start(raw('say'));
  return { runner, answer: runner.predict(frames(size), { messages: JSON.parse(JSON.stringify(messages)) as string[] }, never) };
}

describe('memory_mb', () => {
  /** Warm, or with a child that takes what it is told to. */
  const hungry = (options: object): RunnerCommand => ({ ...harnessed('node', 'hungry', options as Record<string, Json>), memory_mb: 300 });

  test('ends a runner that takes more, in a call or between two, itself or by what it started, and says so', async () => {
    const own = await start(hungry({}));
    expect((await own.predict(frames(1), { take: 50 }, never)).predictions).toHaveLength(1);
    const error = await failure(own.predict(frames(1), { take: 400 }, never));
    expect([error.code, error.message]).toEqual(['runner_died', expect.stringMatching(/the runner was ended during the call: it took [3-9]\d\d MB of memory, more than its memory_mb of 300\./)]);
    const children = await start(hungry({ later: 400 }));
    expect(await children.ended).toMatch(/^was ended: it took [3-9]\d\d MB of memory/);
    await until(() => pids(logs).length === 1 && !pids(logs).some(alive));
  });

  test('ends a start that takes more', async () => {
    expect((await failure(start(hungry({ take: 400 })))).message).toMatch(/the runner was ended before it was ready: it took \d+ MB of memory/);
  });
});

describe('a start', () => {
  test('that leads nowhere ends at its deadline with the last words, and the process is gone', async () => {
    const error = await failure(start(raw('silent'), { start_deadline_ms: 1500 }));
    expect(error.code).toBe('runner_timeout');
    expect(error.message).toMatch(/^Model fixture: the runner was not ready within 1\.5 s; where its set-up takes longer, raise setup_deadline_seconds in its manifest\. Its last words:\n {2}pid \d+$/);
    expect(pids(logs).map(alive)).toEqual([false]);
  });

  test('whose process leaves says with which code and last words', async () => {
    const error = await failure(start(raw('leave')));
    expect(error.code).toBe('runner_died');
    expect(error.message).toMatch(/the runner exited with code 5 before it was ready\. Its last words:\n.*\n {2}no such driver$/);
  });

  test('whose process leaves in colours says it without them, and so does its log', async () => {
    const coloured = { file: 'sh', args: ['-c', "printf '\\033[1;31mno such \\033]0;title\\007driver\\033[0m\\n' >&2; exit 5"], cwd: folder, env: {} };
    const error = await failure(start(coloured));
    expect(error.message).toMatch(/ {2}no such driver$/);
    expect(logs).toContain('no such driver');
  });

  test('that says fatal passes on why', async () => {
    const error = await failure(start(raw('fatal')));
    expect([error.code, error.message]).toEqual(['runner_died', expect.stringContaining('the runner gave up before it was ready: no GPU.')]);
  });

  test('that prints to stdout shows the first 200 characters', async () => {
    const error = await failure(start(raw('garbage')));
    expect(error.code).toBe('runner_died');
    expect(error.message).toContain(`broke the protocol before it was ready: a line is not JSON: Loading model... ${'x'.repeat(200 - 'Loading model... '.length)}.`);
  });

  test('in another protocol is refused', async () => {
    expect((await failure(start(raw('future')))).message).toContain('protocol is 2, not 1, which this Lookout speaks');
  });

  test('of a program or in a folder that is not there says so', async () => {
    expect((await failure(start({ ...raw('say'), file: '/nowhere/python' }))).message).toMatch(/\/nowhere\/python/);
    expect((await failure(start({ ...raw('say'), cwd: `${folder}/nowhere` }))).message).toMatch(/could not be started before it was ready: .*nowhere/s);
  });

  test('that is aborted ends within a second with the reason', async () => {
    const abort = new AbortController();
    const starting = failure(start(raw('silent'), {}, abort.signal));
    await until(() => logs.length > 0);
    const before = Date.now();
    abort.abort(late);
    expect(await starting).toBe(late);
    expect(Date.now() - before).toBeLessThan(2000);
    expect(pids(logs).map(alive)).toEqual([false]);
  });

  test('with a signal that is aborted already starts nothing', async () => {
    expect((await failure(start(raw('say'), {}, AbortSignal.abort('enough')))).cause).toBe('enough');
    expect(logs).toEqual([]);
  });
});

test('a runner that says empty lines without end leaves time for others', async () => {
  await start({ ...raw('say'), file: 'sh', args: ['-c', `echo '{"type":"ready","protocol":1}'; yes '' & cat`] });
  const before = performance.eventLoopUtilization();
  await sleep(500);
  expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.7);
});

describe('an answer', () => {
  const nothing = (index: number): object => ({ index, detections: [] });

  test('comes in the order of the frames whatever order it was said in', async () => {
    const { answer } = await say(2, { type: 'result', id: 1, predictions: [nothing(1), nothing(0)], inference_ms: 2 });
    expect(await answer).toEqual({ predictions: [nothing(0), nothing(1)], inference_ms: 2 });
  });

  test.for([
    [[nothing(0)], 'index 1 is missing'],
    [[nothing(0), nothing(0)], 'index 0 is there twice'],
    [[nothing(0), nothing(2)], 'index 1 is missing'],
    [[nothing(0), nothing(1), nothing(2)], 'index 2 is not of this call'],
    [[nothing(0), nothing(1), nothing(1), { index: 'never looked at' }], 'index 1 is there twice'],
  ] as const)('to other frames than asked fails the call: %j', async ([predictions, why]) => {
    const { runner, answer } = await say(2, { type: 'result', id: 1, predictions, inference_ms: 2 });
    const error = await failure(answer);
    expect([error.code, error.message]).toEqual(['runner_failed', expect.stringContaining(why)]);
    // The runner lives on.
    await runner.predict([], { messages: [{ type: 'result', id: 2, predictions: [], inference_ms: 0 }] }, never);
  });

  test('of failure names the frames', async () => {
    const { answer } = await say(2, { type: 'failed', id: 1, error: { message: 'too hot' }, frames: [{ index: 1, message: 'largest' }] });
    const error = await failure(answer);
    expect([error.code, error.message]).toEqual(['runner_failed', 'Model fixture: the call failed: too hot\n  frame 1: largest']);
    expect(error.details['last_words']).toMatch(/^pid/);
  });

  test.for([
    ['to an unknown call', { type: 'result', id: 9, predictions: [], inference_ms: 1 }, 'there is no open call 9'],
    ['that is a second greeting', { type: 'ready', protocol: 1 }, 'it was ready already'],
    ['that is no message', 'Segmentation fault', 'a line is not JSON: Segmentation fault'],
    ['of a type nested without end', `{"type":${endless}}`, `type is ${shown(endless)}, not one of ready`],
    ['of a protocol nested without end', `{"type":"ready","protocol":${endless}}`, `protocol is ${shown(endless)}, not 1`],
    ['of despair', { type: 'fatal', error: { message: 'the GPU is gone' } }, ': the GPU is gone'],
  ] as const)('%s ends the runner', async ([, message, why]) => {
    const { runner, answer } = await say(0, message);
    const error = await failure(answer);
    expect([error.code, error.message]).toEqual(['runner_died', expect.stringContaining(why)]);
    expect(await runner.ended).toContain(why);
    expect((await failure(runner.predict([], {}, never))).code).toBe('runner_died');
    expect(pids(logs).map(alive)).toEqual([false]);
  });

  test('cut off by the end of the process is no broken protocol', async () => {
    const runner = await start(raw('half'));
    expect((await failure(runner.predict([], {}, never))).message).toContain('exited with code 6 during the call');
  });

  test('longer than 16 MiB ends the runner and shows its beginning', async () => {
    const runner = await start(raw('flood'));
    const error = await failure(runner.predict([], { size: 17 * 1024 * 1024 }, never));
    expect(error.code).toBe('runner_died');
    expect(error.message).toContain(`broke the protocol during the call: a line is too long: ${'x'.repeat(200)}.`);
  });
});

test('calls may overlap, and each gets its own answer', async () => {
  const runner = await start(raw('reversed'));
  const answers = await Promise.all([1, 2, 3].map(() => runner.predict([], { of: 3 }, never)));
  expect(answers.map(({ inference_ms }) => inference_ms)).toEqual([1, 2, 3]);
});

describe('an abort', () => {
  test('rejects at once, ends the other calls, and kills even what ignores SIGTERM', async () => {
    const runner = await start(raw('stubborn'));
    const abort = new AbortController();
    const other = failure(runner.predict([], {}, never));
    const aborted = failure(runner.predict([], {}, abort.signal));
    const before = Date.now();
    abort.abort(late);
    expect(await aborted).toBe(late);
    expect(Date.now() - before).toBeLessThan(800);
    expect((await failure(runner.predict([], {}, never))).message).toContain('was killed because a call was aborted');
    expect((await other).code).toBe('runner_died');
    expect(Date.now() - before).toBeLessThan(3000);
    expect(pids(logs).map(alive)).toEqual([false]);
  });

  test('before the call leaves the runner alone', async () => {
    const runner = await start(raw('say'));
    expect(await failure(runner.predict([], {}, AbortSignal.abort(late)))).toBe(late);
    await runner.predict([], { messages: [{ type: 'result', id: 1, predictions: [], inference_ms: 0 }] }, never);
  });
});

describe('an end', () => {
  test('takes along what the runner started', async () => {
    await start(raw('orphaning'));
    await until(() => pids(logs).length === 2);
    await until(() => pids(logs).every((pid) => !alive(pid)));
  });

  test('is not held up by what left the group and keeps the pipes open', async () => {
    const runner = await start(raw('escaping'));
    await until(() => pids(logs).length === 2);
    expect(await runner.ended).toBe('exited with code 0');
    const [, escaped] = pids(logs);
    if (escaped !== undefined) process.kill(escaped, 'SIGKILL');
  });

  test('by close is quick, may be asked for twice, and refuses calls', async () => {
    const runner = await start(raw('say'));
    const before = Date.now();
    await Promise.all([runner.close(), runner.close()]);
    expect(Date.now() - before).toBeLessThan(4000);
    expect(await runner.ended).toBe('was closed');
    expect((await failure(runner.predict([], {}, never))).message).toContain('the runner was closed');
  });

  test('comes with no more than the last forty lines, and of those before says how many were let go', async () => {
    const lines = (await failure(start(raw('chatty')))).message.split('\n').slice(1);
    expect([lines.length, lines.at(-1)?.trim()]).toEqual([40, `line 2999 ${'.'.repeat(50)}`]);
    const told = logs.map((line) => Number(/^\((\d+) lines were let go here/.exec(line)?.[1] ?? 1));
    expect(told.reduce((sum, lines) => sum + lines)).toBe(3001);
  });
});
