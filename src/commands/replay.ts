/** `lookout replay`: dead letters again, or stored frames through a model. Needs the folders for itself: stop the server first. */
import { imageSizeFromFile } from 'image-size/fromFile';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createApp, type App } from '../app.ts';
import { LookoutError } from '../errors.ts';
import { systemClock } from '../lib/clock.ts';
import { capturedAt } from '../pipeline/names.ts';
import { replayFrames, replayLetter, type StoredFrame } from '../pipeline/replay.ts';
import { prepareCommand, print, type CommandContext } from './context.ts';

export interface ReplayOptions {
  /** Picture files; none: the dead letters. */
  readonly frames: readonly string[];
  readonly models: readonly string[] | null;
  readonly camera: string | null;
}

export async function replay(context: CommandContext, options: ReplayOptions): Promise<number> {
  const { config, log } = await prepareCommand(context);
  if (options.frames.length > 0 && (!options.models || options.camera === null)) {
    throw new LookoutError('bad_request', 'stored frames need --camera <id> and --model <name>');
  }
  const app = await createApp(config, log);
  let recorded = 0;
  app.onRecord((record) => {
    recorded += 1;
    print(`recorded ${record.batch.id}`);
  });
  try {
    const before = app.face.books();
    const submitted = options.frames.length > 0 ? await submitFrames(app, options) : await submitLetters(app, options);
    while (app.face.books().in_spool > 0 && !context.signal.aborted) await systemClock.sleep(100, context.signal);
    const failed = app.face.books().dead_lettered - before.dead_lettered;
    print(`${submitted} submitted, ${recorded} recorded${failed > 0 ? `, ${failed} frames are dead letters again` : ''}`);
    return submitted > recorded ? 1 : 0;
  } finally {
    await app.close();
  }
}

async function submitLetters(app: App, { models, camera }: ReplayOptions): Promise<number> {
  let submitted = 0;
  for (const letter of await app.replay.deadLetters.list()) {
    if (camera !== null && letter.batch.camera_id !== camera) continue;
    const outcome = await replayLetter(letter, models, app.replay);
    if (outcome === 'submitted') submitted += 1;
    else print(`${letter.batch.id}: ${outcome}; its letter is removed`);
  }
  return submitted;
}

async function submitFrames(app: App, { frames, models, camera }: ReplayOptions): Promise<number> {
  const stored = await Promise.all(frames.map(async (file): Promise<StoredFrame> => {
    const { width, height } = await imageSizeFromFile(file);
    return { file: resolve(file), captured_at: capturedAt(file) ?? (await stat(file)).mtime.toISOString(), width, height };
  }));
  await replayFrames(camera ?? '', stored, models ?? [], app.replay);
  return 1;
}
