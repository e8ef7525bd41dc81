/** A folder with a log of records in it, what it said, and what its files hold. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog, type Log } from '../../src/lib/log.ts';
import { openLog } from '../../src/log/record-log.ts';
import type { Config, RecordLog } from '../../src/types.ts';

export interface LogFolder {
  readonly folder: string;
  readonly files: Pick<Config, 'predictions' | 'data_dir'>;
  /** Its words go into `warnings`. */
  readonly log: Log;
  /** Lines that it logged at level warn. */
  readonly warnings: string[];
  open(settings?: Partial<Pick<Config, 'predictions' | 'data_dir' | 'format' | 'rotate_bytes' | 'rotate_gzip' | 'records_max_bytes'>>): Promise<RecordLog>;
  /** What JSON.parse says of the current file. */
  parse(): Promise<unknown[]>;
  text(name?: string): Promise<string>;
  /** Names that begin so. */
  named(beginning: string): Promise<string[]>;
  remove(): Promise<void>;
}

export async function logFolder(): Promise<LogFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-log-'));
  const files = { predictions: join(folder, 'predictions.json'), data_dir: folder };
  const warnings: string[] = [];
  const log = createLog({ level: 'warn', format: 'text', write: (line) => warnings.push(line) });
  const text = (name = 'predictions.json'): Promise<string> => readFile(join(folder, name), 'utf8');
  return {
    folder,
    files,
    log,
    warnings,
    open: (settings = {}) => openLog({ config: { ...files, format: 'json', rotate_bytes: null, rotate_gzip: false, records_max_bytes: null, ...settings }, log }),
    parse: async () => JSON.parse(await text()) as unknown[],
    text,
    named: async (beginning) => (await readdir(folder)).filter((name) => name.startsWith(beginning)).sort(),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
