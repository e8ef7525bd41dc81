/** The streams that were started by the API, in `data/streams.json`, so that they come back. Readable by its owner alone: URLs hold passwords. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LookoutError } from '../errors.ts';
import { hasCode, writeAtomically } from '../lib/files.ts';
import { createTurns } from '../lib/turns.ts';
import type { ExpectOurs } from '../store/own-folders.ts';
import type { StreamOptions } from '../types.ts';

export interface StoredStream {
  readonly camera_id: string | number;
  readonly url: string;
  readonly models: readonly string[];
  readonly options: Partial<StreamOptions>;
  readonly enabled: boolean;
}

export interface StreamStore {
  load(): Promise<readonly StoredStream[]>;
  save(streams: readonly StoredStream[]): Promise<void>;
}

export function createStreamStore(dataDir: string, expectOurs: ExpectOurs = () => Promise.resolve()): StreamStore {
  const file = join(dataDir, 'streams.json');
  const takeTurn = createTurns();
  return {
    async load() {
      try {
        const stored: unknown = JSON.parse(await readFile(file, 'utf8'));
        if (!Array.isArray(stored) || !stored.every(isStoredStream)) throw new Error('it is no list of streams');
        return stored;
      } catch (error) {
        if (hasCode(error, 'ENOENT')) return [];
        throw new LookoutError('file_damaged', `${file} cannot be read: mend it or move it away (${String(error)})`, { cause: error });
      }
    },
    save: (streams) => takeTurn(async () => {
      await expectOurs();
      await writeAtomically(file, `${JSON.stringify(streams, null, 2)}\n`, { mode: 0o600 });
    }),
  };
}

function isStoredStream(value: unknown): value is StoredStream {
  const { camera_id, url, models, options, enabled } = (value ?? {}) as Partial<Record<keyof StoredStream, unknown>>;
  return (typeof camera_id === 'string' || typeof camera_id === 'number') && typeof url === 'string' && Array.isArray(models)
    && typeof options === 'object' && options !== null && typeof enabled === 'boolean';
}
