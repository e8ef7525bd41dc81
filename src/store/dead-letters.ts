/**
 * Batches that no model could answer, and copies of those that some models could not, under `data/dead-letter`.
 *
 *     data/dead-letter/<batch id>/batch.json    the batch, and the models' last words
 *                                /<frame>.jpg   its frames
 */
import { rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errorInfo, LookoutError } from '../errors.ts';
import { createByteBudget } from '../lib/byte-budget.ts';
import { fsyncFolder, hasCode, isThere, linkOrCopy, makeFolder, namesIn, readUnlessDamaged, sweepAway, writeAtomically } from '../lib/files.ts';
import { createLimit } from '../lib/limit.ts';
import { type Log, silentLog } from '../lib/log.ts';
import { isObject } from '../lib/objects.ts';
import { isTransient } from '../lib/transient.ts';
import { createTurns } from '../lib/turns.ts';
import type { Batch, Config, ErrorInfo } from '../types.ts';
import type { Books } from './books.ts';
import { createExpendables } from './expendables.ts';
import type { Expendable } from './janitor.ts';
import type { ExpectOurs } from './own-folders.ts';
import type { Spool } from './spool.ts';
import { readBatch } from './stored-batch.ts';

export interface DeadLetter {
  readonly batch: Batch;
  /** By model. */
  readonly errors: Readonly<Record<string, ErrorInfo & { readonly last_words?: string }>>;
  /** A record was written all the same, with the answers of the other models. */
  readonly recorded: boolean;
  readonly at: string;
}

export interface DeadLetters {
  readonly folder: string;
  /** Where a batch's letter and its frames lie. */
  folderOf(batch: Pick<Batch, 'id'>): string;
  /** null: there is none. Throws `file_damaged`. */
  get(id: string): Promise<DeadLetter | null>;
  /** Whole or not at all; a letter that is there already stays as it is. */
  add(letter: Omit<DeadLetter, 'at'>): Promise<void>;
  /** A damaged letter is passed over, and told with its reason. */
  list(passOver?: (reason: string) => void): Promise<readonly DeadLetter[]>;
  remove(batch: Batch): Promise<void>;
  /** While this is done nothing lets go of the batch's letter: it is on its way into the books or out of them. */
  holding<Result>(batch: Pick<Batch, 'id'>, work: () => Promise<Result>): Promise<Result>;
  /** What the janitor may let go: copies of frames whose batch has its record, and letters that are all there is of a batch. */
  readonly recorded: Expendable;
  readonly unrecorded: Expendable;
}

/** Letters that are read at a time: there may be thousands. */
const AT_ONCE = 64;
/** Of what is half written, or half removed: the next start sweeps it. */
const DRAFT = '.tmp';

export async function openDeadLetters(
  config: Pick<Config, 'data_dir' | 'dead_letter_max_bytes'>, spool: Pick<Spool, 'path'>, books: Books, expectOurs: ExpectOurs = () => Promise.resolve(), log: Log = silentLog,
): Promise<DeadLetters> {
  const folder = join(config.data_dir, 'dead-letter');
  await makeFolder(folder);
  for (const name of await namesIn(folder)) if (name.endsWith(DRAFT)) await sweepAway(join(folder, name), log);
  /** Copies of frames whose batch has its record: they go before letters that are all there is of a batch. */
  const copies = new Set<string>();
  const isCopy = (path: string): boolean => copies.has(path);
  const inUse = new Set<string>();
  const takeTurn = createTurns();
  async function list(passOver: (reason: string) => void = () => undefined): Promise<readonly DeadLetter[]> {
    const fewAtOnce = createLimit(AT_ONCE);
    const letters = await Promise.all((await namesIn(folder)).map((name) => fewAtOnce(() => read(join(folder, name))).catch(whereDamaged((error) => {
      passOver(errorInfo(error).message);
      return null;
    }))));
    return letters.filter((letter) => letter !== null);
  }

  async function drop(path: string, why: 'budget' | 'asked'): Promise<void> {
    const letter = await read(path).catch(whereDamaged(() => null));
    // It has gone, or whose frames these are cannot be told: it stays.
    if (!letter) return;
    if (!letter.recorded) {
      const { camera_id, id, frames } = letter.batch;
      await books.settle({ camera_id, batch: id, outcome: 'dropped', reason: why === 'budget' ? 'dead_letter_budget' : 'disk_full', frames: frames.length, from: 'dead_lettered', files: frames.map(({ key }) => key) });
    }
    await takeAway(path);
  }

  /** Its name goes first: what lies under it is a letter that nobody has let go. */
  async function takeAway(path: string): Promise<void> {
    copies.delete(path);
    const leaving = `${path}${DRAFT}`;
    await rename(path, leaving).catch((error: unknown) => {
      // Somebody removed it by hand.
      if (!hasCode(error, 'ENOENT')) throw error;
    });
    await rm(leaving, { recursive: true, force: true });
  }

  /** Letters that were let go and are there again, as from a backup: their frames are captured once more. */
  async function enterAgain({ batch: { id, camera_id, frames } }: DeadLetter): Promise<void> {
    books.captured(camera_id, frames.length);
    await books.settle({ camera_id, batch: id, outcome: 'dead_lettered', frames: frames.length });
  }

  /** A crash came before it was entered: its batch is looked at again, and it goes. */
  const isUnentered = async ({ batch: { id, frames: [first] } }: DeadLetter): Promise<boolean> => !books.settled(id) && first !== undefined && await isThere(spool.path(first.key));

  const unreadable: string[] = [];
  const known = await list((reason) => { unreadable.push(reason); });
  // What else lies there is not ours.
  const budget = await createByteBudget({
    maxBytes: config.dead_letter_max_bytes, existing: known.map(({ batch }) => join(folder, batch.id)), canBeSpared: isCopy, isInUse: (path) => inUse.has(path),
    remove: (path, why) => takeTurn(() => drop(path, why)),
  });
  const expendable = createExpendables(folder, budget);
  if (unreadable.length > 0) log.warn(`${unreadable.length} dead letters in ${folder} cannot be read; they stay where they lie`, { first: unreadable[0] });
  const restored = known.filter(({ batch, recorded }) => !recorded && books.letterDropped(batch.id));
  for (const letter of restored) await enterAgain(letter);
  if (restored.length > 0) log.info(`${restored.length} dead letters that had been let go for want of room are there again; they are counted and can be replayed`, { first: restored[0]?.batch.id });
  if (books.fresh) {
    const letters = known.filter(({ recorded }) => !recorded).map(({ batch }) => batch);
    if (letters.length > 0) await books.beginWith(letters);
  }
  for (const letter of known) {
    const path = join(folder, letter.batch.id);
    if (letter.recorded) copies.add(path);
    else if (await isUnentered(letter)) inUse.add(path);
  }

  return {
    folder,
    folderOf: ({ id }) => join(folder, id),
    get: (id) => read(join(folder, id)),
    async add(letter) {
      await expectOurs();
      const target = join(folder, letter.batch.id);
      // A damaged one is written anew.
      if (await read(target).catch(whereDamaged(() => null))) return;
      const temporary = `${target}${DRAFT}`;
      await rm(temporary, { recursive: true, force: true });
      await makeFolder(temporary);
      for (const { key } of letter.batch.frames) {
        await linkOrCopy(spool.path(key), join(temporary, basename(key))).catch((error: unknown) => {
          // A frame that somebody removed by hand: the letter still names it.
          if (!hasCode(error, 'ENOENT')) throw error;
        });
      }
      await writeAtomically(join(temporary, 'batch.json'), `${JSON.stringify({ ...letter, at: new Date().toISOString() }, null, 2)}\n`);
      await rm(target, { recursive: true, force: true });
      await rename(temporary, target);
      await fsyncFolder(folder);
      if (letter.recorded) copies.add(target);
      else copies.delete(target);
      await budget.add(target);
    },
    list,
    async remove(batch) {
      await expectOurs();
      const path = join(folder, batch.id);
      budget.forget(path);
      await takeAway(path);
      inUse.delete(path);
    },
    async holding({ id }, work) {
      const path = join(folder, id);
      inUse.add(path);
      try {
        // One that is being let go has gone by then.
        await takeTurn(() => Promise.resolve());
        return await work();
      } finally {
        inUse.delete(path);
      }
    },
    recorded: expendable(isCopy),
    unrecorded: expendable((path) => !isCopy(path)),
  };
}

/** null: there is none. Throws `file_damaged`, and what only keeps it from being read for now. */
async function read(path: string): Promise<DeadLetter | null> {
  const file = join(path, 'batch.json');
  try {
    const bytes = await readUnlessDamaged(file);
    if (bytes === null) throw new Error('its disk cannot read it');
    const letter: unknown = JSON.parse(bytes.toString('utf8'));
    if (!isObject(letter) || !isObject(letter['errors'])) throw new Error('it is no dead letter');
    const { batch: stored, errors, recorded, at } = letter;
    const batch = readBatch(stored);
    // Under another name it is somebody's copy.
    if (batch?.id !== basename(path)) throw new Error('it is not the letter of this folder');
    return { batch, errors: errors as DeadLetter['errors'], recorded: recorded === true, at: String(at) };
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
    if (isTransient(error)) throw error;
    throw new LookoutError('file_damaged', `${file} cannot be read: mend it or move its folder away (${String(error)})`, { cause: error });
  }
}

/** What stands for a letter that is damaged; all other failures are thrown. */
const whereDamaged = <Other>(instead: (error: LookoutError) => Other) => (error: unknown): Other => {
  if (error instanceof LookoutError && error.code === 'file_damaged') return instead(error);
  throw error;
};
