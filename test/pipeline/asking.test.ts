import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { createAsking, type Asking } from '../../src/pipeline/asking.ts';
import type { Batch, Look, StreamRef } from '../../src/types.ts';
import { answer, batchOf, dog, failure, identity, skipped } from '../record/parts.ts';
import { fakeLane, never, type FakeLane } from './road.ts';

const signal = new AbortController().signal;
const found = answer([dog], []);
const STREAM: StreamRef = { camera_id: 'CAM-1', session: 'CAM-1_0a1b2c3d', interval_seconds: 3, batch_size: 10, from: 'live' };
const soon = (looks: readonly Look[], ms: number) => (): Promise<readonly Look[]> => new Promise((resolve) => { setTimeout(() => { resolve(looks); }, ms); });

/** A batch of two frames whose models were asked about it, and what was told of every look. */
function asked(lanes: Readonly<Record<string, FakeLane>>): { readonly asking: Asking; readonly batch: Batch; readonly told: readonly string[] } {
  const told: string[] = [];
  const asking = createAsking({
    clock: systemClock,
    lane: (model) => {
      const lane = lanes[model];
      if (!lane) throw new Error(`no lane ${model}`);
      return lane;
    },
    looked: ({ from }, frame, model, look) => { told.push(`${from} ${model} ${frame.sequence} ${Object.keys(look)[0] ?? ''}`); },
  });
  const batch = batchOf(Object.keys(lanes));
  for (const frame of batch.frames) asking.ask(frame, batch.models, STREAM);
  asking.closed(batch);
  return { asking, batch, told };
}

describe('the answers of a batch\'s models', () => {
  it('are all there when all answer, and were told in order', async () => {
    const { asking, batch, told } = asked({ motion: fakeLane(() => found), animals: fakeLane(soon(failure('runner_failed'), 30)) });
    expect(await asking.answers(batch, 1000, signal)).toEqual({ motion: found, animals: failure('runner_failed') });
    expect(told).toEqual(['live motion 0 detections', 'live motion 1 detections', 'live animals 0 error', 'live animals 1 error']);
  });

  it('read late, or not ready, a while after the first one, and are told so', async () => {
    const { asking, batch, told } = asked({ motion: fakeLane(soon(found, 20)), slow: fakeLane(never), unready: fakeLane(never, { readiness: 'not_ready' }) });
    expect(await asking.answers(batch, 100, signal)).toEqual({ motion: found, slow: skipped('late', 'late'), unready: skipped('not_ready', 'not_ready') });
    expect(told).toContain('live slow 1 skipped');
  });

  it('keep what was looked at before the deadline', async () => {
    const lane = fakeLane(never);
    const { asking, batch } = asked({ motion: fakeLane(() => found), slow: { ...lane, look: (frame, stream, giveUp) => (
      frame.sequence === 0 ? Promise.resolve({ detections: [dog], inference_ms: 6, identity }) : lane.look(frame, stream, giveUp)) } });
    expect(await asking.answers(batch, 50, signal)).toMatchObject({ slow: [{ detections: [dog] }, { skipped: 'late' }] });
  });

  it('wait for a look that is in a call, whatever the deadline', async () => {
    const inCall: FakeLane = { ...fakeLane(never), look: () => new Promise((resolve) => { setTimeout(() => { resolve({ detections: [], inference_ms: 1, identity }); }, 300); }) };
    const { asking, batch } = asked({ motion: fakeLane(() => found), slow: inCall });
    expect(await asking.answers(batch, 20, signal)).toMatchObject({ slow: [{ detections: [] }, { detections: [] }] });
  });

  it('are waited for while none has come', async () => {
    const { asking, batch } = asked({ slow: fakeLane(soon(found, 300)) });
    expect(await asking.answers(batch, 50, signal)).toEqual({ slow: found });
  });

  it('are waited for however soon another model failed, and without end where there is no deadline', async () => {
    const first = asked({ broken: fakeLane(() => failure()), slow: fakeLane(soon(found, 300)) });
    expect(await first.asking.answers(first.batch, 50, signal)).toEqual({ broken: failure(), slow: found });
    const second = asked({ motion: fakeLane(() => found), slow: fakeLane(soon(found, 300)) });
    expect(await second.asking.answers(second.batch, null, signal)).toEqual({ motion: found, slow: found });
  });

  it('are waited for no more once the signal aborts', async () => {
    const stop = new AbortController();
    const { asking, batch } = asked({ motion: fakeLane(() => found), slow: fakeLane(never) });
    const joining = asking.answers(batch, 60_000, stop.signal);
    const began = Date.now();
    stop.abort(new Error('enough'));
    await expect(joining).rejects.toThrow('enough');
    expect(Date.now() - began).toBeLessThan(1000);
  });
});

describe('a batch that is taken back', () => {
  it('is asked about again, and told so, before what came later', async () => {
    const lane = fakeLane(() => found, { readiness: 'not_ready' });
    const { asking, batch, told } = asked({ animals: lane });
    asking.takeBack(batch);
    lane.readiness = 'ready';
    const later: Batch = { ...batch, id: 'later', frames: batch.frames.map((frame) => ({ ...frame, key: `${frame.key}.later`, sequence: frame.sequence + 2 })) };
    for (const frame of later.frames) asking.ask(frame, later.models, STREAM);
    asking.closed(later);
    expect(await asking.answers(later, null, signal)).toEqual({ animals: found });
    expect(told).toEqual([]);
    for (const frame of batch.frames) asking.ask(frame, batch.models, { ...STREAM, from: 'kept' });
    asking.closed(batch);
    await asking.answers(batch, null, signal);
    expect(told).toEqual(['kept animals 0', 'kept animals 1', 'live animals 2', 'live animals 3'].map((look) => `${look} detections`));
  });

  it('and let go is told as not looked at', () => {
    const { asking, batch, told } = asked({ animals: fakeLane(() => found, { readiness: 'not_ready' }) });
    asking.letGo(batch);
    expect(told).toEqual(['live animals 0 skipped', 'live animals 1 skipped']);
  });
});
