/** Listens to what a process prints, and leaves time for everybody else beside one that prints without end. */
import type { Readable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { splitLines } from './lines.ts';

const MAX_LINE = 4096;
/** The share of the time that listening may take: a process that prints more has to wait until it is read. */
const SHARE = 1 / 10;
/** Of that, what it may be ahead: whoever prints a stack now and then does not wait. */
const AHEAD_MS = 500;
/** Short, so that what a process leaves behind at its end is read before its pipes are given up. */
const MAX_REST_MS = 100;

/** `onLines` gets the lines as they come, all those that came at once together, without what colours them. */
export function listen(stream: Readable, onLines: (lines: readonly string[]) => void): void {
  let came: string[] = [];
  const { push, end } = splitLines(MAX_LINE, (text, cut) => came.push(`${stripVTControlCharacters(text)}${cut ? '…' : ''}`));
  const tell = (): void => {
    const lines = came;
    came = [];
    if (lines.length > 0) onLines(lines);
  };
  /** When all that was heard would have had its time. */
  let paidAt = 0;
  stream.setEncoding('utf8').on('data', (text: string) => {
    const began = performance.now();
    push(text);
    tell();
    const ended = performance.now();
    paidAt = Math.max(paidAt, began) + (ended - began) / SHARE;
    if (paidAt - ended > AHEAD_MS) rest(stream, Math.min(paidAt - ended - AHEAD_MS, MAX_REST_MS));
  }).on('end', () => {
    end();
    tell();
  });
}

/** Reads no more of it for so long; who writes there waits. */
export function rest(stream: Readable, ms: number): void {
  stream.pause();
  setTimeout(() => stream.resume(), ms);
}

/** Lines of a model that are kept. */
export const KEPT_LINES = 200;

/** Tells no more of these lines than are kept: the last, and before them how many more there were. */
export function tellLast(lines: readonly string[], print: (line: string) => void): void {
  if (lines.length <= KEPT_LINES) {
    for (const line of lines) print(line);
    return;
  }
  const told = lines.slice(1 - KEPT_LINES);
  print(`(${lines.length - told.length} lines were let go here: more came at once than are kept)`);
  for (const line of told) print(line);
}
