/** What a crash or a stop left in the spool: batches to finish, frames to group, and what is not ours. */
import { readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errorInfo } from '../errors.ts';
import { hasCode, linkOrCopy, namesIn, readUnlessDamaged, writeAtomically } from '../lib/files.ts';
import { parsedJson } from '../lib/json-line.ts';
import type { Log } from '../lib/log.ts';
import { isObject } from '../lib/objects.ts';
import { usableOptions, USUAL_STREAM_OPTIONS } from '../words/stream-options.ts';
import type { Batch, Frame } from '../types.ts';
import type { Books } from '../store/books.ts';
import { capturedAt, findingsFile, isDraftFolder, isManifest, isSessionFolder, isSpare, isUnfinished, manifestFile, SESSION_FILE } from '../store/names.ts';
import { enterDamaged, pictureSize } from './damaged.ts';
import type { Pipeline } from './pipeline.ts';
import { batchOf, type SessionFile, type Spool } from '../store/spool.ts';
import { areTexts, readBatch, readFindings } from '../store/stored-batch.ts';

const PATHS_SHOWN = 5;

export interface Leftovers {
  /** Closed batches, oldest first: manifests as they were, then loose frames grouped as `recovered`. */
  readonly batches: readonly Batch[];
  /** Those of them that have no manifest yet. */
  readonly grouped: readonly Batch[];
  /** Loose frames that cannot be read as pictures. Those that a manifest names are told once it is taken up. */
  readonly damaged: readonly Damaged[];
  /** Session folders of ours, also those that hold nothing any more. */
  readonly sessions: readonly string[];
  /** Names in the frames folder that are not ours; left alone. */
  readonly foreign: readonly string[];
  /** Where damaged manifests and session files lie now; what they named is taken up without them. */
  readonly aside: readonly string[];
  /** Folders of sessions of which nothing is known any more but their frames; left alone. */
  readonly unknown: readonly string[];
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

/** What an earlier run left goes on from where it was; what cannot be read is entered in the books and removed. When the signal aborts, it throws its reason, and the rest is left again. */
export async function recover(folder: string, { books, spool, pipeline, log }: RecoverParts, signal: AbortSignal): Promise<void> {
  const left = await findLeftovers(folder, signal);
  if (left.foreign.length > 0) log.info(`${left.foreign.length} entries of ${folder} are not Lookout's and are left alone`);
  const told = (paths: readonly string[]): string => [...paths.slice(0, PATHS_SHOWN), ...(paths.length > PATHS_SHOWN ? [`${paths.length - PATHS_SHOWN} more`] : [])].join(', ');
  if (left.aside.length > 0) log.warn(`${left.aside.length} damaged files say nothing of their batches; the frames are taken up without them`, { kept_as: told(left.aside) });
  if (left.unknown.length > 0) log.error(`of ${left.unknown.length} sessions nothing is known any more: their session.json is damaged, or they are another user's, and their frames stay where they lie`, { folders: told(left.unknown) });
  for (const batch of left.grouped) await spool.writeManifest(batch);
  for (const batch of left.batches) {
    signal.throwIfAborted();
    await pipeline.recover(batch);
  }
  // Last: the books remember so many names, and those of batches that were settled are asked about above.
  for (const { camera_id, key } of left.damaged) {
    if (!books.settled(key)) books.captured(camera_id);
    await enterDamaged(camera_id, key, books);
    await spool.remove(key);
  }
  for (const session of left.sessions) {
    await spool.end(session).catch((error: unknown) => {
      log.warn(`the folder of session ${session} is left until the next start`, { reason: errorInfo(error).message });
    });
  }
  if (left.batches.length > 0) log.info(`took up ${left.batches.length} batches of an earlier run`);
}

/** Reads the frames folder, which no capture may be using; what was never whole is removed from it. */
export async function findLeftovers(folder: string, signal?: AbortSignal): Promise<Leftovers> {
  const batches: Batch[] = [];
  const grouped: Batch[] = [];
  const damaged: Damaged[] = [];
  const sessions: string[] = [];
  const foreign: string[] = [];
  const aside: string[] = [];
  const unknown: string[] = [];
  for (const name of (await namesIn(folder)).sort()) {
    signal?.throwIfAborted();
    const own = join(folder, name);
    if (await isDraft(own)) {
      await rm(own, { recursive: true }).catch((error: unknown) => {
        if (!hasCode(error, 'EACCES', 'EPERM')) throw error;
        foreign.push(name);
      });
      continue;
    }
    const read = await readSession(own);
    const session = read === 'damaged' ? await sessionOfManifests(own) : read;
    if (session) {
      const left = await readLeft(own, session).catch((error: unknown) => {
        // A run as another user left it, and its frames cannot be looked at.
        if (hasCode(error, 'EACCES', 'EPERM')) return null;
        throw error;
      });
      if (left === null) {
        unknown.push(own);
        continue;
      }
      sessions.push(name);
      if (read === 'damaged') aside.push(await writeAnew(join(own, SESSION_FILE), session));
      batches.push(...left.batches, ...left.grouped);
      grouped.push(...left.grouped);
      damaged.push(...left.damaged);
      aside.push(...left.aside);
    } else if (read === 'damaged') {
      unknown.push(own);
    } else if (!name.startsWith('.')) {
      foreign.push(name);
    }
  }
  batches.sort((a, b) => (a.frames[0]?.captured_at ?? '').localeCompare(b.frames[0]?.captured_at ?? ''));
  return { batches, grouped, damaged, sessions, foreign, aside, unknown };
}

/** What one session left: its manifests, and its loose frames in groups of its batch size. */
async function readLeft(folder: string, session: SessionFile): Promise<Pick<Leftovers, 'batches' | 'grouped' | 'damaged' | 'aside'>> {
  // There may be hundreds of thousands.
  const files = await filesIn(folder);
  const names = new Set(files);
  for (const file of files.filter(isUnfinished)) await rm(join(folder, file), { force: true });
  const manifests: Batch[] = [];
  const aside: string[] = [];
  for (const file of files.filter((one) => isManifest(session.name, one))) {
    const manifest = await readManifest(join(folder, file), session.name);
    if (manifest) manifests.push(manifest);
    // Its frames are grouped anew.
    else aside.push(await putBeside(join(folder, file)));
  }
  const inManifest = new Set(manifests.flatMap(({ frames }) => frames.map(({ key }) => key)));
  const next = manifests.flatMap(({ frames }) => frames).reduce((most, { sequence }) => Math.max(most, sequence), -1) + 1;
  const loose: Frame[] = [];
  const damaged: Damaged[] = [];
  for (const file of files) {
    const key = `${session.name}/${file}`;
    const captured_at = capturedAt(file);
    if (captured_at === null || inManifest.has(key)) continue;
    const size = await pictureSize(join(folder, file));
    const findings = names.has(findingsFile(file)) ? readFindings(await readJson(join(folder, findingsFile(file)))) : [];
    if (size) loose.push({ key, captured_at, ...size, sequence: next + loose.length, ...(findings.length > 0 && { findings }) });
    else damaged.push({ camera_id: session.camera_id, key });
  }
  const { batch_size } = session.options;
  const groups = Array.from({ length: Math.ceil(loose.length / batch_size) }, (_, index) => loose.slice(index * batch_size, (index + 1) * batch_size));
  return { batches: manifests, grouped: groups.map((frames) => batchOf(session, frames, 'recovered')), damaged, aside };
}

/** What else lies there is not ours. */
async function filesIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile()).map(({ name }) => name).sort();
}

/** At no time is there none: the folder would be nobody's. */
async function writeAnew(file: string, session: SessionFile): Promise<string> {
  const damaged = `${file}.damaged`;
  await linkOrCopy(file, damaged);
  await writeAtomically(file, `${JSON.stringify(session)}\n`);
  return damaged;
}

async function putBeside(file: string): Promise<string> {
  const damaged = `${file}.damaged`;
  await rename(file, damaged);
  return damaged;
}

/** null: damaged, as a failing disk or a hand leaves it. */
async function readManifest(path: string, session: string): Promise<Batch | null> {
  const batch = readBatch(await readJson(path));
  return batch?.session === session && manifestFile(batch.id) === basename(path) ? batch : null;
}

/** undefined: no JSON, or its disk cannot read it any more. */
async function readJson(path: string): Promise<unknown> {
  const bytes = await readUnlessDamaged(path);
  return bytes === null ? undefined : parsedJson(bytes.toString('utf8'));
}

/** A session's folder that a crash left half made or half removed. */
async function isDraft(folder: string): Promise<boolean> {
  return isDraftFolder(basename(folder)) && (await namesIn(folder)).every(isSpare);
}

/** null: no folder of ours. `damaged`: only its name says that it is. */
async function readSession(folder: string): Promise<SessionFile | 'damaged' | null> {
  const name = basename(folder);
  try {
    const stored = await readJson(join(folder, SESSION_FILE));
    if (isObject(stored) && 'lookout' in stored) {
      // Of a version to come.
      if (stored['lookout'] !== 1) return null;
      // Under another name it is somebody's copy, whose batches are in the original.
      if (typeof stored['name'] === 'string' && stored['name'] !== name) return null;
      const { camera_id, models, started_at, batch_size, options = { batch_size } } = stored;
      if (stored['name'] === name && typeof camera_id === 'string' && areTexts(models)) {
        return { lookout: 1, name, camera_id, models, options: usableOptions(options, USUAL_STREAM_OPTIONS), started_at: String(started_at) };
      }
    }
  } catch (error) {
    // Nor is a folder ours that we may not look into, such as lost+found.
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'EACCES', 'EPERM')) return null;
    throw error;
  }
  return isSessionFolder(name) ? 'damaged' : null;
}

/** What a session's manifests say of it, where its own file is damaged; null: there is none. */
async function sessionOfManifests(folder: string): Promise<SessionFile | null> {
  const name = basename(folder);
  for (const file of (await namesIn(folder)).filter((one) => isManifest(name, one))) {
    const batch = await readManifest(join(folder, file), name);
    if (batch) return { lookout: 1, name, camera_id: batch.camera_id, models: batch.models, options: batch.options, started_at: '' };
  }
  return null;
}
