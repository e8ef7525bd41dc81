/**
 * The queue in memory. Batches wait on disk as manifests, so a crash loses none of them; this only keeps their order.
 *
 * Bounded: `queue_per_stream` batches of one camera and `queue_total` of all may wait; a push beyond lets go the oldest
 * batch of the fullest stream. Live batches go before recovered ones, which are bounded by the disk that holds them.
 */
import type { Batch, Config, Delivery, Queue } from '../types.ts';

interface Waiting {
  /** Counts the pushes: a batch that comes back takes its old place. */
  readonly order: number;
  readonly batch: Batch;
  readonly recovered: boolean;
  /** Not to be taken before; milliseconds of the monotonic clock. */
  readonly notBefore: number;
}

/** How soon a batch is looked at again that may not go, or is in a pause. */
const LOOK_MS = 200;

export function create({ config }: { readonly config: Pick<Config, 'queue_per_stream' | 'queue_total'> }): Queue {
  let waiting: Waiting[] = [];
  let pushes = 0;
  let closed = false;
  const sleepers = new Set<() => void>();

  function remove(one: Waiting): void {
    waiting = waiting.filter((other) => other !== one);
  }

  function changed(): void {
    for (const wake of [...sleepers]) wake();
  }

  /** The oldest live batch of the camera that has most of them waiting, when there are too many. */
  function surplus(): Waiting | null {
    const live = waiting.filter(({ recovered }) => !recovered);
    const perCamera = new Map<string, Waiting[]>();
    for (const one of live) perCamera.set(one.batch.camera_id, [...(perCamera.get(one.batch.camera_id) ?? []), one]);
    const fullest = [...perCamera.values()].reduce<Waiting[]>((most, own) => (own.length > most.length ? own : most), []);
    const tooMany = live.length > config.queue_total || fullest.length > config.queue_per_stream;
    return (tooMany ? fullest[0] : undefined) ?? null;
  }

  /** The first that is live, else the first that is recovered, of those that may go. */
  function next(mayGo: (batch: Batch) => boolean): Waiting | null {
    const now = performance.now();
    const find = (recovered: boolean): Waiting | undefined => waiting.find((one) => one.recovered === recovered && one.notBefore <= now && mayGo(one.batch));
    return find(false) ?? find(true) ?? null;
  }

  /** Until something is pushed, returned or done, and no longer than LOOK_MS while something waits. */
  function change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = waiting.length > 0 ? setTimeout(wake, LOOK_MS) : null;
      function wake(): void {
        if (timer) clearTimeout(timer);
        sleepers.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      }
      sleepers.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  function loan(taken: Waiting): Delivery {
    return {
      batch: taken.batch,
      done() {
        changed();
        return Promise.resolve();
      },
      retry(batch, afterMs) {
        const place = waiting.findIndex(({ order }) => order > taken.order);
        waiting.splice(place < 0 ? waiting.length : place, 0, { ...taken, batch, notBefore: performance.now() + afterMs });
        changed();
        return Promise.resolve();
      },
    };
  }

  return {
    push(batch, recovered = false) {
      pushes += 1;
      waiting.push({ order: pushes, batch, recovered, notBefore: 0 });
      const gone: Batch[] = [];
      for (let one = surplus(); one; one = surplus()) {
        remove(one);
        gone.push(one.batch);
      }
      changed();
      return Promise.resolve(gone);
    },
    async *take(mayGo, signal) {
      while (!signal.aborted && !closed) {
        const taken = next(mayGo);
        if (!taken) {
          await change(signal);
          continue;
        }
        remove(taken);
        yield loan(taken);
      }
    },
    depth: (camera_id) => waiting.filter(({ batch }) => camera_id === undefined || batch.camera_id === camera_id).length,
    close() {
      closed = true;
      changed();
      return Promise.resolve();
    },
  };
}
