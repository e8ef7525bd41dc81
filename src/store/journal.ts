/**
 * A file of JSON lines, each on the disk before it counts. When it has grown, it begins anew with one line that says what
 * all before it came to; the old one is kept beside it. Lines that say nothing cost what they said and no more: the file as
 * it was is put aside.
 */
import { open, readFile } from 'node:fs/promises';
import { replaceKeeping } from '../lib/aside.ts';
import { ifPresent, linkOrCopy, writeAtomically } from '../lib/files.ts';
import { parsedJson } from '../lib/json-line.ts';
import type { Log } from '../lib/log.ts';
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
const BAD_SHOWN = 5;

export interface JournalParts<Line> {
  /** null: a line that says nothing that could be meant. */
  readonly read: (value: unknown) => Line | null;
  /** Makes the line that a renewed file begins with; the old one is kept as `<name>.1.ndjson`. */
  readonly sum: () => Line;
  readonly log: Log;
  readonly expectOurs?: ExpectOurs | undefined;
}

export async function openJournal<Line>(file: string, { read, sum, log, expectOurs = () => Promise.resolve() }: JournalParts<Line>): Promise<Journal<Line>> {
  const older = file.replace(/\.ndjson$/, '.1.ndjson');
  const found = await readLines(file, read);
  const sound = found.bad.length === 0 ? found : await mend(found);
  const lines = sound.good.map(({ line }) => line);
  const takeTurn = createTurns();
  let handle = await open(file, 'a');
  /** Of whole lines. What stands behind them is torn: it says nothing, and would spoil the next line. */
  let bytes = sound.bytes;
  let torn = true;

  async function mend({ good, bad }: Found<Line>): Promise<Found<Line>> {
    const before = bad[0]?.number === 1 ? await summedUp(good) : [];
    const text = [...before, ...good].map((one) => `${one.text}\n`).join('');
    const aside = await replaceKeeping(file, () => writeAtomically(file, text));
    log.warn(`${file}: what these lines said is not known any more; the file as it was is kept as ${aside}`, {
      lines: bad.slice(0, BAD_SHOWN).map(({ number }) => number).join(', '), of: good.length + bad.length, bad: bad.length, from_the_older_file: before.length,
    });
    return { good: [...before, ...good], bad: [], bytes: Buffer.byteLength(text) };
  }

  /** What the first line was the sum of: the older file says it in full, unless its lines are here themselves. */
  async function summedUp(good: Found<Line>['good']): Promise<Found<Line>['good']> {
    const here = new Set(good.map(({ text }) => text));
    const { good: before } = await readLines(older, read);
    return before.some(({ text }) => here.has(text)) ? [] : before;
  }

  async function renew(): Promise<void> {
    const renewed = `${JSON.stringify(sum())}\n`;
    await linkOrCopy(file, older);
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

interface Found<Line> {
  readonly good: readonly { readonly line: Line; readonly text: string }[];
  readonly bad: readonly { readonly number: number }[];
  /** Of whole lines. */
  readonly bytes: number;
}

/** The file up to its last whole line. */
async function readLines<Line>(file: string, read: (value: unknown) => Line | null): Promise<Found<Line>> {
  const content = (await ifPresent(readFile(file))) ?? Buffer.alloc(0);
  const whole = content.subarray(0, content.lastIndexOf('\n') + 1);
  const lines = whole.toString().split('\n').slice(0, -1).map((text, index) => ({ text, number: index + 1, line: read(parsedJson(text)) }));
  return {
    good: lines.flatMap(({ text, line }) => (line === null ? [] : [{ text, line }])),
    bad: lines.filter(({ line }) => line === null),
    bytes: whole.length,
  };
}
