/** Clips, under `data/clips`: a folder for each with its video and its facts, there as a whole or not at all; oldest removed first, those of events that are to be kept after all others. */
import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errorInfo } from '../errors.ts';
import { createByteBudget, type ByteBudget } from '../lib/byte-budget.ts';
import { fsyncFolder, hasCode, isThere, makeFolder, namesIn, sweepAway, writeAtomically } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';
import { isObject } from '../lib/objects.ts';
import { createTurns } from '../lib/turns.ts';
import type { Clip, ClipFacts, Config } from '../types.ts';
import { createExpendables } from './expendables.ts';
import type { Expendable } from './janitor.ts';
import { clipId } from './names.ts';
import type { ExpectOurs } from './own-folders.ts';
import { areTexts } from './stored-batch.ts';

export interface Clips {
  /** `record` is given a path for the video. What it throws is thrown, and nothing is left. With an id that is taken it comes in place of that clip. */
  keep(of: ClipOf, record: (file: string) => Promise<ClipFacts>): Promise<Clip>;
  /** Newest first. */
  list(query: { readonly camera_id?: string | undefined; readonly limit: number }): readonly Clip[];
  get(id: string): Clip | null;
  /** The one that shows an event; null: none does. */
  ofEvent(event: string): Clip | null;
  /** Its video; null: there is no such clip. */
  file(id: string): string | null;
  /** Whether there was one. */
  remove(id: string): Promise<boolean>;
  /** What the janitor may let go: those of events that are to be kept, and the others. */
  readonly kept: Expendable;
  readonly others: Expendable;
}

export interface ClipOf extends Pick<Clip, 'camera_id' | 'made_of' | 'events'> {
  /** Absent: a new one. */
  readonly id?: string;
}

const [FOLDER, VIDEO, FACTS, DRAFT] = ['clips', 'clip.mp4', 'clip.json', '.tmp'] as const;

export async function openClips(
  { data_dir, clips_max_bytes }: Pick<Config, 'data_dir' | 'clips_max_bytes'>, expectOurs: ExpectOurs, isToKeep: (event: string) => boolean, log: Log,
): Promise<Clips> {
  const folder = join(data_dir, FOLDER);
  const known = new Map<string, Clip>();
  /** Of which clip, by event. */
  const showing = new Map<string, string>();
  const takeTurn = createTurns();
  const isOther = (path: string): boolean => !known.get(basename(path))?.events.some(isToKeep);

  for (const name of await namesIn(folder)) {
    if (name.endsWith(DRAFT)) await sweepAway(join(folder, name), log);
    else await readFacts(name).then((clip) => { know(name, clip); }, (error: unknown) => {
      log.warn(`what lies in ${join(folder, name)} is no clip of Lookout's, and is left alone`, { reason: errorInfo(error).message });
    });
  }
  const budget: ByteBudget = await createByteBudget({
    maxBytes: clips_max_bytes, existing: [...known.keys()].map((id) => join(folder, id)),
    remove: async (path) => { await drop(basename(path)); }, canBeSpared: isOther,
  });

  async function readFacts(name: string): Promise<Clip> {
    const stored: unknown = JSON.parse(await readFile(join(folder, name, FACTS), 'utf8'));
    const facts = { made_of: 'video', events: [], ...(isObject(stored) && stored) } as Readonly<Record<string, unknown>>;
    if (!areTexts(facts['events']) || !areTexts([facts['camera_id'], facts['begins_at']])) throw new Error('its facts are damaged');
    return facts as unknown as Clip;
  }

  function know(id: string, clip: Clip): void {
    known.set(id, clip);
    for (const event of clip.events) showing.set(event, id);
  }

  /** Its name goes first: what is left half removed is swept at the next start. */
  async function drop(id: string): Promise<void> {
    for (const event of known.get(id)?.events ?? []) if (showing.get(event) === id) showing.delete(event);
    known.delete(id);
    const leaving = join(folder, `${id}${DRAFT}`);
    await rename(join(folder, id), leaving).catch((error: unknown) => {
      // Somebody removed it by hand.
      if (!hasCode(error, 'ENOENT')) throw error;
    });
    await rm(leaving, { recursive: true, force: true });
  }

  async function seal(draft: string, of: ClipOf, facts: ClipFacts): Promise<Clip> {
    const video = join(draft, VIDEO);
    const handle = await open(video, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    const clip: Clip = { id: clipId(of.camera_id, facts.begins_at), ...of, ...facts, bytes: (await stat(video)).size };
    await writeAtomically(join(draft, FACTS), JSON.stringify(clip));
    await expectOurs();
    const place = join(folder, clip.id);
    if (await isThere(place)) {
      await replace(place, draft);
    } else {
      await rename(draft, place);
      await fsyncFolder(folder);
    }
    return clip;
  }

  /** At any moment there is one, and who reads the one before reads it to its end. */
  async function replace(place: string, draft: string): Promise<void> {
    for (const name of [VIDEO, FACTS]) await rename(join(draft, name), join(place, name));
    await fsyncFolder(place);
    await rm(draft, { recursive: true });
  }

  const expendable = createExpendables(folder, budget, takeTurn);
  return {
    async keep(of, record) {
      const draft = join(folder, `${randomBytes(4).toString('hex')}${DRAFT}`);
      await makeFolder(draft);
      try {
        const facts = await record(join(draft, VIDEO));
        return await takeTurn(async () => {
          const clip = await seal(draft, of, facts);
          know(clip.id, clip);
          await budget.add(join(folder, clip.id));
          return clip;
        });
      } catch (error) {
        await rm(draft, { recursive: true, force: true });
        throw error;
      }
    },
    list: ({ camera_id, limit }) => [...known.values()]
      .filter((clip) => camera_id === undefined || clip.camera_id === camera_id)
      .sort((a, b) => (a.begins_at < b.begins_at ? 1 : -1))
      .slice(0, limit),
    get: (id) => known.get(id) ?? null,
    ofEvent: (event) => known.get(showing.get(event) ?? '') ?? null,
    file: (id) => (known.has(id) ? join(folder, id, VIDEO) : null),
    async remove(id) {
      if (!known.has(id)) return false;
      return takeTurn(async () => {
        if (!known.has(id)) return false;
        budget.forget(join(folder, id));
        await drop(id);
        return true;
      });
    },
    kept: expendable((path) => !isOther(path)),
    others: expendable(isOther),
  };
}
