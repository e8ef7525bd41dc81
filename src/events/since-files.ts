/**
 * Beside the engine's state, how episodes went on since it was taken: what was seen in a batch is not looked at again once the
 * record is written. Lines for each batch, in a file for each state, which goes when a later state is on the disk.
 */
import { appendFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { namesIn, readIfPresent, removeIfPresent } from '../lib/files.ts';
import { jsonLine, parsedJson } from '../lib/json-line.ts';
import { isObject } from '../lib/objects.ts';
import type { OpenState } from './state.ts';

export interface SinceFiles {
  /** `number`: of the state. One after the other. */
  note(number: number, open: readonly OpenState[]): Promise<void>;
  /** The state of this number is on the disk, and knows what was noted before. */
  forget(number: number): Promise<void>;
  /** What was noted since the state of this number was taken, the oldest first, and the newest number there is. */
  read(number: number): Promise<{ readonly newest: number; readonly noted: readonly OpenState[] }>;
}

/** `file`: that of the state. */
export function createSinceFiles(file: string): SinceFiles {
  const prefix = `${basename(file)}.since-`;
  const pathOf = (number: number): string => join(dirname(file), `${prefix}${number}`);

  async function numbers(): Promise<readonly number[]> {
    const names = (await namesIn(dirname(file))).filter((name) => name.startsWith(prefix));
    return names.map((name) => Number(name.slice(prefix.length))).filter((number) => Number.isSafeInteger(number)).sort((a, b) => a - b);
  }

  return {
    async note(number, open) {
      await appendFile(pathOf(number), open.map(jsonLine).join(''));
    },
    async forget(number) {
      for (const old of await numbers()) if (old < number) await removeIfPresent(pathOf(old));
    },
    async read(number) {
      const all = await numbers();
      const noted: OpenState[] = [];
      for (const later of all.filter((one) => one >= number)) noted.push(...linesOf(await readIfPresent(pathOf(later))));
      return { newest: Math.max(number, ...all), noted };
    },
  };
}

/** A power cut may have left some in pieces. */
function linesOf(bytes: Buffer | null): readonly OpenState[] {
  return (bytes?.toString() ?? '').split('\n').flatMap((line) => {
    const one = parsedJson(line);
    return isObject(one) && isObject(one['entry']) && Array.isArray(one['batches']) ? [one as unknown as OpenState] : [];
  });
}
