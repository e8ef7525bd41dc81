/**
 * What of a model's folder was edited, and what the model wrote there itself: a download, a picture for debugging, a
 * database. Passive.
 *
 * What the model is known to be made of counts always. Another file that appears while the model is set up or asked is
 * the model's own, and so is one that changes again soon after a runner was started because of it.
 */
import { dirname, relative } from 'node:path';
import type { ModelFiles } from '../models/fingerprint.ts';
import type { Content } from '../models/hashing.ts';
import type { Model } from '../types.ts';

/** A look at a model's folder: what is to run, and what it is made of. */
export interface Seen extends ModelFiles {
  readonly model: Model;
}

export interface Edit {
  /** `detector.py changed`, by its name in the model's folder. */
  readonly words: string;
  /** A file; for new files the folder that they appear in. */
  readonly place: string;
}

/** Times are milliseconds since 1970, as file systems have them. */
export interface Edits {
  /** The model begins, or ends, to be set up or asked: what appears meanwhile is its own. */
  begins(now: number): void;
  ends(now: number): void;
  /**
   * What was edited between two looks. What appears while an environment is `beingPrepared` is no edit: the runner that
   * is started afterwards has it.
   */
  between(before: Seen, after: Seen, beingPrepared: boolean, now: number): readonly Edit[];
  /** A runner is started because of these. */
  obeyed(edits: readonly Edit[], now: number): void;
  /** Without what the model wrote itself. */
  withoutOwn(seen: Seen): readonly Content[];
}

/** Somebody who works at a model saves its code again and again. */
const CODE = /\.(py|pyi|pyx|js|mjs|cjs|ts|sh)$/;
/** Starts in a row, each soon after the other, that one file may cause. */
const MOST_STARTS = { code: 5, other: 1 };
/** What writes at its start or in its calls does so within this. */
const SOON_MS = 60_000;
/** Threads write a moment after the call, and clocks of file systems are a moment late. */
const AFTER_MS = 2000;
const BEFORE_MS = 50;

/** `tell` gets the first file that the model is found to write itself. */
export function createEdits(tell: (file: string) => void): Edits {
  const own = new Set<string>();
  /** Starts in a row that a place has caused. */
  const starts = new Map<string, { readonly times: number; readonly at: number }>();
  /** When the model worked; `to` is Infinity while it does. */
  let spans: { readonly from: number; to: number }[] = [];
  let working = 0;

  const workedAt = (time: number): boolean => spans.some(({ from, to }) => time >= from - BEFORE_MS && time <= to + AFTER_MS);

  function startsBy(place: string, now: number): number {
    const before = starts.get(place);
    return before && now - before.at < SOON_MS ? before.times : 0;
  }

  return {
    begins(now) {
      working += 1;
      if (working === 1) spans.push({ from: now, to: Infinity });
    },
    ends(now) {
      working -= 1;
      const last = spans.at(-1);
      if (working === 0 && last) last.to = now;
    },
    between(before, after, beingPrepared, now) {
      const { folder } = after.model;
      const edits: Edit[] = [];
      for (const path of new Set([...before.files.keys(), ...after.files.keys()])) {
        const [was, is] = [before.files.get(path), after.files.get(path)];
        const isNew = was === undefined;
        if (was?.word === is?.word || own.has(path) || (isNew && beingPrepared)) continue;
        const place = isNew ? dirname(path) : path;
        const isDeclared = before.declared.has(path) || after.declared.has(path);
        const times = startsBy(place, now);
        const tooOften = times >= (CODE.test(path) ? MOST_STARTS.code : MOST_STARTS.other);
        // As long as it goes on.
        if (tooOften) starts.set(place, { times, at: now });
        if (!isDeclared && (tooOften || (isNew && is !== undefined && workedAt(is.changed_ms)))) {
          if (own.size === 0) tell(relative(folder, path));
          own.add(path);
        } else {
          edits.push({ words: `${nameIn(folder, path)} ${isNew ? 'appeared' : is === undefined ? 'is gone' : 'changed'}`, place });
        }
      }
      for (const path of own) if (!before.files.has(path) && !after.files.has(path)) own.delete(path);
      spans = spans.filter(({ to }) => to > now - SOON_MS);
      // Another folder of the same name, say.
      if (edits.length === 0 && JSON.stringify(before.model) !== JSON.stringify(after.model)) edits.push({ words: 'what is to run changed', place: folder });
      return edits;
    },
    obeyed(edits, now) {
      for (const place of new Set(edits.map((edit) => edit.place))) starts.set(place, { times: startsBy(place, now) + 1, at: now });
    },
    withoutOwn: ({ files }) => [...files.values()].filter(({ path }) => !own.has(path)),
  };
}

/** Names in the folder as its author knows them; what lies elsewhere by its whole path. */
function nameIn(folder: string, path: string): string {
  return path.startsWith(`${folder}/`) ? relative(folder, path) : path;
}

const SHOWN = 3;

/** Edits as one reason. */
export function inWords(edits: readonly Edit[]): string {
  const shown = edits.slice(0, SHOWN).map(({ words }) => words);
  return [...shown, ...(edits.length > SHOWN ? [`${edits.length - SHOWN} more`] : [])].join(', ');
}
