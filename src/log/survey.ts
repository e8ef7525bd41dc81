/** Reads through a file of records, from its last known record on, and says what is in it and where it stops being whole. */
import type { FileHandle } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { readAt } from '../lib/files.ts';
import { parsePythonJson } from '../lib/python-json.ts';
import { describe, NO_FACTS, type Facts } from './describe.ts';
import type { IndexEntry } from './index-file.ts';
import type { Layout } from './layout.ts';
import { createScanner, type Span } from './scan.ts';

/** `isRecord`: not if it has the outline of one only. */
type Found = IndexEntry & { readonly isRecord: boolean };

export interface Survey {
  /** Records after the known one, and what stands in their place. */
  readonly entries: readonly Found[];
  /** Where the last whole record ends; null: there is none. */
  readonly end: number | null;
  /** Nothing but the proper closing stands after the last record. */
  readonly whole: boolean;
  readonly size: number;
}

const CHUNK = 1 << 20;
/** Beyond this a record is only measured: nobody's batch is that large, and it could not be held as a text. */
export const LARGEST = 1 << 28;

/** Throws the signal's reason when it aborts: files are large. */
export async function survey(handle: FileHandle, layout: Layout, known: IndexEntry | null, signal: AbortSignal): Promise<Survey> {
  const scanner = known ? createScanner(layout.format, { after: known.offset + known.length }) : createScanner(layout.format);
  const entries: Found[] = [];
  let position = known ? known.offset + known.length : 0;
  while (scanner.state !== 'broken') {
    signal.throwIfAborted();
    const chunk = await readAt(handle, position, CHUNK);
    if (chunk.length === 0) break;
    for (const span of scanner.feed(chunk)) {
      const text = await readText(handle, span);
      const facts = factsOf(text);
      entries.push({ ...span, ...(facts ?? NO_FACTS), isRecord: facts !== null || text === '' });
    }
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
  return text.startsWith('{') && text.endsWith('}') && isDeepStrictEqual({ offset, length, ...(factsOf(text) ?? NO_FACTS) }, entry);
}

async function readText(handle: FileHandle, { offset, length }: Span): Promise<string> {
  return length > LARGEST ? '' : (await readAt(handle, offset, length)).toString('utf8');
}

/** The record that this line is, at its offset; null: it is none. What is no UTF-8 in it is as long as it is. */
export function entryOf(line: Buffer, offset: number): IndexEntry | null {
  const text = line.toString('utf8');
  const facts = text.startsWith('{') ? factsOf(text) : null;
  return facts && { offset, length: line.length, ...facts };
}

/** null: no JSON, not even as Python writes it, with NaN where it has no number. */
export function factsOf(text: string): Facts | null {
  try {
    return describe(parsePythonJson(text));
  } catch {
    return null;
  }
}
