/** What a crash or a stop left in the spool: batches to finish, frames to group, and what is not ours. */
import { readFile, rename, rm } from 'node:fs/promises';
import { imageSize } from 'image-size';
import { basename, join } from 'node:path';
import { hasCode, namesIn } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';
import type { Batch, Frame } from '../types.ts';
import type { Books } from './books.ts';
import { batchId, capturedAt } from './names.ts';
import type { Pipeline } from './pipeline.ts';
import { isSpare, SESSION_FILE, type SessionFile, type Spool } from './spool.ts';

export interface Leftovers {
  /** Closed batches, oldest first: manifests as they were, then loose frames grouped as `recovered`. */
  readonly batches: readonly Batch[];
  /** Frames that cannot be read as pictures. */
  readonly damaged: readonly { readonly camera_id: string; readonly key: string }[];
  /** Session folders of ours, also those that hold nothing any more. */
  readonly sessions: readonly string[];
  /** Names in the frames folder that are not ours; left alone. */
  readonly foreign: readonly string[];
}

export interface TakeUpParts {
  readonly books: Books;
  readonly spool: Spool;
  readonly pipeline: Pick<Pipeline, 'resume'>;
  readonly log: Log;
}

export async function findLeftovers(folder: string): Promise<Leftovers> {
  const batches: Batch[] = [];
  const damaged: { camera_id: string; key: string }[] = [];
  const sessions: string[] = [];
  const foreign: string[] = [];
  for (const name of (await namesIn(folder)).sort()) {
    if (await isDraft(folder, name)) {
      await rm(join(folder, name), { recursive: true });
      continue;
    }
    const session = await readSession(join(folder, name));
    if (!session) {
      if (!name.startsWith('.')) foreign.push(name);
      continue;
    }
    sessions.push(name);
    const files = (await namesIn(join(folder, name))).sort();
    const manifests: Batch[] = [];
    for (const file of files.filter((one) => isManifest(name, one))) {
      const manifest = await readManifest(join(folder, name, file));
      if (manifest) manifests.push(manifest);
      // Its frames are grouped anew.
      else await rename(join(folder, name, file), join(folder, name, `${file}.damaged`));
    }
    batches.push(...manifests);
    const inManifest = new Set(manifests.flatMap(({ frames }) => frames.map(({ key }) => key)));
    const loose: Frame[] = [];
    for (const file of files) {
      const key = `${name}/${file}`;
      const captured_at = capturedAt(file);
      if (captured_at === null || inManifest.has(key)) {
        if (file.endsWith('.tmp')) await rm(join(folder, key), { force: true });
        continue;
      }
      const size = await pictureSize(join(folder, key));
      if (size) loose.push({ key, captured_at, ...size });
      else damaged.push({ camera_id: session.camera_id, key });
    }
    for (let start = 0; start < loose.length; start += session.batch_size) {
      batches.push(recovered(session, loose.slice(start, start + session.batch_size)));
    }
  }
  batches.sort((a, b) => (a.frames[0]?.captured_at ?? '').localeCompare(b.frames[0]?.captured_at ?? ''));
  return { batches, damaged, sessions, foreign };
}

function recovered(session: SessionFile, frames: readonly Frame[]): Batch {
  return {
    id: batchId(session.name, frames[0]?.captured_at ?? ''), camera_id: session.camera_id, session: session.name,
    closed_by: 'recovered', frames, models: session.models, attempts: {},
  };
}

/** null: damaged, as a failing disk leaves it. */
async function readManifest(path: string): Promise<Batch | null> {
  const text = await readFile(path, 'utf8');
  try {
    return JSON.parse(text) as Batch;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function isManifest(session: string, file: string): boolean {
  return file.startsWith(`${session}-`) && file.endsWith('.json') && !file.endsWith('.record.json');
}

/** A session's folder that a crash left half made or half removed. */
async function isDraft(folder: string, name: string): Promise<boolean> {
  return /_[0-9a-f]{8}\.tmp$/.test(name) && (await namesIn(join(folder, name))).every(isSpare);
}

async function readSession(folder: string): Promise<SessionFile | null> {
  try {
    const session = JSON.parse(await readFile(join(folder, SESSION_FILE), 'utf8')) as Partial<SessionFile> | null;
    // Under another name it is somebody's copy, whose batches are in the original.
    return session?.lookout === 1 && session.name === basename(folder) ? (session as SessionFile) : null;
  } catch (error) {
    // Nor is a folder ours that we may not look into, such as lost+found.
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES') || error instanceof SyntaxError) return null;
    throw error;
  }
}

/** null: not a whole JPEG, as a power cut leaves it. */
async function pictureSize(path: string): Promise<{ width: number; height: number } | null> {
  const bytes = await readFile(path);
  if (bytes.length < 4 || bytes.readUInt16BE(bytes.length - 2) !== 0xffd9) return null;
  try {
    const { width, height } = imageSize(bytes);
    return { width, height };
  } catch {
    // Not a picture: that is the answer.
    return null;
  }
}

/** What an earlier run left goes on from where it was; what cannot be read is entered in the books and removed. */
export async function takeUp(folder: string, { books, spool, pipeline, log }: TakeUpParts): Promise<void> {
  const left = await findLeftovers(folder);
  if (left.foreign.length > 0) log.info(`${left.foreign.length} entries of ${folder} are not Lookout's and are left alone`);
  for (const { camera_id, key } of left.damaged) {
    if (!books.settled(key)) {
      books.captured(camera_id);
      await books.settle({ camera_id, batch: key, outcome: 'dropped', reason: 'damaged', frames: 1, files: [key] });
    }
    await spool.remove(key);
  }
  for (const batch of left.batches) await pipeline.resume(batch);
  for (const session of left.sessions) await spool.close(session);
  if (left.batches.length > 0) log.info(`took up ${left.batches.length} batches of an earlier run`);
}
