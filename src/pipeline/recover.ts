/** What a crash or a stop left in the spool: batches to finish, frames to group, and what is not ours. */
import { readFile, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errorInfo } from '../errors.ts';
import { hasCode, namesIn } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';
import { isObject } from '../lib/objects.ts';
import { USUAL_STREAM_OPTIONS } from '../words/stream-options.ts';
import type { Batch, Frame, StreamOptions } from '../types.ts';
import type { Books } from '../store/books.ts';
import { capturedAt, isDraftFolder, isManifest, isSpare, isUnfinished, SESSION_FILE } from '../store/names.ts';
import { enterDamaged, pictureSize } from './damaged.ts';
import type { Pipeline } from './pipeline.ts';
import { batchOf, type SessionFile, type Spool } from '../store/spool.ts';

export interface Leftovers {
  /** Closed batches, oldest first: manifests as they were, then loose frames grouped as `recovered`. */
  readonly batches: readonly Batch[];
  /** Loose frames that cannot be read as pictures. Those that a manifest names are told once it is taken up. */
  readonly damaged: readonly Damaged[];
  /** Session folders of ours, also those that hold nothing any more. */
  readonly sessions: readonly string[];
  /** Names in the frames folder that are not ours; left alone. */
  readonly foreign: readonly string[];
}

interface Damaged {
  readonly camera_id: string;
  readonly key: string;
}

export interface RecoverParts {
  readonly books: Books;
  readonly spool: Spool;
  readonly pipeline: Pick<Pipeline, 'recover'>;
  readonly log: Log;
}

/** What an earlier run left goes on from where it was; what cannot be read is entered in the books and removed. */
export async function recover(folder: string, { books, spool, pipeline, log }: RecoverParts): Promise<void> {
  const left = await findLeftovers(folder);
  if (left.foreign.length > 0) log.info(`${left.foreign.length} entries of ${folder} are not Lookout's and are left alone`);
  for (const { camera_id, key } of left.damaged) {
    if (!books.settled(key)) books.captured(camera_id);
    await enterDamaged(camera_id, key, books);
    await spool.remove(key);
  }
  for (const batch of left.batches) await pipeline.recover(batch);
  for (const session of left.sessions) {
    await spool.end(session).catch((error: unknown) => {
      log.warn(`the folder of session ${session} is left until the next start`, { reason: errorInfo(error).message });
    });
  }
  if (left.batches.length > 0) log.info(`took up ${left.batches.length} batches of an earlier run`);
}

/** Reads the frames folder, which no capture may be using; what was never whole is removed from it. */
export async function findLeftovers(folder: string): Promise<Leftovers> {
  const batches: Batch[] = [];
  const damaged: Damaged[] = [];
  const sessions: string[] = [];
  const foreign: string[] = [];
  for (const name of (await namesIn(folder)).sort()) {
    const own = join(folder, name);
    if (await isDraft(own)) {
      await rm(own, { recursive: true });
      continue;
    }
    const session = await readSession(own);
    if (session) {
      sessions.push(name);
      const left = await readLeft(own, session);
      batches.push(...left.batches);
      damaged.push(...left.damaged);
    } else if (!name.startsWith('.')) {
      foreign.push(name);
    }
  }
  batches.sort((a, b) => (a.frames[0]?.captured_at ?? '').localeCompare(b.frames[0]?.captured_at ?? ''));
  return { batches, damaged, sessions, foreign };
}

/** What one session left: its manifests, and its loose frames in groups of its batch size. */
async function readLeft(folder: string, session: SessionFile): Promise<Pick<Leftovers, 'batches' | 'damaged'>> {
  const files = (await namesIn(folder)).sort();
  for (const file of files.filter(isUnfinished)) await rm(join(folder, file), { force: true });
  const manifests: Batch[] = [];
  for (const file of files.filter((one) => isManifest(session.name, one))) {
    const manifest = await readManifest(join(folder, file), session.name);
    if (manifest) manifests.push(manifest);
    // Its frames are grouped anew.
    else await rename(join(folder, file), join(folder, `${file}.damaged`));
  }
  const inManifest = new Set(manifests.flatMap(({ frames }) => frames.map(({ key }) => key)));
  const next = Math.max(-1, ...manifests.flatMap(({ frames }) => frames.map(({ sequence }) => sequence))) + 1;
  const loose: Frame[] = [];
  const damaged: Damaged[] = [];
  for (const file of files) {
    const key = `${session.name}/${file}`;
    const captured_at = capturedAt(file);
    if (captured_at === null || inManifest.has(key)) continue;
    const size = await pictureSize(join(folder, file));
    if (size) loose.push({ key, captured_at, ...size, sequence: next + loose.length });
    else damaged.push({ camera_id: session.camera_id, key });
  }
  const { batch_size } = session.options;
  const groups = Array.from({ length: Math.ceil(loose.length / batch_size) }, (_, index) => loose.slice(index * batch_size, (index + 1) * batch_size));
  return { batches: [...manifests, ...groups.map((frames) => batchOf(session, frames, 'recovered'))], damaged };
}

/** A manifest as it may stand there: those of the first version have no options, count tries by model, and do not number frames. */
type StoredBatch = Omit<Batch, 'options' | 'attempts' | 'frames'> & {
  readonly options?: StreamOptions;
  readonly attempts?: number | Readonly<Record<string, number>>;
  readonly frames: readonly (Omit<Frame, 'sequence'> & Partial<Frame>)[];
};

function complete({ options, attempts = 0, frames, ...batch }: StoredBatch): Batch {
  return {
    ...batch,
    frames: frames.map((frame, sequence) => ({ sequence, ...frame })),
    options: options ?? { ...USUAL_STREAM_OPTIONS, batch_size: frames.length },
    attempts: typeof attempts === 'number' ? attempts : Math.max(0, ...Object.values(attempts)),
  };
}

/** null: damaged, as a failing disk or a hand leaves it. */
async function readManifest(path: string, session: string): Promise<Batch | null> {
  const text = await readFile(path, 'utf8');
  try {
    const stored: unknown = JSON.parse(text);
    return isBatchOf(session, stored) ? complete(stored) : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** What would be read and removed as its frames lies in its own folder. */
function isBatchOf(session: string, stored: unknown): stored is StoredBatch {
  if (!isObject(stored) || stored['session'] !== session || typeof stored['id'] !== 'string' || typeof stored['camera_id'] !== 'string') return false;
  const { models, frames } = stored;
  return Array.isArray(models) && Array.isArray(frames) && frames.length > 0 && frames.every((frame) => (
    isObject(frame) && typeof frame['captured_at'] === 'string' && typeof frame['key'] === 'string' && frame['key'] === `${session}/${basename(frame['key'])}`
  ));
}

/** A session's folder that a crash left half made or half removed. */
async function isDraft(folder: string): Promise<boolean> {
  return isDraftFolder(basename(folder)) && (await namesIn(folder)).every(isSpare);
}

async function readSession(folder: string): Promise<SessionFile | null> {
  try {
    const session = JSON.parse(await readFile(join(folder, SESSION_FILE), 'utf8')) as (Partial<SessionFile> & { /** Of the first version. */ readonly batch_size?: number }) | null;
    // Under another name it is somebody's copy, whose batches are in the original.
    if (session?.lookout !== 1 || session.name !== basename(folder)) return null;
    const { batch_size = USUAL_STREAM_OPTIONS.batch_size, options = { ...USUAL_STREAM_OPTIONS, batch_size } } = session;
    return { ...(session as SessionFile), options };
  } catch (error) {
    // Nor is a folder ours that we may not look into, such as lost+found.
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES') || error instanceof SyntaxError) return null;
    throw error;
  }
}
