/**
 * The streams that were started by the API, in `data/streams.json`, so that they come back. Readable by its owner alone:
 * URLs hold passwords. What cannot be meant costs itself alone, and the file as it was is put aside.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LookoutError } from '../errors.ts';
import { putAside, replaceKeeping } from '../lib/aside.ts';
import { hasCode, writeAtomically } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';
import { isObject } from '../lib/objects.ts';
import { createTurns } from '../lib/turns.ts';
import { parseYaml } from '../lib/yaml.ts';
import type { ExpectOurs } from '../store/own-folders.ts';
import type { StreamOptions } from '../types.ts';
import { isTime } from '../words/time.ts';

export interface StoredStream {
  readonly camera_id: string | number;
  readonly url: string;
  readonly models: readonly string[];
  readonly options: Partial<StreamOptions>;
  /** RFC 3339: from when its duration counts; absent: it has none, or it counts from its next run. */
  readonly started_at?: string;
  readonly enabled: boolean;
}

export interface StreamStore {
  load(): Promise<readonly StoredStream[]>;
  save(streams: readonly StoredStream[]): Promise<void>;
}

export interface StreamStoreParts {
  readonly data_dir: string;
  /** What is wrong with a stream; null: nothing. */
  readonly faultOf: (value: unknown) => string | null;
  readonly log: Log;
  readonly expectOurs?: ExpectOurs;
}

const SHOWN_FAULTS = 5;

export function createStreamStore({ data_dir, faultOf, log, expectOurs = () => Promise.resolve() }: StreamStoreParts): StreamStore {
  const file = join(data_dir, 'streams.json');
  const takeTurn = createTurns();

  const write = (streams: readonly StoredStream[]): Promise<void> => writeAtomically(file, `${JSON.stringify(streams, null, 2)}\n`, { mode: 0o600 });

  /** What is whole in it; faults are those of the others. */
  function understand(text: string): { readonly streams: readonly StoredStream[]; readonly faults: readonly string[] } {
    const { value, broken } = valuesOf(text);
    if (!Array.isArray(value)) return { streams: [], faults: ['it is no list of streams'] };
    const items: readonly unknown[] = value;
    const faulty = items.map((item, index) => ({ item, index, fault: faultIn(item, faultOf) }));
    return {
      streams: faulty.flatMap(({ item, fault }) => (fault === null ? [item as StoredStream] : [])),
      faults: [...(broken ? ['it is no JSON as a whole'] : []), ...faulty.flatMap(({ index, fault }) => (fault === null ? [] : [`entry ${index + 1}: ${fault}`]))],
    };
  }

  return {
    async load() {
      let text: string;
      try {
        text = await readFile(file, 'utf8');
      } catch (error) {
        if (hasCode(error, 'ENOENT')) return [];
        if (!hasCode(error, 'EISDIR')) throw new LookoutError('file_damaged', `${file} cannot be read: mend it or move it away (${String(error)})`, { cause: error });
        log.error(`${file} is a folder; it lies at ${await putAside(file)} now`);
        return [];
      }
      const { streams, faults } = understand(text);
      if (faults.length > 0) {
        const aside = await replaceKeeping(file, () => write(streams));
        const more = faults.length > SHOWN_FAULTS ? [`${faults.length - SHOWN_FAULTS} more`] : [];
        log.error(`${file} is damaged: ${streams.length} streams of it come back, and the file as it was is kept as ${aside}`, { reason: [...faults.slice(0, SHOWN_FAULTS), ...more].join('; ') });
      }
      return streams;
    },
    save: (streams) => takeTurn(async () => {
      await expectOurs();
      await write(streams);
    }),
  };
}

/** Of a text that is torn, what stands before: the YAML parser goes on after faults, and JSON is YAML. */
function valuesOf(text: string): { readonly value: unknown; readonly broken: boolean } {
  try {
    return { value: JSON.parse(text), broken: false };
  } catch {
    const read = parseYaml('streams.json', text).values();
    return { value: 'value' in read ? read.value : null, broken: true };
  }
}

/** All that is ever stored of a stream is there, and is what it may be. */
function faultIn(value: unknown, faultOf: (value: unknown) => string | null): string | null {
  if (!isObject(value)) return 'it is no stream';
  const missing = ['camera_id', 'url', 'models', 'options', 'enabled'].find((key) => !(key in value));
  if (missing !== undefined) return `${missing} is missing`;
  const { started_at, ...stream } = value;
  if (started_at !== undefined && !(typeof started_at === 'string' && isTime(started_at))) return 'started_at is no time';
  return faultOf(stream);
}
