/** Which runner of a model with a memory remembers each stream: a stream stays with the runner that saw it first. Passive. */

export interface Homes {
  /** undefined: none yet. */
  of(session: string): number | undefined;
  settle(session: string, runner: number): void;
}

/** More than any model can remember; the stream that was not seen for longest is forgotten first. */
const MOST = 10_000;

export function createHomes(): Homes {
  const homes = new Map<string, number>();
  return {
    of: (session) => homes.get(session),
    settle(session, runner) {
      homes.delete(session);
      homes.set(session, runner);
      const [oldest] = homes.keys();
      if (homes.size > MOST && oldest !== undefined) homes.delete(oldest);
    },
  };
}
