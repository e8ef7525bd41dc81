/** Reads through a file of records, from its last known record on, and says what is in it and where it stops being whole. */
import type { FileHandle } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { readAt } from '../lib/files.ts';
import { describe, NO_FACTS, type Facts } from './describe.ts';
import type { IndexEntry } from './index-file.ts';
import type { Layout } from './layout.ts';
import { createScanner, type Span } from './scan.ts';

export interface Survey {
  /** Records after the known one. */
  readonly entries: readonly IndexEntry[];
  /** Where the last whole record ends; null: there is none. */
  readonly end: number | null;
  /** Nothing but the proper closing stands after the last record. */
  readonly whole: boolean;
  readonly size: number;
}

const CHUNK = 1 << 20;
/** Beyond this a record is only measured: nobody's batch is that large, and it could not be held as a text. */
const LARGEST = 1 << 28;

export async function survey(handle: FileHandle, layout: Layout, known: IndexEntry | null): Promise<Survey> {
  const scanner = known ? createScanner(layout.format, { after: known.offset + known.length }) : createScanner(layout.format);
  const entries: IndexEntry[] = [];
  let position = known ? known.offset + known.length : 0;
  while (scanner.state !== 'broken') {
    const chunk = await readAt(handle, position, CHUNK);
    if (chunk.length === 0) break;
    for (const span of scanner.feed(chunk)) entries.push({ ...span, ...factsOf(await readText(handle, span)) });
    position += chunk.length;
  }
  const last = entries.at(-1) ?? known;
  return {
    entries,
    end: last ? last.offset + last.length : null,
    whole: scanner.state === 'whole',
    size: (await handle.stat()).size,
  };
}

/** Whether the index's entry says of the file what is there. */
export async function fits(handle: FileHandle, entry: IndexEntry): Promise<boolean> {
  const text = await readText(handle, entry);
  const { offset, length } = entry;
  return text.startsWith('{') && text.endsWith('}') && isDeepStrictEqual({ offset, length, ...factsOf(text) }, entry);
}

async function readText(handle: FileHandle, { offset, length }: Span): Promise<string> {
  return length > LARGEST ? '' : (await readAt(handle, offset, length)).toString('utf8');
}

function factsOf(text: string): Facts {
  try {
    return describe(JSON.parse(text));
  } catch {
    // Python writes NaN where it has no number, which is no JSON: such a record stays, it is only not found by its facts.
    return NO_FACTS;
  }
}
