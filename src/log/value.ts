/** What the text of an item of a log says, for all who read one. */
import { parsePythonJson } from '../lib/python-json.ts';
import type { Json } from '../types.ts';

/** Nothing that is written here comes near; what is some thousand levels deep can be read, but not be written as JSON again. */
const DEEPEST = 1000;

/** null: it is no JSON, not even as Python writes it, or nested deeper than that. */
export function valueOf(text: string): Json | null {
  try {
    const value = parsePythonJson(text) as Json;
    return isWithin(value, DEEPEST) ? value : null;
  } catch {
    // What stands there was written by somebody else, or is damaged.
    return null;
  }
}

function isWithin(value: Json, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((inner: Json) => isWithin(inner, levels - 1));
}
