/** Reads lookout.yaml into plain values and remembers at which line and column each of them stands. */
import type { Document, Node, Scalar } from 'yaml';
import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';

import type { Path } from './check.ts';

export interface YamlFile {
  readonly values: Readonly<Record<string, unknown>>;
  /** What is wrong with the text itself, each with file, line and column. */
  readonly problems: readonly string[];
  /** `file:line:column` of a key or its value; of what is nearest where it does not exist. */
  position(path: Path, part: 'key' | 'value'): string;
}

export function readYaml(file: string, text: string, env: NodeJS.ProcessEnv): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const problems = document.errors.map(({ code, message, pos }) =>
    code === 'DUPLICATE_KEY' ? `${at(pos[0])}: ${wordAt(text, pos[0])} is there twice` : `${at(pos[0])}: ${message}`,
  );
  problems.push(...resolveScalars(document, env).map(({ offset, message }) => `${at(offset)}: ${message}`));
  // With broken syntax the values are guesses: only what the text itself lacks is worth saying.
  const readable = document.errors.every(({ code }) => code === 'DUPLICATE_KEY');
  const values = readable ? toValues(document) : {};
  if (typeof values === 'string') problems.push(`${at(0)}: ${values}`);
  return {
    values: typeof values === 'string' ? {} : values,
    problems,
    position: (path, part) => at(offsetOf(document, path, part)),
  };
}

/** The values, or why there are none. */
function toValues(document: Document): Record<string, unknown> | string {
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) return {};
  if (!isMap(document.contents)) return 'must be a mapping of settings to values';
  try {
    return document.toJS() as Record<string, unknown>;
  } catch (error) {
    // Aliases of aliases that would fill the memory.
    return String(error);
  }
}

/** Puts the environment's values into `${NAME}`, and keeps camera ids such as 007 as they were written. */
function resolveScalars(document: Document, env: NodeJS.ProcessEnv): readonly { offset: number; message: string }[] {
  const problems: { offset: number; message: string }[] = [];
  visit(document, {
    Alias(_key, alias) {
      if (alias.resolve(document) === undefined) {
        problems.push({ offset: offset(alias), message: `*${alias.source} names no anchor before it` });
        return visit.REMOVE;
      }
      return undefined;
    },
    Scalar(role, scalar, ancestors) {
      const parent = ancestors.at(-1);
      if (role === 'key') return;
      if (typeof scalar.value === 'number' && isPair(parent) && isScalar(parent.key) && parent.key.value === 'camera_id') {
        scalar.value = asWritten(scalar, scalar.value);
      }
      if (typeof scalar.value !== 'string') return;
      scalar.value = scalar.value.replace(/\$(\$?)\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_match, escape: string, name: string) => {
        if (escape !== '') return `\${${name}}`;
        const value = env[name];
        if (value === undefined) problems.push({ offset: offset(scalar), message: `the environment has no variable ${name}` });
        return value ?? '';
      });
    },
  });
  return problems;
}

/** 007 and 1e3 are numbers to YAML; as the name of a camera they are what was typed. */
function asWritten(scalar: Scalar, value: number): string | number {
  return scalar.source === undefined || scalar.source === String(value) ? value : scalar.source;
}

function offsetOf(document: Document, path: Path, part: 'key' | 'value'): number {
  let node: unknown = document.contents;
  let found = offset(node);
  for (const [depth, step] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.findLast(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (pair === undefined) return found;
      const useKey = (part === 'key' && depth === path.length - 1) || (isScalar(pair.value) && pair.value.range?.[0] === pair.value.range?.[1]);
      found = offset(useKey ? pair.key : pair.value);
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      found = offset(node);
    } else {
      return found;
    }
  }
  return found;
}

function offset(node: unknown): number {
  return (node as Node | null | undefined)?.range?.[0] ?? 0;
}

function wordAt(text: string, start: number): string {
  return /^[^\s:]+/.exec(text.slice(start))?.[0] ?? 'a key';
}
