/** Those who watch cameras: each is given a head, then fragments from a key frame on. Who is slow skips ahead, and nobody waits for him. */
import { LookoutError } from '../../errors.ts';
import type { FeedVideo } from './host-process.ts';
import type { VideoPart } from './video-pipe.ts';

export interface Audiences {
  /**
   * Fragmented MP4, until the camera's pictures become other ones, it is lost, or the signal aborts. Resolves with the first of
   * it; throws `no_live_video`, `stream_ended`, `stream_stalled` where there is none. What it resolves with must be iterated.
   */
  join(camera: string, video: FeedVideo, signal: AbortSignal): Promise<AsyncIterable<Buffer>>;
}

/** What may wait for one viewer; and what is held of a camera for those who come between two key frames. */
const MOST_BYTES = 4 * 1024 * 1024;

/** For the first key frame: who waits holds a place. */
const LONGEST_WAIT_MS = 60_000;

interface Fragment {
  readonly bytes: Buffer;
  readonly key: boolean;
}

interface Viewer {
  readonly head: (bytes: Buffer) => void;
  readonly fragment: (fragment: Fragment) => void;
  readonly end: (why: LookoutError) => void;
}

interface Audience {
  readonly enter: (viewer: Viewer) => void;
  readonly leave: (viewer: Viewer) => void;
}

export function createAudiences(): Audiences {
  const audiences = new Map<string, Audience>();

  function begin(camera: string, video: FeedVideo): Audience {
    const viewers = new Set<Viewer>();
    let head: Buffer | null = null;
    let group: Fragment[] = [];
    let groupBytes = 0;
    let ended: LookoutError | null = null;

    function over(): void {
      if (audiences.get(camera) === own) audiences.delete(camera);
    }

    function hear(part: VideoPart): void {
      if (part.is === 'end') {
        ended = new LookoutError(part.why.code, part.why.message);
        over();
        for (const viewer of viewers) viewer.end(ended);
      } else if (part.is === 'head') {
        head = part.bytes;
        for (const viewer of viewers) viewer.head(part.bytes);
      } else {
        const fragment = { bytes: part.bytes, key: part.is === 'key' };
        keep(fragment);
        for (const viewer of viewers) viewer.fragment(fragment);
      }
    }

    function keep(fragment: Fragment): void {
      if (fragment.key) [group, groupBytes] = [[], 0];
      else if (group.length === 0) return;
      group.push(fragment);
      groupBytes += fragment.bytes.length;
      // Those who come wait for the next key frame.
      if (groupBytes > MOST_BYTES) [group, groupBytes] = [[], 0];
    }

    const own: Audience = {
      enter(viewer) {
        viewers.add(viewer);
        if (head) viewer.head(head);
        for (const fragment of group) viewer.fragment(fragment);
        if (ended) viewer.end(ended);
      },
      leave(viewer) {
        viewers.delete(viewer);
        if (viewers.size > 0) return;
        over();
        stop();
      },
    };
    audiences.set(camera, own);
    const stop = video.watch(hear);
    return own;
  }

  return {
    async join(camera, video, signal) {
      signal.throwIfAborted();
      const queue = createQueue();
      const audience = audiences.get(camera) ?? begin(camera, video);
      const leave = (): void => {
        signal.removeEventListener('abort', queue.abort);
        audience.leave(queue);
      };
      async function* from(first: Buffer): AsyncGenerator<Buffer, void, void> {
        try {
          for (let next: Buffer | LookoutError = first; Buffer.isBuffer(next) && !signal.aborted; next = await queue.next()) yield next;
        } finally {
          leave();
        }
      }
      audience.enter(queue);
      signal.addEventListener('abort', queue.abort);
      const patience = setTimeout(() => { queue.end(new LookoutError('stream_stalled', `no key frame came within ${LONGEST_WAIT_MS / 1000} s`)); }, LONGEST_WAIT_MS);
      const first = await queue.next();
      clearTimeout(patience);
      if (Buffer.isBuffer(first)) return from(first);
      leave();
      throw first;
    },
  };
}

interface Queue extends Viewer {
  /** Or why nothing more comes. */
  next(): Promise<Buffer | LookoutError>;
  readonly abort: () => void;
}

function createQueue(): Queue {
  let waiting: Fragment[] = [];
  let waitingBytes = 0;
  let head: Buffer | null = null;
  /** What comes before the next key frame is of no use to it. */
  let isBehind = true;
  let ended: LookoutError | null = null;
  let wake = (): void => undefined;

  function forget(): void {
    [waiting, waitingBytes] = [[], 0];
  }

  function take(): Buffer | null {
    if (head) {
      const first = head;
      head = null;
      return first;
    }
    const next = waiting.shift();
    waitingBytes -= next?.bytes.length ?? 0;
    return next?.bytes ?? null;
  }

  return {
    head(bytes) {
      head = bytes;
      wake();
    },
    fragment(fragment) {
      if (fragment.key) {
        // One that it has not come to yet is of the past.
        if (waiting.some(({ key }) => key)) forget();
        isBehind = false;
      } else if (waitingBytes + fragment.bytes.length > MOST_BYTES) {
        forget();
        isBehind = true;
      }
      if (isBehind) return;
      waiting.push(fragment);
      waitingBytes += fragment.bytes.length;
      wake();
    },
    end(why) {
      ended ??= why;
      wake();
    },
    abort() {
      forget();
      ended ??= new LookoutError('stream_ended', 'nobody watches any more');
      wake();
    },
    async next() {
      for (;;) {
        const next = take() ?? ended;
        if (next) return next;
        await new Promise<void>((resolve) => { wake = resolve; });
      }
    },
  };
}
