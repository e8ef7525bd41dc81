/**
 * What of a model's folder was edited, and what the model wrote there itself: a download, a picture for debugging, a
 * database. Passive.
 *
 * What the model is known to be made of counts always, and so does what a runner was started for, as long as it stays as
 * it was then. Another file that appears while the model is set up or asked is the model's own, unless it is code; and so
 * is, until it has been left alone for a while, one that changes again and again soon after a runner was started for it.
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
  /** null: none of its files. */
  readonly path: string | null;
  /** What it has become; null: gone. */
  readonly word: string | null;
  /** Its path; for new files the folder that they appear in. */
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
const MOST_STARTS = { code: 5, other: 3 };
/** What writes at its start or in its calls does so within this. */
const SOON_MS = 60_000;
/** Whoever writes in a model's stead has a pause sooner or later. */
const ALONE_MS = 600_000;
/** Threads write a moment after the call, and clocks of file systems are a moment late. */
const AFTER_MS = 2000;
const BEFORE_MS = 50;

/** `tell` gets the first file that the model is found to write itself, and each that was an edit until then. */
export function createEdits(tell: (file: string) => void): Edits {
  const appeared = new Set<string>();
  /** What started too many runners, and when it last changed. */
  const restless = new Map<string, number>();
  /** What runners were started for, and what it was then. */
  const accepted = new Map<string, string | null>();
  /** Starts in a row that a place has caused. */
  const starts = new Map<string, { readonly times: number; readonly at: number }>();
  /** When the model worked; `to` is Infinity while it does. */
  let spans: { readonly from: number; to: number }[] = [];
  let working = 0;

  const workedAt = (time: number): boolean => spans.some(({ from, to }) => time >= from - BEFORE_MS && time <= to + AFTER_MS);

  function isOwn(path: string, changed: number): boolean {
    const before = restless.get(path);
    if (before === undefined) return appeared.has(path);
    if (changed > before + ALONE_MS) restless.delete(path);
    else restless.set(path, Math.max(before, changed));
    return restless.has(path);
  }

  function startsBy(place: string, now: number): number {
    const before = starts.get(place);
    return before && now - before.at < SOON_MS ? before.times : 0;
  }

  function takeForOwn(path: string, changed: number, folder: string, tooOften: boolean): void {
    if (accepted.has(path) || appeared.size + restless.size === 0) tell(relative(folder, path));
    if (tooOften) restless.set(path, changed);
    else appeared.add(path);
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
      spans = spans.filter(({ to }) => to > now - SOON_MS);
    },
    between(before, after, beingPrepared, now) {
      const { folder } = after.model;
      const edits: Edit[] = [];
      for (const path of new Set([...before.files.keys(), ...after.files.keys()])) {
        const [was, is] = [before.files.get(path), after.files.get(path)];
        const isNew = was === undefined;
        if (was?.word === is?.word) continue;
        const word = is?.word ?? null;
        const place = isNew ? dirname(path) : path;
        const edit = { words: `${nameIn(folder, path)} ${isNew ? 'appeared' : is === undefined ? 'is gone' : 'changed'}`, path, word, place };
        if (accepted.get(path) === word) {
          edits.push(edit);
          continue;
        }
        if (isOwn(path, is?.changed_ms ?? now) || (isNew && beingPrepared)) continue;
        const isDeclared = before.declared.has(path) || after.declared.has(path);
        const isCode = CODE.test(path);
        const times = startsBy(place, now);
        const tooOften = times >= (isCode ? MOST_STARTS.code : MOST_STARTS.other);
        // As long as it goes on.
        if (tooOften) starts.set(place, { times, at: now });
        if (isDeclared || (!tooOften && !(isNew && !isCode && is !== undefined && workedAt(is.changed_ms)))) edits.push(edit);
        else takeForOwn(path, is?.changed_ms ?? now, folder, tooOften);
      }
      for (const known of [appeared, restless, accepted]) for (const path of known.keys()) if (!before.files.has(path) && !after.files.has(path)) known.delete(path);
      // Another folder of the same name, say.
      if (edits.length === 0 && JSON.stringify(before.model) !== JSON.stringify(after.model)) edits.push({ words: 'what is to run changed', path: null, word: null, place: folder });
      return edits;
    },
    obeyed(edits, now) {
      for (const { path, word } of edits) if (path !== null) accepted.set(path, word);
      for (const place of new Set(edits.map((edit) => edit.place))) starts.set(place, { times: startsBy(place, now) + 1, at: now });
    },
    withoutOwn: ({ files }) => [...files.values()].filter(({ path }) => !appeared.has(path) && !restless.has(path)),
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
