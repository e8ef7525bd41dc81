/** Reads a YAML or JSON file against a JSON schema; every error at once, each with line and column. */
import type { ErrorObject, ValidateFunction } from 'ajv';
import { LineCounter, isMap, isNode, isScalar, parseDocument, type Document } from 'yaml';

/** What a file holds, or everything that is wrong with it, one `file:line:column: words` a line. */
export type Checked<T> = { readonly value: T; readonly at: (path: Path) => string } | { readonly errors: readonly string[] };

type Path = readonly (string | number)[];

export function checkYaml<T>(file: string, text: string, validate: ValidateFunction<T>): Checked<T> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  if (document.errors.length > 0) return { errors: document.errors.map((error) => `${place(error.pos[0])}: ${error.message}`) };
  const value: unknown = document.toJS();
  if (validate(value)) return { value, at: (path) => place(offsetOf(document, path)) };
  const errors = (validate.errors ?? []).map((error) => {
    const path = pathOf(value, error);
    return `${place(offsetOf(document, path))}: ${wording(error, path, document)}`;
  });
  return { errors: [...new Set(errors)] };
}

/** The path that an error speaks of. */
function pathOf(value: unknown, error: ErrorObject): Path {
  const path = error.instancePath.split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const extra = unknownKey(error);
  // A list's index must be a number to be found again in the document.
  let at: unknown = value;
  const typed = path.map((part) => {
    const key = Array.isArray(at) ? Number(part) : part;
    at = (at as Record<string | number, unknown> | undefined)?.[key];
    return key;
  });
  return extra === null ? typed : [...typed, extra];
}

/** Where a path stands: at its key in a map, else at the item of a list. */
function offsetOf(document: Document, path: Path): number {
  const last = path.at(-1);
  const parent = document.getIn(path.slice(0, -1), true);
  if (last !== undefined && isMap(parent)) {
    const pair = parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(last));
    if (isNode(pair?.key)) return pair.key.range?.[0] ?? 0;
  }
  const node = path.length === 0 ? document.contents : document.getIn(path, true);
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}

function wording(error: ErrorObject, path: Path, document: Document): string {
  const name = path.join('.');
  const extra = unknownKey(error);
  if (extra !== null) return `unknown key "${extra}"${suggestion(extra, Object.keys(error.parentSchema?.['properties'] as object))}`;
  if (error.keyword === 'enum') return `${name} must be one of ${(error.schema as readonly unknown[]).join(', ')}`;
  const described: unknown = error.parentSchema?.['description'];
  if (error.keyword === 'pattern' && typeof described === 'string') return `${name} must be ${described}`;
  const quoted = error.keyword === 'type' && error.schema === 'string' && isNumber(document.getIn(path)) ? ' (write it in quotes)' : '';
  return `${name === '' ? 'the file' : name} ${error.message ?? 'is wrong'}${quoted}`;
}

function unknownKey(error: ErrorObject): string | null {
  return error.keyword === 'additionalProperties' ? (error.params as { additionalProperty: string }).additionalProperty : null;
}

const isNumber = (value: unknown): boolean => typeof value === 'number';

/** `; did you mean "…"?` when one of the known words is near, else the known words. */
export function suggestion(word: string, known: readonly string[]): string {
  const [nearest] = known
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  if (nearest !== undefined && nearest.distance <= Math.max(2, word.length / 3)) return `; did you mean "${nearest.candidate}"?`;
  return known.length === 0 ? '' : `; known: ${known.join(', ')}`;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, letter] of Array.from(a).entries()) {
    let left = i + 1;
    let diagonal = i;
    const next = [left];
    for (const [j, other] of Array.from(b).entries()) {
      const above = row[j + 1] ?? 0;
      left = Math.min(above + 1, left + 1, diagonal + (letter === other ? 0 : 1));
      diagonal = above;
      next.push(left);
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
