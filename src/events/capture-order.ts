/**
 * After a crash a camera's looks are told in the order of capture: what an earlier run left is looked at beside what is captured
 * now, and whoever went away meanwhile would seem to have stayed. Looks wait for those of earlier batches, but not for long: an
 * alert is worth more than the order of what was before it. What goes on is to end only once they are there, or have not come
 * for minutes: who is seen in them would else be taken for one who had gone.
 */
import type { Clock } from '../lib/clock.ts';
import type { Batch, Frame } from '../types.ts';

export interface CaptureOrder {
  /** A batch of an earlier run is to be looked at. */
  left(batch: Batch): void;
  /** There is such a batch of the camera, of which looks may still come. */
  readonly isLeft: (cameraId: string) => boolean;
  /** Calls it now, or once all looks at what was captured earlier were told. */
  tell(cameraId: string, frame: Frame, call: () => void): void;
  /** Resolves when all looks at the batch were told, of which none is to come. */
  told(batch: NamedBatch): Promise<void>;
  /** No further look at it comes. */
  over(batch: NamedBatch): void;
  /** Tells what waits. */
  close(): void;
}

export type NamedBatch = Pick<Batch, 'id' | 'camera_id'>;

interface Left {
  readonly id: string;
  readonly keys: ReadonlySet<string>;
  readonly since: string;
  isOver: boolean;
  readonly waiting: (() => void)[];
}

interface Camera {
  /** By the time of capture. */
  readonly left: Left[];
  /** Told when none of those is left. */
  readonly waiting: (() => void)[];
  cancel: (() => void) | null;
}

const PATIENCE_MS = 10_000;
/** A model that is built anew may take so long. */
const LEFT_MS = 300_000;

export function createCaptureOrder(clock: Clock): CaptureOrder {
  const cameras = new Map<string, Camera>();
  /** By camera, the batches that were left, and when that was heard. */
  const lefts = new Map<string, Map<string, number>>();

  function isThrough({ id, camera_id }: NamedBatch): void {
    const own = lefts.get(camera_id);
    own?.delete(id);
    if (own?.size === 0) lefts.delete(camera_id);
  }

  function wait(cameraId: string, camera: Camera, queue: (() => void)[], call: () => void): void {
    queue.push(call);
    camera.cancel ??= clock.after(PATIENCE_MS, () => { tellAll(cameraId, camera); });
  }

  function tellAll(cameraId: string, { left, waiting, cancel }: Camera): void {
    cameras.delete(cameraId);
    cancel?.();
    for (const call of [...left.flatMap((one) => one.waiting), ...waiting]) call();
  }

  function advance(cameraId: string, camera: Camera): void {
    for (;;) {
      const [first] = camera.left;
      for (const call of first?.waiting.splice(0) ?? []) call();
      if (first && !first.isOver) return;
      camera.left.shift();
      if (camera.left.length > 0) continue;
      tellAll(cameraId, camera);
      return;
    }
  }

  return {
    left({ id, camera_id, frames }) {
      lefts.set(camera_id, (lefts.get(camera_id) ?? new Map<string, number>()).set(id, clock.monotonic()));
      const camera = cameras.get(camera_id) ?? { left: [], waiting: [], cancel: null };
      cameras.set(camera_id, camera);
      const since = frames[0]?.captured_at ?? '';
      const place = camera.left.findIndex((other) => other.since > since);
      camera.left.splice(place === -1 ? camera.left.length : place, 0, { id, keys: new Set(frames.map(({ key }) => key)), since, isOver: false, waiting: [] });
    },
    tell(cameraId, frame, call) {
      const camera = cameras.get(cameraId);
      const place = camera?.left.findIndex(({ keys }) => keys.has(frame.key)) ?? 0;
      if (!camera || place === 0) call();
      else wait(cameraId, camera, camera.left[place]?.waiting ?? camera.waiting, call);
    },
    isLeft: (cameraId) => [...(lefts.get(cameraId)?.values() ?? [])].some((at) => clock.monotonic() - at < LEFT_MS),
    async told({ id, camera_id }) {
      isThrough({ id, camera_id });
      const camera = cameras.get(camera_id);
      if (!camera) return;
      const own = camera.left.find((one) => one.id === id);
      if (own) own.isOver = true;
      const told = new Promise<void>((resolve) => { wait(camera_id, camera, own?.waiting ?? camera.waiting, resolve); });
      advance(camera_id, camera);
      await told;
    },
    over({ id, camera_id }) {
      isThrough({ id, camera_id });
      const camera = cameras.get(camera_id);
      const own = camera?.left.find((one) => one.id === id);
      if (!camera || !own) return;
      own.isOver = true;
      advance(camera_id, camera);
    },
    close() {
      for (const [id, camera] of cameras) tellAll(id, camera);
    },
  };
}
