/** A model that finds nothing and needs `options.ms` milliseconds for each frame, but no processor. */
import { setTimeout as sleep } from 'node:timers/promises';

export async function predict(frames, { ms }) {
  await sleep(ms * frames.length);
  return frames.map(() => []);
}
