/** The newest picture before those who watch: each gets it when it is new, and again so that nobody takes the stream for dead. */

export interface Show {
  /** null: nothing has been shown. */
  readonly latest: Uint8Array | null;
  /** Those who watch see it when they look again. */
  show(jpeg: Uint8Array): void;
  /** Those who watch look again. */
  changed(): void;
  /** Parts of an answer that never ends, while `isOn`. Who takes them slowly gets the newest. */
  parts(isOn: () => boolean, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

const HEAD = '--frame\r\nContent-Type: image/jpeg\r\n\r\n';
const AGAIN_MS = 1000;

export function createShow(): Show {
  let latest: { readonly jpeg: Uint8Array; part: Buffer | null } | null = null;
  const waiting = new Set<() => void>();

  const changed = (): void => { for (const wake of waiting) wake(); };

  function change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, AGAIN_MS);
      waiting.add(done);
      signal.addEventListener('abort', done);
    });
  }

  /** Made once for all. The head of the next part goes with it: browsers show a picture when they see what comes after it. */
  function partOf(one: NonNullable<typeof latest>): Buffer {
    one.part ??= Buffer.concat([one.jpeg, Buffer.from(`\r\n${HEAD}`)]);
    return one.part;
  }

  return {
    get latest() {
      return latest?.jpeg ?? null;
    },
    show(jpeg) {
      latest = { jpeg, part: null };
    },
    changed,
    async* parts(isOn, signal) {
      yield Buffer.from(HEAD);
      let shown: typeof latest = null;
      let shownMs = -Infinity;
      while (isOn() && !signal.aborted) {
        // A timer may be a moment early.
        if (latest && (latest !== shown || performance.now() - shownMs >= AGAIN_MS - 5)) {
          [shown, shownMs] = [latest, performance.now()];
          yield partOf(latest);
        } else {
          await change(signal);
        }
      }
    },
  };
}
