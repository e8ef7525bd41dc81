/** What went wrong with a model lately, and so how long nothing is tried. Passive: it never waits. */
import { errorInfo, LookoutError } from '../errors.ts';
import { backoffMs, type Clock } from '../lib/clock.ts';
import { isTransient } from '../lib/transient.ts';
import type { Config } from '../types.ts';

export interface Setbacks {
  /**
   * `unable`: it cannot be set up, or its runner does not come up: nobody could look at anything, and what asks is told
   * so. `resting`: its runner came up and ended too often, or the machine lacks something: what asks waits. null: neither.
   */
  readonly state: 'unable' | 'resting' | null;
  /** Throws why nothing is tried now. */
  check(): void;
  /** Before the next start of a runner: jittered, longer after each end. */
  readonly pauseMs: number;
  setupFailed(error: unknown): LookoutError;
  /** A runner ended, `at` its start or later. Returns why nothing is tried for a while, once that was too often. */
  ended(at: 'start' | 'work', error: unknown): LookoutError | null;
  /** A runner is up. */
  over(): void;
  /** All is new: the model's folder has changed. */
  forget(): void;
}

/**
 * A model that could not be set up is tried again after this even if its folder stays the same: networks come back. Each
 * time after twice as long, because every try may download gigabytes.
 */
const SETUP_AGAIN_MS = 300_000;
const SETUP_AGAIN_AT_MOST_MS = 4 * 3_600_000;
/** What passes by itself may be over by then. */
const TRANSIENT_MS = 30_000;

export function createSetbacks(
  settings: Pick<Config, 'runner_restarts' | 'runner_restart_window_seconds'>, clock: Pick<Clock, 'monotonic'>,
): Setbacks {
  const windowSeconds = settings.runner_restart_window_seconds;
  let failure: { readonly error: LookoutError; readonly state: 'unable' | 'resting'; readonly until: number } | null = null;
  let setupsFailed = 0;
  let ends: readonly number[] = [];

  function fail(error: LookoutError, state: 'unable' | 'resting', pauseMs: number): LookoutError {
    failure = { error, state, until: clock.monotonic() + pauseMs };
    return error;
  }

  function over(): void {
    failure = null;
    setupsFailed = 0;
  }

  return {
    get state() {
      return failure?.state ?? null;
    },
    check() {
      if (failure && clock.monotonic() < failure.until) throw failure.error;
    },
    get pauseMs() {
      return ends.length === 0 ? 0 : backoffMs(ends.length - 1, 500, 10_000);
    },
    setupFailed(error) {
      if (isTransient(error)) return fail(new LookoutError('not_ready', `it is set up again in a moment: ${errorInfo(error).message}`, { cause: error }), 'resting', TRANSIENT_MS);
      setupsFailed += 1;
      const pauseMs = Math.min(SETUP_AGAIN_MS * 2 ** (setupsFailed - 1), SETUP_AGAIN_AT_MOST_MS);
      return fail(new LookoutError('model_unavailable', errorInfo(error).message, { cause: error }), 'unable', pauseMs);
    },
    ended(at, error) {
      const now = clock.monotonic();
      ends = [...ends, now].filter((time) => time > now - windowSeconds * 1000);
      if (ends.length < settings.runner_restarts) return null;
      const why = `its runner ended ${ends.length} times in ${windowSeconds} s, so nothing is tried for as long: ${errorInfo(error).message}`;
      ends = [];
      return fail(new LookoutError('runner_died', why, { cause: error }), at === 'start' && !isTransient(error) ? 'unable' : 'resting', windowSeconds * 1000);
    },
    over,
    forget() {
      over();
      ends = [];
    },
  };
}
