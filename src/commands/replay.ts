/** `lookout replay`: dead letters again, or stored frames through a model. Needs the folders for itself: stop the server first. */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp, type App } from '../app.ts';
import { isCameraId } from '../words/camera-id.ts';
import { errorInfo, LookoutError } from '../errors.ts';
import { systemClock } from '../lib/clock.ts';
import { createModels } from '../parts.ts';
import type { DeadLetter } from '../store/dead-letters.ts';
import { capturedAt } from '../store/names.ts';
import { replayFrames, replayLetter, type StoredFrame } from '../pipeline/replay.ts';
import { prepareCommand, print, type CommandContext } from './context.ts';
import { expectOwn } from './expect-own.ts';
import { uprightJpeg } from './picture.ts';

export interface ReplayOptions {
  /** Picture files; none: the dead letters. */
  readonly frames: readonly string[];
  readonly models: readonly string[] | null;
  readonly camera: string | null;
  /** What is replayed makes events. */
  readonly events: boolean;
}

export async function replay(context: CommandContext, options: ReplayOptions): Promise<number> {
  const work = await mkdtemp(join(tmpdir(), 'lookout-replay-'));
  try {
    return await replayIn(work, context, options);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** `work` takes what has to be made of pictures. */
async function replayIn(work: string, context: CommandContext, options: ReplayOptions): Promise<number> {
  const { signal } = context;
  const { frames, camera } = options;
  const models = options.models && [...new Set(options.models)];
  checkUsage(options);
  const { config, log } = await prepareCommand(context);
  await expectOwn(config);
  const { catalog } = await createModels(config);
  for (const model of models ?? []) await catalog.get(model);
  const stored = await readPictures(frames, work, signal);
  const app = await createApp(config, log, { replayMakesEvents: options.events, signal });
  const followed = follow(app);
  const over = AbortSignal.any([signal, app.lost]);
  try {
    if (stored.length > 0) {
      for (let first = 0; first < stored.length && !over.aborted; first += config.batch_size) {
        followed.add(await replayFrames(camera ?? '', stored.slice(first, first + config.batch_size), models ?? [], app.replay));
      }
    } else {
      for (const letter of await app.replay.deadLetters.list((reason) => { followed.failed(reason); })) {
        if (over.aborted) break;
        if (camera === null || letter.batch.camera_id === camera) await submitLetter(letter, models, app, followed);
        await followed.look();
      }
    }
    while (await followed.look() > 0 && !over.aborted) await systemClock.sleep(100, over);
    app.lost.throwIfAborted();
  } finally {
    await app.close();
  }
  // Stopping has let some of them end.
  const waiting = await followed.look();
  if (waiting > 0) print(`${waiting} wait in ${config.frames_dir} for the next start`);
  return followed.sum();
}

function checkUsage({ frames, models, camera }: ReplayOptions): void {
  if (models?.length === 0) throw new LookoutError('bad_request', '--model names no model');
  if (camera !== null && !isCameraId(camera)) throw new LookoutError('bad_request', '--camera must be a camera\'s id, without / and \\');
  if (frames.length > 0 && (!models || camera === null)) throw new LookoutError('bad_request', 'stored frames need --camera <id> and --model <name>');
}

/** In the order in which they were captured. */
async function readPictures(files: readonly string[], work: string, signal: AbortSignal): Promise<readonly StoredFrame[]> {
  const stored: StoredFrame[] = [];
  for (const [number, file] of files.entries()) {
    const picture = await uprightJpeg(file, join(work, `${number}.jpg`), signal);
    stored.push({ ...picture, captured_at: capturedAt(file) ?? (await stat(file)).mtime.toISOString() });
  }
  return stored.sort((a, b) => a.captured_at.localeCompare(b.captured_at));
}

async function submitLetter(letter: DeadLetter, models: readonly string[] | null, app: App, followed: Followed): Promise<void> {
  const { batch, errors } = letter;
  try {
    const replayed = await replayLetter(letter, models, app.replay);
    if (replayed === 'kept') {
      print(`${batch.id}: recorded already without ${Object.keys(errors).join(', ')}; its frames lie in ${app.replay.deadLetters.folderOf(batch)}, --model runs models over them`);
    } else if (replayed === 'already recorded') {
      print(`${batch.id}: recorded already; its letter is removed`);
    } else {
      followed.add(replayed);
    }
  } catch (error) {
    followed.failed(`${batch.id}: ${errorInfo(error).message}`);
  }
}

interface Followed {
  add(batch: { readonly id: string }): void;
  /** Something that could not be replayed. */
  failed(reason: string): void;
  /** Says what became of those that are settled since; how many are not. */
  look(): Promise<number>;
  /** Says how many became what; the exit code. */
  sum(): number;
}

/** What becomes of the batches submitted. */
function follow(app: App): Followed {
  const { books, deadLetters } = app.replay;
  const open = new Set<string>();
  const recorded = new Set<string>();
  const counts = { submitted: 0, recorded: 0, 'with nothing found': 0, 'dead letters again': 0, 'cannot be replayed': 0 };
  // Also of batches that the server left.
  app.onRecord(({ batch }) => recorded.add(batch.id));

  async function tell(id: string): Promise<void> {
    const letter = await deadLetters.get(id);
    if (recorded.has(id)) {
      counts.recorded += 1;
      print(`recorded ${id}${letter ? ` without ${Object.keys(letter.errors).join(', ')}` : ''}`);
    } else if (letter || books.letterDropped(id)) {
      counts['dead letters again'] += 1;
      print(`${id}: a dead letter again: ${Object.values(letter?.errors ?? {}).map(({ message }) => message).join('; ') || 'let go for want of room'}`);
    } else {
      counts['with nothing found'] += 1;
      print(`${id}: nothing found, nothing to record`);
    }
  }

  return {
    add({ id }) {
      open.add(id);
      counts.submitted += 1;
    },
    failed(reason) {
      counts['cannot be replayed'] += 1;
      print(reason);
    },
    async look() {
      for (const id of [...open].filter((one) => books.settled(one))) {
        open.delete(id);
        await tell(id);
      }
      return open.size;
    },
    sum() {
      print(Object.entries(counts).filter(([what, count]) => count > 0 || what === 'submitted' || what === 'recorded').map(([what, count]) => `${count} ${what}`).join(', '));
      return counts['dead letters again'] + counts['cannot be replayed'] + open.size > 0 ? 1 : 0;
    },
  };
}
