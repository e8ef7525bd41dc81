import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LookoutError } from '../../src/errors.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createSetbacks, type Setbacks } from '../../src/inference/setbacks.ts';

const MINUTE = 60_000;
const DOWN = new LookoutError('internal', 'the network is down');
let setbacks: Setbacks;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'], now: 0 });
  setbacks = createSetbacks({ runner_restarts: 3, runner_restart_window_seconds: 60 }, systemClock);
});
afterEach(() => { vi.useRealTimers(); });

/** Minutes until something is tried again. */
function minutesOfRest(): number {
  for (let minutes = 0; ; minutes += 1) {
    try {
      setbacks.check();
      return minutes;
    } catch {
      vi.advanceTimersByTime(MINUTE);
    }
  }
}

describe('a set-up that fails', () => {
  it('is tried again after twice as long each time, but some day', () => {
    const rests = Array.from({ length: 8 }, () => {
      setbacks.setupFailed(DOWN);
      return minutesOfRest();
    });
    expect(rests).toEqual([5, 10, 20, 40, 80, 160, 240, 240]);
    setbacks.over();
    setbacks.setupFailed(DOWN);
    expect(minutesOfRest()).toBe(5);
  });

  it('keeps the model from running until it changes, and says why', () => {
    expect(setbacks.setupFailed(DOWN)).toMatchObject({ code: 'model_unavailable', message: 'the network is down' });
    expect(setbacks.state).toBe('unable');
    expect(() => { setbacks.check(); }).toThrow('the network is down');
    setbacks.forget();
    expect(setbacks.state).toBeNull();
    setbacks.check();
  });
});

describe('what the machine lacks for a moment', () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, mkdir'), { code: 'ENOSPC' });

  it('keeps a model from being set up no longer than that, and nobody is told that it is unable', () => {
    for (let times = 0; times < 3; times += 1) {
      expect(setbacks.setupFailed(new LookoutError('internal', 'its environment could not be built', { cause: full }))).toMatchObject({ code: 'not_ready' });
      expect(setbacks.state).toBe('resting');
      expect(minutesOfRest()).toBe(1);
    }
    setbacks.setupFailed(DOWN);
    expect(minutesOfRest()).toBe(5);
  });

  it('keeps its runner from starting, and what asks waits', () => {
    for (let times = 0; times < 3; times += 1) setbacks.ended('start', new LookoutError('runner_died', 'it could not be started', { cause: full }));
    expect(setbacks.state).toBe('resting');
  });
});

describe('a runner that ends', () => {
  it('may do so a few times within the window, with longer pauses', () => {
    expect(setbacks.pauseMs).toBe(0);
    for (const longest of [500, 1000]) {
      expect(setbacks.ended('work', DOWN)).toBeNull();
      expect(setbacks.pauseMs).toBeGreaterThanOrEqual(longest / 2);
      expect(setbacks.pauseMs).toBeLessThanOrEqual(longest);
    }
    setbacks.over();
    vi.advanceTimersByTime(2 * MINUTE);
    expect(setbacks.ended('work', DOWN)).toBeNull();
  });

  it('is left alone for the length of the window after that', () => {
    setbacks.ended('work', DOWN);
    setbacks.ended('work', DOWN);
    expect(setbacks.ended('work', DOWN)).toMatchObject({ code: 'runner_died', message: expect.stringContaining('3 times in 60 s') as string });
    expect(minutesOfRest()).toBe(1);
    expect(setbacks.pauseMs).toBe(0);
  });
});
