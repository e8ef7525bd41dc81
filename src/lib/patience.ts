/** Says what is being done when it takes more than a moment, and that it still is. */

const SAID_EVERY_MS = 5000;

export async function saying<Result>(say: () => void, work: () => Promise<Result>): Promise<Result> {
  const interval = setInterval(say, SAID_EVERY_MS);
  try {
    return await work();
  } finally {
    clearInterval(interval);
  }
}
