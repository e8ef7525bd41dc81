/** Native calls and writes cannot be broken off: where one hangs, this process ends, and its marks say for whom it was. */
import { HUNG_MS } from '../messages.ts';

export interface HangWatch {
  /** Something was done meanwhile. */
  readonly goesOn: () => void;
  readonly over: () => void;
}

/** In rounds: after a machine that stood still there is time for what has ended to be heard of. */
const ROUNDS = 3;

/** From now on. */
export function watchForHang(): HangWatch {
  let rounds = 0;
  const timer = setInterval(() => {
    rounds += 1;
    if (rounds === ROUNDS) process.kill(process.pid, 'SIGKILL');
  }, HUNG_MS / ROUNDS);
  return {
    goesOn() { rounds = 0; },
    over() { clearInterval(timer); },
  };
}
