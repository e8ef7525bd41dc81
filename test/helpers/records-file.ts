/** Reads a file of records to which Lookout may append meanwhile: a read that falls into an append is made again, as the README has readers do. */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { BatchRecord } from '../../src/types.ts';

const TRIES = 20;

/** Empty where there is no file. */
export async function readRecords(file: string): Promise<readonly BatchRecord[]> {
  for (let tries = 1; ; tries += 1) {
    const text = await readFile(file, 'utf8').catch(() => '[]');
    try {
      return JSON.parse(text) as readonly BatchRecord[];
    } catch (error) {
      if (tries === TRIES) throw error;
      await delay(20);
    }
  }
}
