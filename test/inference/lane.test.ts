import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { LookoutError } from '../../src/errors.ts';
import { systemClock, type Clock } from '../../src/lib/clock.ts';
import type { LaneParts } from '../../src/inference/lane.ts';
import { createLog, type Log } from '../../src/lib/log.ts';
import { startRunner } from '../../src/runner/start.ts';
import { never } from '../models/fixtures.ts';
import { alive } from '../runner/fixtures.ts';
import { madeUp, planned, type Bench, type Deed } from './lane-fixtures.ts';

const seen = (name: string): object => ({ detections: [{ class: name, confidence: 0.5, box: [0, 0, 1, 1] }] });
const SOON = { timeout: 10_000 };
/** Longer than a lane trusts its last look at the folder. */
const UNTIL_IT_LOOKS_MS = 2100;
const OTHER = { camera_id: 'CAM-2', session: 'CAM-2_0a1b2c3d' };

const logInto = (lines: string[]): Log => createLog({ level: 'debug', format: 'text', write: (line) => lines.push(line) });

describe.concurrent('a lane', () => {
  it('shares one warm runner between streams, one call at a time', async (context) => {
    const { lane, look, log } = await planned(context, { calls: ['dawdle'] });
    lane.warm();
    lane.warm();
    expect(await Promise.all([look('a'), look('b', OTHER)])).toMatchObject([seen('a'), seen('b')]);
    const lines = await log();
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['starts', 'calls', 'calls']);
    expect(new Set(lines.map((line) => line.split(' ')[1])).size).toBe(1);
    expect(lane.status()).toMatchObject({ state: 'ready', reason: 'planned', detector: 'planned', restarts: 0 });
  });

  it('says which model answered, and how long it took', async (context) => {
    const { lane, look } = await planned(context, {});
    expect(lane.identity).toEqual({ version: 'unknown', runtime: 'unknown', detector: null, fingerprint: null, code: null });
    const answer = await look('a');
    expect(answer.identity).toEqual({ version: '1', runtime: 'node', detector: 'planned', fingerprint: null, code: expect.stringMatching(/^[0-9a-f]{16}$/) as string });
    expect(answer).toMatchObject({ inference_ms: expect.any(Number) as number });
  });

  it('keeps of the findings what the manifest wants', async (context) => {
    const { look, writeManifest } = await planned(context, {});
    await writeManifest('classes: [dog]\n');
    expect(await look('cat')).toMatchObject({ detections: [] });
  });

  it('answers for a picture that is gone without asking, and for its neighbours', async (context) => {
    const { look, events } = await planned(context, { known: true }, {}, () => ({
      view: (keys) => Promise.resolve({ files: keys.map((key) => (key === 'gone' ? null : key)), close: () => Promise.resolve() }),
    }));
    expect(await Promise.all([look('a'), look('gone'), look('b')])).toMatchObject([seen('a'), { error: { code: 'bad_frame' } }, seen('b')]);
    expect(await look('gone')).toMatchObject({ error: { code: 'bad_frame', message: expect.stringContaining('gone') as string } });
    expect(await events()).toEqual(['calls']);
  });

  it('answers for the frames that a runner names, also where one before them is gone', async (context) => {
    const fails = new LookoutError('runner_failed', 'these cannot be looked at', { details: { frames: [1], last_words: '' } });
    const { look } = await planned(context, {}, {}, () => ({
      view: (keys) => Promise.resolve({ files: keys.map((key) => (key === 'gone' ? null : key)), close: () => Promise.resolve() }),
      prepare: () => madeUp(() => Promise.resolve((frames) => {
        if (frames.length > 1) throw fails;
        return 'a cow';
      })),
    }));
    const looked = seen('a cow');
    expect(await Promise.all(['gone', 'a', 'b', 'c'].map((key) => look(key)))).toMatchObject([{ error: { code: 'bad_frame' } }, looked, { error: { message: 'these cannot be looked at' } }, looked]);
  });

  it('tells what is wrong with a finding without the number that its frame had in the call', async (context) => {
    const { look } = await planned(context, { starts: ['dawdle'] });
    const wrong = { error: { code: 'bad_frame', message: 'finding 0: confidence is 3, not between 0 and 1' } };
    expect(await Promise.all([look('a'), look('nonsense')])).toMatchObject([seen('a'), wrong]);
  });

  it('asks again for frames that could not be lent for a moment, whoever it is told meanwhile', async (context) => {
    let refusals = 1;
    const { look, lane, events } = await planned(context, {}, {}, (parts) => ({
      view: (keys) => (refusals-- > 0 ? Promise.reject(Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' })) : parts.view(keys)),
    }));
    expect(await look('a')).toMatchObject(seen('a'));
    expect(await events()).toEqual(['starts', 'calls']);
    expect(lane.status()).toMatchObject({ restarts: 0 });
  });

  describe('calls', () => {
    it('hold frames of one stream and size for a model that gets whole calls', async (context) => {
      const { look, events } = await planned(context, { known: true });
      await Promise.all([look('a'), look('b', OTHER), look('c'), look('d', OTHER)]);
      expect(await events()).toEqual(['calls', 'calls']);
    });

    it('hold what comes from several streams where the manifest says so, no more than max_batch', async (context) => {
      const { look, events, writeManifest } = await planned(context, { starts: ['dawdle'] });
      await writeManifest('mix: true\nmax_batch: 3\n');
      await Promise.all([look('a'), look('b', OTHER), look('c'), look('d', OTHER)]);
      expect(await events()).toEqual(['starts', 'calls', 'calls']);
    });

    it('hold a whole batch for a model that looks by batch, once it is closed', async (context) => {
      const { lane, look, events, writeManifest } = await planned(context, {});
      await writeManifest('look: batch\n');
      lane.warm();
      await expect.poll(() => lane.readiness, SOON).toBe('ready');
      const looks = [look('a'), look('b'), look('c')];
      const next = look('d');
      await systemClock.sleep(300, never);
      expect(await events()).toEqual(['starts']);
      lane.batchClosed(['a', 'b', 'c']);
      expect(await Promise.all(looks)).toMatchObject([seen('a'), seen('b'), seen('c')]);
      lane.batchClosed(['d']);
      expect(await next).toMatchObject(seen('d'));
      expect(await events()).toEqual(['starts', 'calls', 'calls']);
    });

    it('go to as many runners as the manifest says, at once', async (context) => {
      const { look, pids, writeManifest } = await planned(context, { calls: ['well', 'dawdle', 'dawdle'] });
      await writeManifest('instances: 2\n');
      await look('first');
      await expect.poll(() => pids().then((all) => all.length), SOON).toBe(1);
      const began = Date.now();
      await Promise.all([look('a'), look('b', OTHER)]);
      expect(Date.now() - began).toBeLessThan(5000);
      expect(await pids()).toHaveLength(2);
    });
  });

  describe('asks one by one', () => {
    it.for<[Deed, number]>([['hang', 1], ['die', 1], ['raise', 0]])('about the frames of a call in which the model does this: %s', async ([deed, restarts], context) => {
      const { lane, look, events } = await planned(context, { known: true, calls: [deed] }, { model_deadline_seconds: 1 });
      expect(await Promise.all([look('a'), look('b')])).toMatchObject([seen('a'), seen('b')]);
      expect((await events()).filter((event) => event === 'calls')).toHaveLength(3);
      expect(lane.status().restarts).toBe(restarts);
    });

    it('only once the process is gone that would not go', async (context) => {
      const { look, events, log } = await planned(context, { known: true, calls: ['hang stubbornly'] }, { model_deadline_seconds: 0.5 });
      expect(await Promise.all([look('a'), look('b')])).toMatchObject([seen('a'), seen('b')]);
      expect(await events()).toEqual(['calls', 'starts', 'calls', 'calls']);
      expect([...new Set((await log()).map((line) => Number(line.split(' ')[1])))].map(alive)).toEqual([false, true]);
    });

    it.for<[Deed, object]>([
      ['die', { error: { code: 'runner_died', message: expect.stringMatching(/exited with code 7[^]*my last word/) as string } }],
      ['raise', { error: { code: 'runner_failed', message: expect.stringContaining('cannot look') as string }, last_words: expect.stringContaining('cannot look') as string }],
    ])('and what fails alone is that frame\'s answer: %s', async ([deed, answer], context) => {
      const { look } = await planned(context, { known: true, calls: [deed, 'well', deed] });
      expect(await Promise.all([look('a'), look('b')])).toMatchObject([seen('a'), answer]);
    });
  });

  describe('whose runner ends in a call of several', () => {
    const died = new LookoutError('runner_died', 'it took more memory than its memory_mb');
    const cameras = Array.from({ length: 8 }, (_, number) => ({ camera_id: `CAM-${number}`, session: `CAM-${number}_0a1b2c3d` }));
    const lookOfAll = ({ look }: Bench): Promise<unknown> => Promise.all(cameras.map((stream) => look(stream.camera_id, stream)));

    it('makes smaller ones where each frame goes well alone, and rests when it happens too often', async (context) => {
      const calls: number[] = [];
      const bench = await planned(context, { known: true }, { runner_restarts: 2 }, () => ({ prepare: () => madeUp(() => Promise.resolve((frames) => {
        calls.push(frames.length);
        if (frames.length > 1) throw died;
        return 'a cow';
      })) }));
      await lookOfAll(bench);
      void lookOfAll(bench).catch(() => undefined);
      await context.expect.poll(() => bench.lane.readiness, SOON).toBe('resting');
      expect(calls.filter((frames) => frames > 1)).toEqual([8, 4, 2]);
    });

    it('makes calls as before where it ends of one frame, and does not count that', async (context) => {
      const calls: number[] = [];
      const bench = await planned(context, { known: true }, { runner_restarts: 1 }, () => ({ prepare: () => madeUp(() => Promise.resolve((frames) => {
        calls.push(frames.length);
        if (frames.some(({ stream }) => stream === cameras[3]?.session)) throw died;
        return 'a cow';
      })) }));
      for (let round = 0; round < 3; round += 1) await lookOfAll(bench);
      expect(calls.filter((frames) => frames > 1)).toEqual([8, 8, 7]);
      expect([bench.lane.readiness, bench.lane.status().restarts]).toEqual(['ready', 4]);
    });
  });

  it('deals streams out evenly to runners with a memory; while one is not up, the others serve its streams', async (context) => {
    let starts = 0;
    let mayEnd = false;
    const { look, writeManifest } = await planned(context, {}, {}, () => ({ prepare: () => madeUp(() => {
      const number = starts += 1;
      // There is room for one at first, and then for no third.
      if (number === 2 || number > 3) return Promise.reject(new LookoutError('runner_died', 'no memory of the device is left'));
      return Promise.resolve(() => {
        if (number === 3 && mayEnd) throw new LookoutError('runner_died', 'killed');
        return `by runner ${number}`;
      });
    }) }));
    await writeManifest('state: stream\ninstances: 2\n');
    const both = (): Promise<unknown> => Promise.all([look('a'), look('b', OTHER)]);
    const first = seen('by runner 1');
    expect(await both()).toMatchObject([first, first]);
    await context.expect.poll(both, SOON).toMatchObject([first, seen('by runner 3')]);
    mayEnd = true;
    expect(await both()).toMatchObject([first, { error: { message: 'killed' } }]);
    expect(await both()).toMatchObject([first, first]);
  });

  it('keeps a camera with its runner when its stream is started again, and with one other while its own is not up', async (context) => {
    let starts = 0;
    const { look, writeManifest } = await planned(context, {}, {}, () => ({ prepare: () => madeUp(() => {
      const number = starts += 1;
      return number === 2 || number > 3 ? Promise.reject(new LookoutError('runner_died', 'no memory of the device is left')) : Promise.resolve(() => `by runner ${number}`);
    }) }));
    await writeManifest('state: stream\ninstances: 3\n');
    const third = { camera_id: 'CAM-3', session: 'CAM-3_0a1b2c3d' };
    const round = (): Promise<readonly unknown[]> => Promise.all([look('a'), look('b', OTHER), look('c', third)]);
    await context.expect.poll(round, SOON).toMatchObject([seen('by runner 1'), {}, seen('by runner 3')]);
    const rounds: (readonly unknown[])[] = [];
    for (let count = 0; count < 20; count += 1) rounds.push(await round());
    for (const [, other] of rounds) expect(other).toMatchObject(seen('by runner 3'));
    for (const session of ['CAM-1_1', 'CAM-1_2', 'CAM-1_3']) expect(await look('a', { session })).toMatchObject(seen('by runner 1'));
  });

  describe('tries a batch again, for a model that looks by batch,', () => {
    it('until its camera is not asked about any more, and tells why', async (context) => {
      const { lane, look, writeManifest } = await planned(context, { calls: ['die', 'die', 'die'] }, { model_retries: 2 });
      await writeManifest('look: batch\n');
      const one = look('a');
      lane.batchClosed(['a']);
      expect(await one).toMatchObject({ error: { code: 'runner_died', message: expect.stringContaining('my last word') as string } });
    }, 20_000);

    it('as often as the setting says, then tells the last error with the last words', async (context) => {
      const { lane, look, events, writeManifest } = await planned(context, { calls: ['raise', 'raise', 'well', 'raise', 'raise', 'raise'] }, { model_retries: 2 });
      await writeManifest('look: batch\n');
      const first = [look('a'), look('b')];
      lane.batchClosed(['a', 'b']);
      expect(await Promise.all(first)).toMatchObject([seen('a'), seen('b')]);
      const second = look('c');
      lane.batchClosed(['c']);
      expect(await second).toMatchObject({ error: { code: 'runner_failed' }, last_words: expect.stringContaining('cannot look') as string });
      expect((await events()).filter((event) => event === 'calls')).toHaveLength(6);
    }, 20_000);
  });

  it('puts a camera in quarantine whose pictures ended the runner twice', async (context) => {
    const { lane, look } = await planned(context, { calls: ['well', 'die', 'die'] });
    expect(await look('a', OTHER)).toMatchObject(seen('a'));
    expect(await look('b')).toMatchObject({ error: { code: 'runner_died' } });
    expect(await look('c')).toMatchObject({ error: { code: 'runner_died' } });
    expect(await look('d')).toMatchObject({ skipped: 'quarantined' });
    expect(await look('e', OTHER)).toMatchObject(seen('e'));
    expect(lane.status().restarts).toBe(2);
  });

  it('tries a camera in quarantine again whose picture could not be lent for a moment', async (context) => {
    let [passed, refusals] = [0, 0];
    const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + passed };
    const { look } = await planned(context, { calls: ['well', 'die', 'die'] }, {}, ({ view }) => ({
      clock, view: (keys) => (refusals-- > 0 ? Promise.reject(Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' })) : view(keys)),
    }));
    await look('a', OTHER);
    for (const name of ['b', 'c']) expect(await look(name)).toMatchObject({ error: { code: 'runner_died' } });
    [passed, refusals] = [31_000, 1];
    expect(await look('d')).toMatchObject(seen('d'));
  });

  it('asks no more about a frame for which nobody waits, once its call has failed', async (context) => {
    const { look, events } = await planned(context, { calls: ['well', 'hang'] }, { model_deadline_seconds: 1 });
    await look('first');
    const gone = new AbortController();
    const looks = [look('a', {}, gone.signal), look('b')];
    await expect.poll(async () => (await events()).length, SOON).toBe(3);
    gone.abort(new Error('nobody waits'));
    await expect(looks[0]).rejects.toThrow('nobody waits');
    expect(await looks[1]).toMatchObject(seen('b'));
    expect((await events()).filter((event) => event === 'calls')).toHaveLength(3);
  });

  describe('asks again, one call at a time, for those who were in call as their runner ended', () => {
    const bench = (context: TestContext, settings: Partial<LaneParts['settings']> = {}): Promise<Bench> => planned(context, {}, settings, () => ({
      prepare: () => Promise.resolve({
        fingerprint: null, markUsed: () => Promise.resolve(),
        start: (print, signal) => startRunner({ file: process.execPath, args: [join(import.meta.dirname, '../fixtures/runners/slots.mjs')], cwd: tmpdir(), env: {} }, { model: 'planned', start_deadline_ms: 10_000, onLog: print }, signal),
      }),
    }));
    const CAMERAS = ['CAM-1', 'CAM-2', 'CAM-3'].map((camera_id) => ({ camera_id, session: `${camera_id}_0a1b2c3d` }));
    const looked = { detections: [] };

    it('so that a frame which ends it is the fault of its camera alone', async (context) => {
      const { lane, look } = await bench(context, { runner_restarts: 3 });
      await look('a');
      for (let round = 0; round < 2; round += 1) {
        const [bad, ...others] = await Promise.all(CAMERAS.map((camera, at) => look(at === 0 ? 'deadly' : `b${at}`, camera)));
        expect(bad).toMatchObject({ error: { code: 'runner_died' } });
        expect(others).toMatchObject([looked, looked]);
      }
      const after = await Promise.all(CAMERAS.map((camera, at) => look(`c${at}`, camera)));
      expect(after).toMatchObject([{ skipped: 'quarantined' }, looked, looked]);
      expect(lane.readiness).toBe('ready');
    });

    it('until none of them waits any more: one whose camera was put in quarantine meanwhile holds nobody up', async (context) => {
      const { look } = await bench(context, { runner_restarts: 20 });
      await look('a');
      const [first, ...more] = await Promise.all([1, 2, 3].map((number) => look(`deadly ${number}`, { session: `CAM-1_0a1b2c3${number}` })));
      expect([first, ...more].map((answer) => (answer && 'skipped' in answer ? answer.skipped : 'died')).toSorted()).toEqual(['died', 'died', 'quarantined']);
      await look('b', OTHER);
      const looks = await Promise.all([1, 2, 3].map((number) => look(`count ${number}`, { ...OTHER, session: `CAM-2_0a1b2c3${number}` })));
      expect(looks.flatMap((answer) => ('detections' in answer ? answer.detections.map(({ class: name }) => name) : []))).toContain('one of 3');
    });

    it('or was ended for one that was not answered in time', async (context) => {
      const { look } = await bench(context, { model_deadline_seconds: 1 });
      await look('a');
      const [bad, ...others] = await Promise.all(CAMERAS.map((camera, at) => look(at === 0 ? 'endless' : `b${at}`, camera)));
      expect(bad).toMatchObject({ error: { code: 'runner_timeout' } });
      expect(others).toMatchObject([looked, looked]);
    });
  });

  it('is unable while its runner does not start, answers with the last end meanwhile, and then goes on', async (context) => {
    const { lane, look, events } = await planned(context, { starts: ['die', 'die'] }, { runner_restarts: 2, runner_restart_window_seconds: 5 });
    const resting = { error: { code: 'runner_died', message: expect.stringMatching(/^its runner ended 2 times in 5 s, so nothing is tried for as long: [^]*exited with code 7[^]*my last word/) as string } };
    expect(await look('a')).toMatchObject(resting);
    expect(lane.status()).toMatchObject({ state: 'failed', restarts: 2 });
    expect(lane.readiness).toBe('unable');
    expect(await look('b')).toMatchObject(resting);
    expect(await events()).toEqual(['starts', 'starts']);
    await context.expect.poll(() => look('c'), { timeout: 15_000, interval: 500 }).toMatchObject(seen('c'));
    expect(await events()).toEqual(['starts', 'starts', 'starts', 'calls']);
  }, 20_000);

  it('rests when its runner ended too often, lets nobody\'s frames be spent meanwhile, and then goes on', async (context) => {
    const { lane, look, events } = await planned(context, { calls: ['die', 'die'] }, { runner_restarts: 2, runner_restart_window_seconds: 4 });
    expect(await look('a')).toMatchObject({ error: { code: 'runner_died' } });
    expect(await look('b', OTHER)).toMatchObject({ error: { code: 'runner_died' } });
    expect(lane.status()).toMatchObject({ state: 'failed', reason: expect.stringMatching(/^its runner ended 2 times in 4 s, so nothing is tried for as long/) as string });
    expect([lane.readiness, lane.skipReason]).toEqual(['resting', 'resting']);
    const waiting = look('c', { camera_id: 'CAM-3', session: 'CAM-3_0a1b2c3d' });
    await systemClock.sleep(1500, never);
    expect(await events()).toEqual(['starts', 'calls', 'starts', 'calls']);
    expect(await waiting).toMatchObject(seen('c'));
  }, 20_000);

  it.for(['after its last call', 'when nobody calls'])('lets an idle runner go %s, and starts another when it is wanted', async (when, context) => {
    const { lane, look, pids } = await planned(context, {}, { runner_idle_seconds: 0.5 });
    lane.warm();
    if (when === 'after its last call') await look('a', { interval_seconds: 0.1 });
    await expect.poll(() => lane.readiness, SOON).toBe('ready');
    await expect.poll(() => lane.status(), SOON).toMatchObject({ state: 'idle', restarts: 0 });
    const [first = 0] = await pids();
    await expect.poll(() => alive(first), SOON).toBe(false);
    expect(lane.readiness).not.toBe('ready');
    expect(await look('b', { interval_seconds: 0.1 })).toMatchObject(seen('b'));
    expect(await pids()).toHaveLength(2);
  });

  it('is not started for a frame of a stream that brings one more rarely than it idles, but for its batch', async (context) => {
    const { lane, look, events } = await planned(context, {}, { runner_idle_seconds: 2 });
    const looks = [look('a'), look('b')];
    await systemClock.sleep(500, never);
    expect(await events()).toEqual([]);
    lane.batchClosed(['a', 'b']);
    expect(await Promise.all(looks)).toMatchObject([seen('a'), seen('b')]);
    expect(await events()).toEqual(['starts', 'calls', 'calls']);
  });

  describe('starts anew', () => {
    it.for<[string, (bench: Bench) => Promise<void>, string]>([
      ['code', ({ folder }) => appendFile(join(folder, 'detector.mjs'), '\n// changed\n'), 'detector.mjs changed'],
      ['manifest', ({ writeManifest }) => writeManifest('confidence: 0.1\n'), 'model.yaml changed'],
      ['weights', async ({ folder, writeManifest }) => {
        await writeManifest('weights: [{ file: "*.onnx", required: false }]\n');
        await writeFile(join(folder, 'best.onnx'), 'weights');
      }, 'model.yaml changed, best.onnx appeared'],
    ])('when the model\'s %s is edited: what works goes on until the next is greeted', async ([, edit, why], context) => {
      const lines: string[] = [];
      const bench = await planned(context, { starts: ['well', 'dawdle'] }, { model_retries: 0 }, () => ({ log: logInto(lines) }));
      const { lane, look, pids } = bench;
      const before = await look('a');
      await edit(bench);
      await context.expect.poll(pids, SOON).toHaveLength(2);
      expect(lane.status()).toMatchObject({ state: 'ready', successor: { state: 'provisioning', reason: why } });
      expect(await look('b')).toMatchObject({ ...seen('b'), identity: before.identity });
      await context.expect.poll(() => lane.status().successor, SOON).toBeNull();
      const after = await look('c');
      expect(after).toMatchObject(seen('c'));
      expect(after.identity.code).not.toBe(before.identity.code);
      await context.expect.poll(async () => (await pids()).map(alive), SOON).toEqual([false, true]);
      expect(lane.status()).toMatchObject({ state: 'ready', restarts: 0 });
      expect(lines.filter((line) => line.includes('takes over')).join()).toContain(why);
    });

    it('for files that no manifest names, however long it takes until their runner is up', async (context) => {
      let slow = false;
      const { lane, look, folder, pids } = await planned(context, {}, {}, (parts) => ({
        prepare: async (model, progress, signal) => {
          if (slow) await systemClock.sleep(2 * UNTIL_IT_LOOKS_MS, signal);
          return parts.prepare(model, progress, signal);
        },
      }));
      await writeFile(join(folder, 'labels.txt'), 'dog');
      const before = await look('a');
      slow = true;
      await writeFile(join(folder, 'labels.txt'), 'sheep');
      await writeFile(join(folder, 'helper.mjs'), '');
      await context.expect.poll(() => lane.status().successor, SOON).toMatchObject({ state: 'provisioning', reason: 'labels.txt changed, helper.mjs appeared' });
      await context.expect.poll(() => lane.status().successor, SOON).toBeNull();
      expect((await look('b')).identity.code).not.toBe(before.identity.code);
      expect(await pids()).toHaveLength(2);
    }, 20_000);

    it('and a call that is under way is finished by the runner that has it', async (context) => {
      let letStart: () => void = () => undefined;
      const mayStart = new Promise<void>((resolve) => { letStart = resolve; });
      let starts = 0;
      let marked = 0;
      const { lane, look, folder, events, pids } = await planned(context, { calls: ['dawdle'] }, {}, (parts) => ({
        prepare: async (...given) => {
          const prepared = await parts.prepare(...given);
          return { ...prepared, markUsed: () => Promise.resolve().then(() => { marked += 1; }), start: async (...how) => {
            const runner = await prepared.start(...how);
            if ((starts += 1) > 1) await mayStart;
            return runner;
          } };
        },
      }));
      lane.warm();
      await context.expect.poll(() => lane.readiness, SOON).toBe('ready');
      await appendFile(join(folder, 'detector.mjs'), '\n// changed\n');
      await context.expect.poll(pids, SOON).toHaveLength(2);
      const answer = look('a');
      await context.expect.poll(events, SOON).toContain('calls');
      // What others are built beside is not to be collected.
      expect(marked).toBe(1);
      letStart();
      expect(await answer).toMatchObject(seen('a'));
      expect(await look('b')).toMatchObject(seen('b'));
      await context.expect.poll(async () => (await pids()).map(alive), SOON).toEqual([false, true]);
      expect((await events()).filter((event) => event === 'calls')).toHaveLength(2);
    });

    it('not with what cannot be set up: what works goes on, and the state says both, until it is mended', async (context) => {
      const { lane, look, folder, pids } = await planned(context, {}, { model_retries: 0 });
      const before = await look('a');
      const code = await readFile(join(folder, 'detector.mjs'), 'utf8');
      await writeFile(join(folder, 'detector.mjs'), 'throw new Error("half an edit");');
      await context.expect.poll(() => lane.status(), SOON).toMatchObject({
        state: 'ready', restarts: 0,
        successor: { version: '1', state: 'failed', reason: expect.stringMatching(/^detector\.mjs changed: [^]*half an edit/) as string },
      });
      expect(await look('b')).toMatchObject({ ...seen('b'), identity: before.identity });
      await writeFile(join(folder, 'detector.mjs'), `${code}\n// mended\n`);
      await context.expect.poll(() => lane.status().successor, SOON).toBeNull();
      await context.expect.poll(async () => (await look('c')).identity.code, SOON).not.toBe(before.identity.code);
      await context.expect.poll(async () => (await pids()).map(alive), SOON).toEqual([false, true]);
    }, 20_000);

    it('not with an edit that is taken back', async (context) => {
      const { lane, look, folder, pids } = await planned(context, {});
      await look('a');
      await writeFile(join(folder, 'model.yaml.new'), '');
      const manifest = await readFile(join(folder, 'model.yaml'), 'utf8');
      await writeFile(join(folder, 'model.yaml'), 'runtime: [half');
      await context.expect.poll(() => lane.status().successor, SOON).toMatchObject({ state: 'failed', reason: expect.stringContaining('its manifest is wrong') as string });
      expect(await look('b')).toMatchObject(seen('b'));
      await rm(join(folder, 'model.yaml.new'));
      await writeFile(join(folder, 'model.yaml'), manifest);
      await context.expect.poll(() => lane.status().successor, SOON).toBeNull();
      expect(await look('c')).toMatchObject(seen('c'));
      expect(await pids()).toHaveLength(1);
    });

    it('with the newest, where it is edited while its successor is being set up', async (context) => {
      const prepared: (number | null)[] = [];
      let given_up = 0;
      const { lane, look, writeManifest } = await planned(context, {}, {}, (parts) => ({
        prepare: async (model, progress, signal) => {
          prepared.push(model.confidence);
          if (model.confidence === 0.1) {
            progress('Downloading wheels');
            await new Promise<void>((resolve) => { signal.addEventListener('abort', () => { resolve(); }); });
            given_up += 1;
          }
          return parts.prepare(model, progress, signal);
        },
      }));
      await look('a');
      await writeManifest('confidence: 0.1\n');
      await context.expect.poll(() => lane.status().successor, SOON).toMatchObject({ state: 'provisioning', progress: 'Downloading wheels' });
      await writeManifest('confidence: 0.2\n');
      await context.expect.poll(() => lane.status().successor, SOON).toBeNull();
      expect([prepared, given_up, lane.model?.confidence]).toEqual([[null, 0.1, 0.2], 1, 0.2]);
      expect(await look('b')).toMatchObject(seen('b'));
    }, 20_000);

    it('once its successor is there, where what works ends meanwhile', async (context) => {
      const { lane, look, folder, pids } = await planned(context, { starts: ['well', 'dawdle'] });
      const before = await look('a');
      await appendFile(join(folder, 'detector.mjs'), '\n// changed\n');
      await context.expect.poll(pids, SOON).toHaveLength(2);
      process.kill((await pids())[0] ?? 0, 'SIGKILL');
      await context.expect.poll(() => lane.readiness, SOON).toBe('not_ready');
      const after = await look('b');
      expect(after.identity.code).not.toBe(before.identity.code);
      expect(await pids()).toHaveLength(2);
    });

    it('not while a file is still being copied into its folder, but then', async (context) => {
      const { lane, look, folder, pids, writeManifest } = await planned(context, {}, { model_retries: 0 });
      await writeManifest('weights: [{ file: "*.onnx", required: false }]\n');
      const before = await look('a');
      const copying = setInterval(() => void appendFile(join(folder, 'weights.onnx'), 'more'), 100);
      await context.expect.poll(() => lane.status().successor, SOON).toMatchObject({ state: 'provisioning', reason: 'weights.onnx appeared, and may not be all yet' });
      await systemClock.sleep(2000, never);
      expect(await look('b')).toMatchObject({ ...seen('b'), identity: before.identity });
      expect(await pids()).toHaveLength(1);
      clearInterval(copying);
      await context.expect.poll(async () => (await look('c')).identity.code, SOON).not.toBe(before.identity.code);
      await context.expect.poll(async () => (await pids()).map(alive), SOON).toEqual([false, true]);
    }, 20_000);

    it('not for what the model writes into its own folder while it is set up and asked', async (context) => {
      const lines: string[] = [];
      const { lane, look, folder, pids } = await planned(context, {}, {}, () => ({ log: logInto(lines) }));
      await appendFile(join(folder, 'detector.mjs'), `
        const write = (name) => appendFileSync(new URL(name, import.meta.url), String(Math.random()));
        write('downloaded.bin');
        setInterval(() => { write('state.sqlite'); write('debug-' + Date.now() + '.jpg'); }, 50);
      `);
      const before = await look('a');
      const asking = setInterval(() => void look('b'), 300);
      await systemClock.sleep(5500, never);
      clearInterval(asking);
      expect(await pids()).toHaveLength(1);
      expect((await look('c')).identity).toEqual(before.identity);
      expect(lane.status()).toMatchObject({ state: 'ready', successor: null });
      expect(lines.filter((line) => line.includes('writes into its own folder'))).toHaveLength(1);
    }, 20_000);

    it('not for the weights that its set-up fetches, which its identity covers', async (context) => {
      const { look, pids } = await planned(context, {}, {}, (parts) => ({
        prepare: async (model, progress, signal) => {
          await writeFile(join(model.folder, 'weights.onnx'), 'fetched');
          return parts.prepare(model, progress, signal);
        },
      }));
      const before = await look('a');
      await systemClock.sleep(UNTIL_IT_LOOKS_MS, never);
      const after = await look('b');
      expect(after.identity).toEqual(before.identity);
      expect(await pids()).toHaveLength(1);
    });

    it('when a model that cannot be set up changes, and not before', async (context) => {
      let prepared = 0;
      const bench = await planned(context, {}, {}, (parts) => ({
        prepare: async (model, progress, signal) => {
          prepared += 1;
          if (prepared === 1) throw new LookoutError('model_unavailable', 'no compiler');
          return parts.prepare(model, progress, signal);
        },
      }));
      const { lane, look, writeManifest } = bench;
      const unable = { error: { code: 'model_unavailable', message: 'no compiler' } };
      expect(await look('a')).toMatchObject(unable);
      expect(lane.status()).toMatchObject({ state: 'failed', reason: 'no compiler' });
      expect(lane.readiness).toBe('unable');
      await systemClock.sleep(UNTIL_IT_LOOKS_MS, never);
      expect(await look('b')).toMatchObject(unable);
      expect(prepared).toBe(1);
      await writeManifest('confidence: 0.1\n');
      await systemClock.sleep(UNTIL_IT_LOOKS_MS, never);
      expect(await look('c')).toMatchObject(seen('c'));
    });

    it('goes on while its folder is gone, and rests when nothing is to be looked at', async (context) => {
      const { lane, look, folder, pids } = await planned(context, {}, { runner_idle_seconds: 2.5 });
      await look('a', { interval_seconds: 0.1 });
      await rm(folder, { recursive: true });
      await context.expect.poll(() => lane.status().successor, SOON).toMatchObject({ state: 'failed', reason: expect.stringContaining('there is no model') as string });
      expect(await look('b', { interval_seconds: 0.1 })).toMatchObject(seen('b'));
      expect(await pids()).toHaveLength(1);
      await context.expect.poll(() => lane.status(), SOON).toMatchObject({ state: 'idle' });
      await context.expect.poll(() => lane.status().successor, SOON).toBeNull();
    }, 20_000);

    it('when a model appears that was not there', async (context) => {
      const { lane, look, folder, writeManifest } = await planned(context, {});
      await rm(join(folder, 'model.yaml'));
      expect(await look('a')).toMatchObject({ error: { code: 'model_unavailable' } });
      expect(lane.status().state).toBe('failed');
      await writeManifest();
      expect(await look('b')).toMatchObject(seen('b'));
    });
  });

  it('shows what its set-up is doing', async (context) => {
    let finish: () => void = () => undefined;
    const { lane, look } = await planned(context, {}, {}, (parts) => ({
      prepare: async (model, progress, signal) => {
        progress('Downloading wheels');
        await new Promise<void>((resolve) => { finish = resolve; });
        return parts.prepare(model, progress, signal);
      },
    }));
    lane.warm();
    await expect.poll(() => lane.status(), SOON).toMatchObject({ state: 'provisioning', progress: 'Downloading wheels' });
    expect([lane.readiness, lane.skipReason]).toEqual(['not_ready', 'not_ready']);
    finish();
    expect(await look('a')).toMatchObject(seen('a'));
    expect(lane.status().progress).toBeNull();
  });

  describe('whose asker gives up', () => {
    it('lets go of a frame that waits for its start, at once', async (context) => {
      const { look, events } = await planned(context, { starts: ['dawdle'] });
      expect(await msUntilGivenUp((signal) => look('a', {}, signal))).toBeLessThan(1000);
      expect(await look('b')).toMatchObject(seen('b'));
      expect(await events()).toEqual(['starts', 'calls']);
    });

    it('still answers for a frame that is in a call', async (context) => {
      const { lane, look, events } = await planned(context, { calls: ['dawdle'] });
      lane.warm();
      await expect.poll(() => lane.readiness, SOON).toBe('ready');
      const stop = new AbortController();
      const answer = look('a', {}, stop.signal);
      await expect.poll(events, SOON).toContain('calls');
      stop.abort();
      expect(await answer).toMatchObject(seen('a'));
    });
  });

  describe('closes', () => {
    it('with its runner and the call under way', async (context) => {
      const { lane, look, events, pids } = await planned(context, { calls: ['hang'] });
      const answer = look('a').catch((error: unknown) => error);
      await expect.poll(events, SOON).toContain('calls');
      const began = Date.now();
      await lane.close();
      expect(await answer).toMatchObject({ code: 'shutting_down' });
      expect(Date.now() - began).toBeLessThan(3000);
      expect((await pids()).map(alive)).toEqual([false]);
    });

    it('while its runner starts', async (context) => {
      const { lane, events, pids } = await planned(context, { starts: ['hang'] });
      lane.warm();
      await expect.poll(events, SOON).toContain('starts');
      await lane.close();
      expect((await pids()).map(alive)).toEqual([false]);
    });

    it('while its environment is prepared', async (context) => {
      let aborted = false;
      const { lane } = await planned(context, {}, {}, () => ({
        prepare: (_model, _progress, signal) => new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            aborted = true;
            reject(signal.reason as Error);
          });
        }),
      }));
      lane.warm();
      await expect.poll(() => lane.status().state, SOON).toBe('provisioning');
      await lane.close();
      expect(aborted).toBe(true);
    });

    it('and leaves no timer behind', async (context) => {
      const armed = new Set<object>();
      const clock: Clock = { ...systemClock, after: (ms, task) => {
        const one = {};
        armed.add(one);
        const cancel = systemClock.after(ms, task);
        return () => {
          armed.delete(one);
          cancel();
        };
      } };
      const { lane, look, events } = await planned(context, { calls: ['hang'] }, {}, () => ({ clock }));
      const looking = look('a');
      await expect.poll(events, SOON).toContain('calls');
      await Promise.allSettled([lane.close(), looking]);
      expect(armed.size).toBe(0);
    });

    it('for good', async (context) => {
      const { lane, look, folder } = await planned(context, {});
      await lane.close();
      await writeFile(join(folder, 'detector.mjs'), 'export const predict = () => [];');
      lane.warm();
      await expect(look('a')).rejects.toMatchObject({ code: 'shutting_down' });
      expect(lane.readiness).not.toBe('ready');
    });
  });
});

/** How long it takes until a call is given up whose signal aborts after 200 ms. */
async function msUntilGivenUp(call: (signal: AbortSignal) => Promise<unknown>): Promise<number> {
  const stop = new AbortController();
  const outcome = call(stop.signal).then(() => 'answered', () => 'given up');
  await systemClock.sleep(200, never);
  const began = Date.now();
  stop.abort();
  expect(await outcome).toBe('given up');
  return Date.now() - began;
}
