/** A source whose pictures come, and whose connections break, when the test says so. */
import { createLatest, type Latest } from '../../src/lib/latest.ts';
import type { CapturedFrame, Source, StreamSpec } from '../../src/types.ts';

export interface FakeSource extends Source {
  /** What was asked for, one entry for each connection. */
  readonly opened: readonly StreamSpec[];
  /** Cameras that are connected now. */
  readonly connected: () => readonly string[];
  /** The camera sends a picture, which is in the spool when this resolves. */
  emit(camera: string, facts?: Partial<CapturedFrame>): Promise<void>;
  /** The camera's connection ends, with this error or just so. */
  end(camera: string, error?: Error): void;
}

/** The smallest picture that ends like a JPEG. */
export const JPEG = Buffer.from([0xff, 0xd8, 0xff, 0xd9]);

interface Connection {
  readonly box: Latest<CapturedFrame>;
  /** Called when the consumer asks for the next picture: it is done with the last one. */
  asked: () => void;
}

export function createFakeSource(): FakeSource {
  const opened: StreamSpec[] = [];
  const connections = new Map<string, Connection>();

  async function* frames(spec: StreamSpec, _folder: string, signal: AbortSignal): AsyncGenerator<CapturedFrame, void, void> {
    const own: Connection = { box: createLatest(), asked: () => undefined };
    const close = (): void => { own.box.close(); };
    if (signal.aborted) close();
    signal.addEventListener('abort', close, { once: true });
    opened.push(spec);
    connections.set(spec.camera_id, own);
    try {
      for (let taken = await own.box.take(); taken && !signal.aborted; taken = await own.box.take()) {
        yield taken.value;
        own.asked();
      }
    } finally {
      signal.removeEventListener('abort', close);
      connections.delete(spec.camera_id);
    }
  }

  const connection = (camera: string): Connection => {
    const own = connections.get(camera);
    if (!own) throw new Error(`${camera} is not connected`);
    return own;
  };

  return {
    opened, frames,
    connected: () => [...connections.keys()],
    emit: (camera, facts = {}) => new Promise((done) => {
      const own = connection(camera);
      own.asked = done;
      own.box.put({ captured_at: new Date().toISOString(), width: 640, height: 360, picture: { jpeg: JPEG }, missed: 0, mode: 'keyframes', ...facts });
    }),
    end(camera, error) {
      const { box } = connection(camera);
      if (error) box.fail(error);
      else box.close();
    },
    close: () => Promise.resolve(),
  };
}
