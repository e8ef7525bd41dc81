/**
 * The spool: captured frames on disk until their batch is settled.
 *
 *     frames/<camera>_<8 hex>/session.json               whose frames these are, and for which models
 *                            /<camera>_<time>.jpg        a frame, whole or not there
 *                            /<camera>_<time>.findings.json   what its camera said of it, there before the frame is
 *                            /<anything>.tmp             not a frame, or not yet: also pictures that a source makes
 *                            /<batch id>.json            its manifest: a closed batch, never regrouped
 *                            /<batch id>.record.json     its finished record, until the log has it
 *                            /latest.jpg                 the camera's newest picture
 *
 * Every file appears by rename, and so does a session's folder with its session.json; but not a finished record, which
 * is nothing but a short cut. A batch's manifest goes last, so that whatever a crash leaves is found again.
 */
import { rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fsyncFolder, hasCode, isThere, linkOrCopy, makeFolder, namesIn, readUnlessDamaged, removeIfPresent, writeAtomically } from '../lib/files.ts';
import { isObject } from '../lib/objects.ts';
import { createTurns } from '../lib/turns.ts';
import type { Batch, BatchRecord, CapturedFrame, ClosedBy, Frame, PictureFile, StreamOptions } from '../types.ts';
import type { ExpectOurs } from './own-folders.ts';
import { batchId, draftFolder, findingsFile, frameFile, isSpare, LATEST_FILE, manifestFile, recordFile, SESSION_FILE, sessionName, tickFile } from './names.ts';

/** One run of one stream. Survives reconnects, not restarts. */
export interface Session {
  readonly name: string;
  readonly camera_id: string;
  readonly models: readonly string[];
  readonly options: StreamOptions;
}

export interface SessionFile extends Session {
  readonly lookout: 1;
  readonly started_at: string;
}

export interface Spool {
  readonly folder: string;
  /** Sessions that take frames: opened here, and not ended yet. */
  readonly sessions: number;
  open(spec: Omit<Session, 'name'>): Promise<Session>;
  /** Puts a batch with its manifest back into its session; its frames come from the folder where they lie by their file name. */
  putBack(batch: Batch, from: string): Promise<void>;
  /** Where the session's frames lie: made again when somebody removed it. */
  folderOf(session: Session): Promise<string>;
  /** A picture that comes as a file is moved, or removed when it is not whole. */
  put(session: Session, captured: Omit<CapturedFrame, 'missed' | 'mode'>): Promise<Frame>;
  /** Makes a frame its session's latest picture, which outlives its batch. Returns where it lies. */
  showLatest(session: Session, frame: Frame): Promise<string>;
  /** Where a frame lies. */
  readonly path: (key: string) => string;
  writeManifest(batch: Batch): Promise<void>;
  /** Survives the end of the process, not always that of the machine. */
  writeRecord(batch: Batch, record: BatchRecord): Promise<void>;
  /** null: there is none, a crash came while it was written, or it is of something else. */
  readRecord(batch: Batch): Promise<BatchRecord | null>;
  /** An earlier version of Lookout left word that the batch's record was appended. */
  isTicked(batch: Batch): Promise<boolean>;
  /** The batch is settled: frames and record go, the manifest last; with the last batch of a session that has ended its folder. */
  release(batch: Batch): Promise<void>;
  /** A single frame, given up. */
  remove(key: string): Promise<void>;
  /** The session takes no more frames: its folder goes with its last batch, or now. */
  end(session: string): Promise<void>;
}

/** `expectOurs` is asked before each change in the folder. */
export function createSpool(folder: string, expectOurs: ExpectOurs = () => Promise.resolve()): Spool {
  const path = (key: string): string => join(folder, key);
  const inSession = (batch: Batch, file: string): string => join(folder, batch.session, file);

  const taking = new Map<string, Taking>();

  // Folders come and go one at a time: none is removed while a batch is put into it.
  const takeTurn = createTurns();

  async function begin(session: Session): Promise<void> {
    await expectOurs();
    const own = join(folder, session.name);
    const draft = join(folder, draftFolder(session.name));
    const file: SessionFile = { lookout: 1, ...session, started_at: new Date().toISOString() };
    try {
      await makeFolder(draft);
      await writeAtomically(join(draft, SESSION_FILE), `${JSON.stringify(file)}\n`);
      await rename(draft, own);
      await fsyncFolder(folder);
    } catch (error) {
      for (const failed of [draft, own]) await rm(failed, { recursive: true, force: true });
      throw error;
    }
  }

  async function folderOf(session: Session): Promise<string> {
    const own = join(folder, session.name);
    await takeTurn(async () => {
      if (!(await isThere(own))) await begin(session);
    });
    return own;
  }

  /** Somebody may remove the session's folder while it is in use: it is made again for what is to come. */
  async function inFolder<Result>(session: Session, work: () => Promise<Result>): Promise<Result> {
    await expectOurs();
    return work().catch(async (error: unknown) => {
      if (!hasCode(error, 'ENOENT')) throw error;
      await folderOf(session);
      return work();
    });
  }

  const stateOf = ({ name }: Session): Taking => taking.get(name) ?? nothingTaken();

  /**
   * Frames are named by their time. A second one of the same millisecond, or of a clock that was set back a little, takes
   * the next that was free all along; what is of a time that nothing is remembered of begins a round with names of its own.
   */
  function freeName(session: Session, captured_at: string): { readonly key: string; readonly captured_at: string } {
    const state = stateOf(session);
    let ms = Date.parse(captured_at);
    if (ms <= state.forgotten) beginRound(state);
    // It may have left the spool: its record is known by its name for ever.
    while (state.lately.has(ms)) ms += 1;
    remember(state, ms);
    const time = new Date(ms).toISOString();
    return { key: `${session.name}/${frameFile(session.camera_id, time, state.round)}`, captured_at: time };
  }

  /** Removes the folder of a session that has nothing left; keeps it otherwise. */
  const removeFolder = (session: string): Promise<void> => takeTurn(async () => {
    await expectOurs();
    const own = join(folder, session);
    const files = await namesIn(own);
    if (files.length === 0 || !files.every(isSpare)) return;
    const draft = join(folder, draftFolder(session));
    await rename(own, draft);
    await rm(draft, { recursive: true });
  });

  return {
    folder,
    path,
    get sessions() {
      return taking.size;
    },

    async open({ camera_id, models, options }) {
      const session: Session = { name: sessionName(camera_id), camera_id, models, options };
      await begin(session);
      taking.set(session.name, nothingTaken());
      return session;
    },

    putBack: (batch, from) => takeTurn(async () => {
      await expectOurs();
      const { session, frames } = batch;
      const own = join(folder, session);
      if ((await namesIn(own)).length === 0) await begin(sessionOf(batch));
      await writeAtomically(inSession(batch, manifestFile(batch.id)), `${JSON.stringify(batch)}\n`);
      for (const { key } of frames) {
        await linkOrCopy(join(from, basename(key)), path(key)).catch((error: unknown) => {
          // Removed by hand: what is left is looked at.
          if (!hasCode(error, 'ENOENT')) throw error;
        });
      }
      await fsyncFolder(own);
    }),

    folderOf,

    async put(session, captured) {
      await expectOurs();
      const { width, height, picture, findings = [] } = captured;
      const { key, captured_at } = freeName(session, captured.captured_at);
      const temporary = 'jpeg' in picture ? `${path(key)}.tmp` : picture.file;
      try {
        if ('jpeg' in picture) await inFolder(session, () => writeFile(temporary, picture.jpeg));
        else await expectWhole(picture);
        if (findings.length > 0) await inFolder(session, () => writeFile(findingsFile(path(key)), JSON.stringify(findings)));
        await rename(temporary, path(key));
      } catch (error) {
        await removeIfPresent(temporary);
        await removeIfPresent(findingsFile(path(key)));
        throw error;
      }
      const state = stateOf(session);
      const sequence = state.frames;
      state.frames += 1;
      return { key, captured_at, width, height, sequence, ...(findings.length > 0 && { findings }) };
    },

    async showLatest(session, frame) {
      await expectOurs();
      const latest = join(folder, session.name, LATEST_FILE);
      await linkOrCopy(path(frame.key), latest);
      return latest;
    },

    writeManifest: (batch) => inFolder(sessionOf(batch), () => writeAtomically(inSession(batch, manifestFile(batch.id)), `${JSON.stringify(batch)}\n`)),

    // Neither synced nor renamed: without it the models are asked again, and no part of an object's text is valid JSON.
    // What must last is the manifest, which the log's record is matched with after a power cut; it was synced before.
    writeRecord: (batch, record) => inFolder(sessionOf(batch), () => writeFile(inSession(batch, recordFile(batch.id)), JSON.stringify(record))),

    async readRecord(batch) {
      try {
        const record: unknown = JSON.parse((await readUnlessDamaged(inSession(batch, recordFile(batch.id))))?.toString('utf8') ?? '');
        return isObject(record) && isObject(record['batch']) && record['batch']['id'] === batch.id ? record as unknown as BatchRecord : null;
      } catch (error) {
        if (hasCode(error, 'ENOENT') || error instanceof SyntaxError) return null;
        throw error;
      }
    },

    isTicked: (batch) => isThere(inSession(batch, tickFile(batch.id))),

    async release(batch) {
      await expectOurs();
      await Promise.all(batch.frames.map(({ key }) => removeIfPresent(path(key))));
      await Promise.all(batch.frames.filter(({ findings }) => findings).map(({ key }) => removeIfPresent(findingsFile(path(key)))));
      await removeIfPresent(inSession(batch, recordFile(batch.id)));
      await removeIfPresent(inSession(batch, manifestFile(batch.id)));
      if (!taking.has(batch.session)) await removeFolder(batch.session);
    },

    async remove(key) {
      await expectOurs();
      await removeIfPresent(path(key));
      await removeIfPresent(findingsFile(path(key)));
    },

    end: (session) => {
      taking.delete(session);
      return removeFolder(session);
    },
  };
}

/** What is known of a session that takes frames. Times are in milliseconds since 1970. */
interface Taking {
  frames: number;
  /** How often the clock was set back to what is not remembered. */
  round: number;
  /** When those of the round were captured that may be met again. */
  readonly lately: Set<number>;
  /** Of what was captured then or before nothing is remembered. */
  forgotten: number;
}

const nothingTaken = (): Taking => ({ frames: 0, round: 0, lately: new Set(), forgotten: -Infinity });

/** Cameras that bring their pictures may say of one that it is a minute older than another, or newer. */
const LATELY_MS = 150_000;
/** A camera may bring more than it should. */
const MOST_LATELY = 4096;

function remember(state: Taking, time: number): void {
  const { lately } = state;
  lately.add(time);
  state.forgotten = Math.max(state.forgotten, time - LATELY_MS);
  for (const first of lately) {
    if (lately.size <= MOST_LATELY && first > state.forgotten) break;
    lately.delete(first);
    state.forgotten = Math.max(state.forgotten, first);
  }
}

function beginRound(state: Taking): void {
  state.round += 1;
  state.lately.clear();
  state.forgotten = -Infinity;
}

async function expectWhole({ file, bytes }: PictureFile): Promise<void> {
  const { size } = await stat(file);
  // Whoever wrote it did not say why.
  if (size !== bytes) throw Object.assign(new Error(`only ${size} of its ${bytes} bytes could be written`), { code: 'ENOSPC' });
}

/** A batch of the session that no model has seen yet. */
export function batchOf({ name, camera_id, models, options }: Session, frames: readonly Frame[], closed_by: ClosedBy): Batch {
  const [first] = frames;
  if (!first) throw new Error(`a batch of ${name} without a frame`);
  return { id: batchId(name, first.key), camera_id, session: name, closed_by, frames, models, options, attempts: 0 };
}

/** As far as a batch knows it. */
function sessionOf({ session, camera_id, models, options }: Batch): Session {
  return { name: session, camera_id, models, options };
}
