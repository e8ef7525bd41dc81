/** The spool without a disk, for loads of hours and hundreds of streams. */
import { batchOf, type Session, type Spool } from '../../src/store/spool.ts';
import type { Batch, BatchRecord } from '../../src/types.ts';

export interface MemorySpool extends Spool {
  readonly frames: ReadonlySet<string>;
  /** By batch id, as last written. */
  readonly manifests: ReadonlyMap<string, Batch>;
  /** While set, nothing can be written. */
  full: boolean;
}

export { batchOf };

export function createMemorySpool(): MemorySpool {
  const frames = new Set<string>();
  const manifests = new Map<string, Batch>();
  const records = new Map<string, BatchRecord>();
  const open = new Set<string>();
  let opened = 0;
  let captured = 0;
  const nothing = (): Promise<void> => Promise.resolve();
  const write = async (work: () => void): Promise<void> => {
    await nothing();
    if (spool.full) throw new Error('ENOSPC: no space left on device');
    work();
  };

  const spool: MemorySpool = {
    folder: '/frames', frames, manifests, full: false,
    path: (key) => `/frames/${key}`,
    get sessions() {
      return open.size;
    },
    open: (spec) => {
      opened += 1;
      const name = `${spec.camera_id}_${opened.toString(16).padStart(8, '0')}`;
      open.add(name);
      return Promise.resolve({ ...spec, name });
    },
    putBack: nothing,
    folderOf: (session: Session) => Promise.resolve(`/frames/${session.name}`),
    async put({ name }, { captured_at, width, height }) {
      captured += 1;
      const frame = { key: `${name}/${captured}.jpg`, captured_at, width, height, sequence: captured };
      await write(() => { frames.add(frame.key); });
      return frame;
    },
    showLatest: (_session, { key }) => Promise.resolve(key),
    writeManifest: (batch) => write(() => { manifests.set(batch.id, batch); }),
    writeRecord: (batch, record) => write(() => { records.set(batch.id, record); }),
    readRecord: ({ id }) => Promise.resolve(records.get(id) ?? null),
    isTicked: () => Promise.resolve(false),
    async release({ id, frames: own }) {
      await nothing();
      for (const { key } of own) frames.delete(key);
      records.delete(id);
      manifests.delete(id);
    },
    remove: nothing,
    end(session) {
      open.delete(session);
      return nothing();
    },
  };
  return spool;
}
