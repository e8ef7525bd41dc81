import { appendFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LookoutError } from '../../src/errors.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { never } from '../models/fixtures.ts';
import { alive } from '../runner/fixtures.ts';
import { planned, type Bench } from './lane-fixtures.ts';

const seen = (name: string): object => ({ predictions: [{ index: 0, detections: [{ class: name, confidence: 0.5, box: [0, 0, 1, 1] }] }] });
const SOON = { timeout: 10_000 };
/** Longer than a lane trusts its last look at the folder. */
const UNTIL_IT_LOOKS_MS = 2100;

describe.concurrent('a lane', () => {
  it('shares one warm runner between streams, one call at a time', async (context) => {
    const { lane, predict, log } = await planned(context, { calls: ['dawdle'] });
    lane.warm();
    lane.warm();
    expect(await Promise.all([predict('a'), predict('b')])).toMatchObject([seen('a'), seen('b')]);
    const lines = await log();
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['starts', 'counted', 'calls', 'counted', 'calls']);
    expect(new Set(lines.filter((line) => line !== 'counted').map((line) => line.split(' ')[1])).size).toBe(1);
    expect(lane.status()).toMatchObject({ state: 'ready', reason: 'planned', detector: 'planned', restarts: 0, batches: 2 });
  });

  it('says which model answered, and how long it took', async (context) => {
    const { lane, predict } = await planned(context, {});
    expect(lane.identity).toEqual({ version: 'unknown', runtime: 'unknown', detector: null, fingerprint: null, code: null });
    const answer = await predict('a');
    expect(answer.identity).toEqual({ version: '1', runtime: 'node', detector: 'planned', fingerprint: null, code: expect.stringMatching(/^[0-9a-f]{16}$/) as string });
    expect(answer).toMatchObject({ inference_ms: expect.any(Number) as number });
  });

  it('keeps of the findings what the manifest wants', async (context) => {
    const { predict, writeManifest } = await planned(context, {});
    await writeManifest('classes: [dog]\n');
    expect(await predict('cat')).toMatchObject({ predictions: [{ index: 0, detections: [] }] });
  });

  describe('tries again', () => {
    it('with another process after one that gives no answer in time', async (context) => {
      const { lane, predict, events, pids } = await planned(context, { calls: ['hang'] }, { model_deadline_seconds: 0.5 });
      expect(await predict('a')).toMatchObject(seen('a'));
      expect(await events()).toEqual(['starts', 'counted', 'calls', 'starts', 'counted', 'calls']);
      expect((await pids()).map(alive)).toEqual([false, true]);
      expect(lane.status().restarts).toBe(1);
    });

    it('only once the process is gone that would not go', async (context) => {
      const { predict, events } = await planned(context, { calls: ['hang stubbornly'] }, { model_deadline_seconds: 0.5, model_retries: 1 });
      expect(await predict('a')).toMatchObject(seen('a'));
      expect(await events()).toEqual(['starts', 'counted', 'calls', 'starts', 'counted', 'calls']);
    });

    it('with the same process after a call that failed', async (context) => {
      const { lane, predict, events, pids } = await planned(context, { calls: ['raise'] });
      expect(await predict('a')).toMatchObject(seen('a'));
      expect(await events()).toEqual(['starts', 'counted', 'calls', 'counted', 'calls']);
      expect(await pids()).toHaveLength(1);
      expect(lane.status().restarts).toBe(0);
    });

    it('as often as the setting says, then tells the last error with the last words', async (context) => {
      const { predict, events } = await planned(context, { calls: ['die', 'die', 'die'] });
      expect(await predict('a')).toMatchObject({ error: { code: 'runner_died', message: expect.stringMatching(/exited with code 7[^]*my last word/) as string } });
      expect((await events()).filter((event) => event === 'counted')).toHaveLength(3);
    });

    it('only as often as the tries before a crash left over', async (context) => {
      const { predict, events } = await planned(context, { calls: ['raise', 'raise'] });
      expect(await predict('a', 2)).toMatchObject({ error: { code: 'runner_failed', message: expect.stringContaining('cannot look') as string }, last_words: expect.stringContaining('cannot look') as string });
      expect(await predict('b', 3)).toMatchObject({ error: { code: 'runner_failed', message: expect.stringContaining('3 times before') as string } });
      expect(await events()).toEqual(['starts', 'counted', 'calls']);
    });

    it('not before the try is counted; where it cannot be, that is not the model\'s failure', async (context) => {
      const { lane, events } = await planned(context, {});
      const frames = [{ index: 0, stream: 'CAM-1_0a1b2c3d', sequence: 0, file: 'a', captured_at: '', width: 1, height: 1 }];
      await expect(lane.predict(frames, 2, () => Promise.reject(new Error('disk full')), never)).rejects.toThrow('disk full');
      expect(await events()).toEqual(['starts']);
    });
  });

  it('rests when its runner ended too often, answers with the last end meanwhile, and then goes on', async (context) => {
    const { lane, predict, events } = await planned(context, { starts: ['die', 'die'] }, { runner_restarts: 2, runner_restart_window_seconds: 5 });
    const resting = { error: { code: 'runner_died', message: expect.stringMatching(/^its runner ended 2 times in 5 s, so nothing is tried for as long: [^]*exited with code 7[^]*my last word/) as string } };
    expect(await predict('a')).toMatchObject(resting);
    expect(lane.status()).toMatchObject({ state: 'failed', restarts: 2 });
    expect(lane.room).toBe(true);
    expect(await predict('b')).toMatchObject(resting);
    expect(await events()).toEqual(['starts', 'starts']);
    await context.expect.poll(() => predict('c', 2), { timeout: 15_000, interval: 500 }).toMatchObject(seen('c'));
    expect(await events()).toEqual(['starts', 'starts', 'starts', 'counted', 'calls']);
  }, 20_000);

  it.for(['after its last call', 'when nobody calls'])('lets an idle runner go %s, and starts another when it is wanted', async (when, context) => {
    const { lane, predict, pids } = await planned(context, {}, { runner_idle_seconds: 0.5 });
    lane.warm();
    if (when === 'after its last call') await predict('a');
    await expect.poll(() => lane.ready, SOON).toBe(true);
    await expect.poll(() => lane.status(), SOON).toMatchObject({ state: 'idle', restarts: 0 });
    const [first = 0] = await pids();
    await expect.poll(() => alive(first), SOON).toBe(false);
    expect(lane.ready).toBe(false);
    expect(await predict('b')).toMatchObject(seen('b'));
    expect(await pids()).toHaveLength(2);
  });

  describe('starts anew', () => {
    it.for<[string, (bench: Bench) => Promise<void>]>([
      ['code', ({ folder }) => appendFile(join(folder, 'detector.mjs'), '\n// changed\n')],
      ['manifest', ({ writeManifest }) => writeManifest('confidence: 0.1\n')],
    ])('when the model\'s %s changes, and loses no try by that', async ([, edit], context) => {
      const bench = await planned(context, {}, { model_retries: 0 });
      const { lane, predict, pids } = bench;
      const before = await predict('a');
      await edit(bench);
      await systemClock.sleep(UNTIL_IT_LOOKS_MS, never);
      const after = await predict('b');
      expect(after).toMatchObject(seen('b'));
      expect(after.identity.code).not.toBe(before.identity.code);
      expect((await pids()).map(alive)).toEqual([false, true]);
      expect(lane.status()).toMatchObject({ state: 'ready', restarts: 0 });
    });

    it('not while a file is still being copied into its folder, but then', async (context) => {
      const { predict, folder, pids } = await planned(context, {}, { model_retries: 0 });
      const before = await predict('a');
      const copying = setInterval(() => void appendFile(join(folder, 'weights.onnx'), 'more'), 100);
      await systemClock.sleep(UNTIL_IT_LOOKS_MS, never);
      expect(await predict('b')).toMatchObject({ ...seen('b'), identity: before.identity });
      clearInterval(copying);
      await systemClock.sleep(UNTIL_IT_LOOKS_MS, never);
      const after = await predict('c');
      expect(after).toMatchObject(seen('c'));
      expect(after.identity.code).not.toBe(before.identity.code);
      expect((await pids()).map(alive)).toEqual([false, true]);
    }, 20_000);

    it('not for the weights that its set-up fetches, which its identity covers', async (context) => {
      const { predict, pids } = await planned(context, {}, {}, (parts) => ({
        prepare: async (model, progress, signal) => {
          await writeFile(join(model.folder, 'weights.onnx'), 'fetched');
          return parts.prepare(model, progress, signal);
        },
      }));
      const before = await predict('a');
      await systemClock.sleep(UNTIL_IT_LOOKS_MS, never);
      const after = await predict('b');
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
      const { lane, predict, writeManifest } = bench;
      const unable = { error: { code: 'model_unavailable', message: 'no compiler' } };
      expect(await predict('a')).toMatchObject(unable);
      expect(lane.status()).toMatchObject({ state: 'failed', reason: 'no compiler' });
      expect(lane.room).toBe(true);
      await systemClock.sleep(UNTIL_IT_LOOKS_MS, never);
      expect(await predict('b')).toMatchObject(unable);
      expect(prepared).toBe(1);
      await writeManifest('confidence: 0.1\n');
      await systemClock.sleep(UNTIL_IT_LOOKS_MS, never);
      expect(await predict('c')).toMatchObject(seen('c'));
    });

    it('not when its folder cannot be read for a while, but when what is read then has changed', async (context) => {
      const { lane, predict, folder, writeManifest, pids } = await planned(context, {}, { runner_idle_seconds: 1.5 });
      const before = await predict('a');
      await writeFile(join(folder, 'model.yaml'), 'runtime: [half');
      await systemClock.sleep(UNTIL_IT_LOOKS_MS - 1000, never);
      await predict('a');
      await systemClock.sleep(1000, never);
      expect(await predict('b')).toMatchObject({ ...seen('b'), identity: before.identity });
      expect(await pids()).toHaveLength(1);
      await appendFile(join(folder, 'detector.mjs'), '\n// changed\n');
      await writeManifest();
      await systemClock.sleep(1000, never);
      await predict('b');
      await systemClock.sleep(UNTIL_IT_LOOKS_MS - 1000, never);
      const after = await predict('c');
      expect(after.identity.code).not.toBe(before.identity.code);
      expect((await pids()).map(alive)).toEqual([false, true]);
      await context.expect.poll(() => lane.status().state, SOON).toBe('idle');
    }, 20_000);

    it('when a model appears that was not there', async (context) => {
      const { lane, predict, folder, writeManifest } = await planned(context, {});
      await rm(join(folder, 'model.yaml'));
      expect(await predict('a')).toMatchObject({ error: { code: 'model_unavailable' } });
      expect(lane.status().state).toBe('failed');
      await writeManifest();
      expect(await predict('b')).toMatchObject(seen('b'));
    });
  });

  it('shows what its set-up is doing', async (context) => {
    let finish: () => void = () => undefined;
    const { lane, predict } = await planned(context, {}, {}, (parts) => ({
      prepare: async (model, progress, signal) => {
        progress('Downloading wheels');
        await new Promise<void>((resolve) => { finish = resolve; });
        return parts.prepare(model, progress, signal);
      },
    }));
    lane.warm();
    await expect.poll(() => lane.status(), SOON).toMatchObject({ state: 'provisioning', progress: 'Downloading wheels' });
    expect([lane.ready, lane.room]).toEqual([false, false]);
    finish();
    expect(await predict('a')).toMatchObject(seen('a'));
    expect(lane.status().progress).toBeNull();
  });

  it('has room for one call under way and one at the door', async (context) => {
    const { lane, predict } = await planned(context, { calls: ['dawdle', 'dawdle'] });
    expect(lane.room).toBe(false);
    lane.warm();
    await expect.poll(() => lane.ready, SOON).toBe(true);
    const first = predict('a');
    expect(lane.room).toBe(true);
    const second = predict('b');
    expect(lane.room).toBe(false);
    await expect.poll(() => lane.status().state, SOON).toBe('busy');
    await Promise.all([first, second]);
    expect(lane.room).toBe(true);
  });

  describe('is left alone', () => {
    it('within a second by one who waits for its start, without a try counted', async (context) => {
      const { predict, events } = await planned(context, { starts: ['dawdle'] });
      expect(await msUntilGivenUp((signal) => predict('a', 0, signal))).toBeLessThan(1000);
      expect(await predict('b')).toMatchObject(seen('b'));
      expect(await events()).toEqual(['starts', 'counted', 'calls']);
    });

    it('within a second by one whose call is under way, which goes on', async (context) => {
      const { lane, predict, events, pids } = await planned(context, { calls: ['dawdle'] });
      lane.warm();
      await expect.poll(() => lane.ready, SOON).toBe(true);
      expect(await msUntilGivenUp((signal) => predict('a', 0, signal))).toBeLessThan(1000);
      expect(await predict('b')).toMatchObject(seen('b'));
      expect(await events()).toEqual(['starts', 'counted', 'calls', 'counted', 'calls']);
      expect(await pids()).toHaveLength(1);
    });
  });

  describe('closes', () => {
    it('with its runner and the call under way', async (context) => {
      const { lane, predict, events, pids } = await planned(context, { calls: ['hang'] });
      const answer = predict('a').catch((error: unknown) => error);
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

    it('for good', async (context) => {
      const { lane, predict, folder } = await planned(context, {});
      await lane.close();
      await writeFile(join(folder, 'detector.mjs'), 'export const predict = () => [];');
      lane.warm();
      await expect(predict('a')).rejects.toMatchObject({ code: 'shutting_down' });
      expect(lane.ready).toBe(false);
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
