/** A class as events name it: a model may call what it finds by texts of any length. */
import { createHash } from 'node:crypto';
import { shorten } from '../lib/shorten.ts';

const LONGEST = 256;
const HASH = 16;

/** Texts that are too long are cut and end in a hash: another one is another class. */
export function classWord(text: string): string {
  if (text.length <= LONGEST) return text;
  return `${shorten(text, LONGEST - HASH - 1)}~${createHash('sha256').update(text).digest('hex').slice(0, HASH)}`;
}
