/** A mailbox with one place: a slow reader gets the newest value and is told how many it missed. */

export interface Latest<T> {
  /** Answers the value that nobody will get now, if there was one. */
  put(value: T): T | null;
  /** The next value; null once closed and empty. Throws what `fail` was given. */
  take(): Promise<{ readonly value: T; readonly missed: number } | null>;
  fail(error: unknown): void;
  close(): void;
}

export function createLatest<T>(): Latest<T> {
  let held: { value: T } | null = null;
  let missed = 0;
  let end: { error: unknown } | 'closed' | null = null;
  let wake: (() => void) | null = null;

  const changed = (): void => {
    wake?.();
    wake = null;
  };
  return {
    put(value) {
      const replaced = held;
      if (replaced) missed += 1;
      held = { value };
      changed();
      return replaced?.value ?? null;
    },
    async take() {
      while (!held && !end) await new Promise<void>((resolve) => { wake = resolve; });
      if (held) {
        const taken = { value: held.value, missed };
        held = null;
        missed = 0;
        return taken;
      }
      if (end && end !== 'closed') throw end.error;
      return null;
    },
    fail(error) {
      end ??= { error };
      changed();
    },
    close() {
      end ??= 'closed';
      changed();
    },
  };
}
