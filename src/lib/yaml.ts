/** Parses YAML, and so JSON, and remembers at which line and column everything stands. */
import type { Document, Node } from 'yaml';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';

/** Where in the values, e.g. `['streams', 0, 'url']`. */
export type Path = readonly (string | number)[];

export interface Yaml {
  /** Changes made here show in `values`. */
  readonly document: Document;
  /** What is wrong with the text itself, each with file, line and column. */
  readonly faults: readonly string[];
  /** The text is so wrong that its values would be guesses. */
  readonly broken: boolean;
  /** Plain values, or the fault that there are none. */
  readonly values: () => { readonly value: unknown } | { readonly fault: string };
  /** `file:line:column` of a node of the document. */
  readonly place: (node: unknown) => string;
  /** The same of a key or its value, of what is nearest where it does not exist. In a list a key is its item. */
  readonly position: (path: Path, part: 'key' | 'value') => string;
}

/** A text with a colon in the wrong place is taken for a mapping. */
const TO_BE_QUOTED = '; a text that ends with a colon, or has one before a blank, must be put in quotes';
const ADVICE: Partial<Readonly<Record<string, string>>> = { BLOCK_AS_IMPLICIT_KEY: TO_BE_QUOTED, BLOCK_IN_FLOW: TO_BE_QUOTED };

export function parseYaml(file: string, text: string): Yaml {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  return {
    document,
    faults: document.errors.map(({ code, message, pos: [start] }) => `${at(start)}: ${code === 'DUPLICATE_KEY' ? `${wordAt(text, start)} is there twice` : `${message}${ADVICE[code] ?? ''}`}`),
    broken: document.errors.some(({ code }) => code !== 'DUPLICATE_KEY'),
    values: () => {
      try {
        return { value: document.toJS() };
      } catch (error) {
        // Aliases that name nothing, or aliases of aliases that would fill the memory.
        return { fault: `${at(0)}: ${String(error)}` };
      }
    },
    place: (node) => at(offsetOf(node)),
    position: (path, part) => at(offsetOf(find(document, path, part))),
  };
}

/** A JSON pointer, as ajv names the place of an error, as a path. */
export function pathOf(pointer: string): Path {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step.replaceAll('~1', '/').replaceAll('~0', '~')));
}

function find(document: Document, path: Path, part: 'key' | 'value'): unknown {
  let node: unknown = document.contents;
  let found = node;
  for (const [depth, step] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      // Of a key that is there twice the last one counts.
      const pair = node.items.findLast(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (pair === undefined) return found;
      const isEmpty = isScalar(pair.value) && pair.value.range?.[0] === pair.value.range?.[1];
      found = isEmpty || (part === 'key' && depth === path.length - 1) ? pair.key : pair.value;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      found = node;
    } else {
      return found;
    }
  }
  return found;
}

function offsetOf(node: unknown): number {
  return (node as Node | null | undefined)?.range?.[0] ?? 0;
}

function wordAt(text: string, start: number): string {
  return /^[^\s:]+/.exec(text.slice(start))?.[0] ?? 'a key';
}
