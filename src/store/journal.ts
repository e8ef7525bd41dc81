/**
 * A file of JSON lines, each on the disk before it counts. When it has grown, it begins anew with one line that says what
 * all before it came to; the old one is kept beside it.
 */
import { open, readFile } from 'node:fs/promises';
import { LookoutError } from '../errors.ts';
import { hasCode, linkOrCopy, writeAtomically } from '../lib/files.ts';
import { createTurns } from '../lib/turns.ts';
import type { ExpectOurs } from './own-folders.ts';

export interface Journal<Line> {
  /** Those that were there when it was opened. */
  readonly lines: readonly Line[];
  /** Nothing was ever written. */
  readonly empty: boolean;
  /** Durable when it returns, not there when it throws. `then` is called in the lines' order, once each is on the disk. */
  append(line: Line, then: () => void): Promise<void>;
  close(): Promise<void>;
}

const RENEW_BYTES = 8 * 1024 * 1024;

/** `sum` makes the line that a renewed file begins with; the old one is kept as `<name>.1.ndjson`. */
export async function openJournal<Line>(file: string, sum: () => Line, expectOurs: ExpectOurs = () => Promise.resolve()): Promise<Journal<Line>> {
  const text = await readWhole(file);
  const lines = parse(text, file) as readonly Line[];
  const takeTurn = createTurns();
  let handle = await open(file, 'a');
  /** Of whole lines. What stands behind them is torn: it says nothing, and would spoil the next line. */
  let bytes = Buffer.byteLength(text);
  let torn = true;

  async function renew(): Promise<void> {
    const renewed = `${JSON.stringify(sum())}\n`;
    await linkOrCopy(file, file.replace(/\.ndjson$/, '.1.ndjson'));
    await writeAtomically(file, renewed);
    const old = handle;
    handle = await open(file, 'a');
    bytes = Buffer.byteLength(renewed);
    await old.close();
  }

  return {
    lines,
    get empty() {
      return bytes === 0;
    },
    append: (line, then) => takeTurn(async () => {
      await expectOurs();
      if (torn) await handle.truncate(bytes);
      torn = false;
      if (bytes > RENEW_BYTES) await renew();
      const added = `${JSON.stringify(line)}\n`;
      torn = true;
      await handle.appendFile(added);
      await handle.datasync();
      torn = false;
      bytes += Buffer.byteLength(added);
      then();
    }),
    close: () => takeTurn(() => handle.close()),
  };
}

/** The file up to its last whole line. */
async function readWhole(file: string): Promise<string> {
  try {
    const text = await readFile(file, 'utf8');
    return text.slice(0, text.lastIndexOf('\n') + 1);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return '';
    throw error;
  }
}

function parse(text: string, file: string): readonly unknown[] {
  return text.split('\n').slice(0, -1).map((line, index) => {
    try {
      return JSON.parse(line) as unknown;
    } catch (error) {
      throw new LookoutError('file_damaged', `${file}, line ${index + 1} cannot be read (${String(error)}): mend it, or move the file away to begin anew`, { cause: error });
    }
  });
}
