/** `lookout models try`: a model on pictures, without a server. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { LookoutError } from '../errors.ts';
import { keepFindings, neverFound } from '../inference/findings.ts';
import { copyForModels, makeReadable } from '../lib/account.ts';
import { layOver } from '../lib/ffmpeg.ts';
import { makeFolder } from '../lib/files.ts';
import { linked } from '../lib/linked.ts';
import { shorten } from '../lib/shorten.ts';
import { inOneLine } from '../lib/terminal.ts';
import { createModels } from '../parts.ts';
import { drawFindings } from '../record/drawing.ts';
import type { Detection, Model, Runner, RunnerFrame } from '../types.ts';
import { prepareCommand, print, printAside, printJson, type CommandContext } from './context.ts';
import { expectOwn } from './expect-own.ts';
import { readPictures, type Picture, type Shown } from './pictures.ts';

export interface TryOptions {
  /** Where the drawings go. */
  readonly out: string;
  /** One JSON document on the standard output instead of words. */
  readonly json: boolean;
  /** Seconds between the pictures of a video; null: as a stream would by default. */
  readonly every: number | null;
}

const SHOWN_CHARACTERS = 200;

/** What came of one picture, as `--json` has it. */
type Result = { readonly picture: string; readonly width: number; readonly height: number }
  & ({ readonly detections: readonly Detection[]; readonly drawing: string | null } | { readonly error: string });

type Said = { readonly detections: readonly Detection[] } | { readonly error: string };

/** Resolves with the exit code: 1 when no picture could be looked at. */
export async function tryModel(context: CommandContext, name: string, named: readonly string[], { out, json, every }: TryOptions): Promise<number> {
  const { signal } = context;
  const { config } = await prepareCommand(context);
  await expectOwn(config);
  const tell = (line: string): void => { (json ? printAside : print)(inOneLine(line)); };
  const models = await createModels(config);
  const model = await models.catalog.get(name);
  const work = await mkdtemp(join(tmpdir(), 'lookout-try-'));
  try {
    await makeReadable(work);
    const pictures = await readPictures(named, every ?? config.interval_seconds, work, (stem) => drawingOf(stem, name), signal);
    await makeFolder(out);
    const drawings = drawingsOf(pictures, name);
    const prepared = await models.prepare(model, (line) => { tell(`${name}: ${line}`); }, signal);
    // What the model prints is seen as it comes.
    const runner = await prepared.start(printAside, signal, true);
    try {
      const { detector, device, labels } = runner.ready;
      if (detector !== null) tell(`${name}: ${detector}${device === null ? '' : ` on ${device}`}`);
      const warning = neverFound(model, labels);
      if (warning !== null) tell(`${name}: ${warning}`);
      const results = new Map<Picture, Result>();
      const keep = (picture: Picture, result: Result): void => {
        results.set(picture, result);
        if (!json) for (const line of inWords(result)) print(line);
      };
      for (const picture of pictures) if ('error' in picture) keep(picture, failedOf(picture, picture.error));
      const deadlineMs = (model.deadline_seconds ?? config.model_deadline_seconds) * 1000;
      let spent = 0;
      for (const [number, call] of callsOf(pictures, model, runner, config.batch_size).entries()) {
        const frames = await lend(call, join(work, `call-${number}`));
        const { said, inference_ms } = await look(runner, model, frames, deadlineMs, signal);
        spent += inference_ms;
        for (const [place, picture] of call.entries()) {
          keep(picture, await resultOf(picture, said[place] ?? { error: 'there is no answer' }, join(out, drawings.get(picture) ?? ''), signal));
        }
      }
      const failed = [...results.values()].filter((result) => 'error' in result).length;
      if (json) {
        const inOrder = pictures.map((picture) => results.get(picture));
        printJson({ model: name, version: model.version, detector, device, labels, inference_ms: Math.round(spent * 1000) / 1000, pictures: inOrder });
      } else print(`${results.size === 1 ? '1 picture' : `${results.size} pictures`} in ${Math.round(spent)} ms${failed === 0 ? '' : `; ${failed} of them failed`}`);
      return failed === results.size ? 1 : 0;
    } finally {
      await runner.close();
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

const drawingOf = (stem: string, model: string): string => `${stem}-${model}.jpg`;

/** What the drawing of each picture is called; numbered where two would have one name. */
function drawingsOf(pictures: readonly Picture[], model: string): ReadonlyMap<Picture, string> {
  const taken = new Set<string>();
  return new Map(pictures.map((picture) => {
    const { stem } = picture;
    let drawing = drawingOf(stem, model);
    for (let number = 2; taken.has(drawing); number += 1) drawing = drawingOf(`${stem}-${number}`, model);
    taken.add(drawing);
    return [picture, drawing];
  }));
}

type Call = readonly Shown[];

/** The pictures that can be read, put together as a lane would for this model. */
function callsOf(pictures: readonly Picture[], model: Model, { ready }: Runner, batchSize: number): readonly Call[] {
  const most = model.look === 'batch' ? batchSize : model.max_batch;
  const mix = model.look === 'frame' && (model.mix ?? ready.mix ?? false);
  const calls: Shown[][] = [];
  for (const picture of pictures) {
    if ('error' in picture) continue;
    const call = calls.at(-1);
    const [before] = call ?? [];
    const alike = before?.stream === picture.stream && before.width === picture.width && before.height === picture.height;
    if (call !== undefined && call.length < most && (mix || alike)) call.push(picture);
    else calls.push([picture]);
  }
  return calls;
}

/** Copies, under their own names: a model may damage what it is shown. */
async function lend(call: Call, folder: string): Promise<readonly RunnerFrame[]> {
  const now = Date.now();
  const frames: RunnerFrame[] = [];
  for (const [index, { file, stream, at, number, width, height }] of call.entries()) {
    const lent = join(folder, String(index), basename(file));
    await makeFolder(dirname(lent));
    await copyForModels(file, lent);
    frames.push({ index, stream, sequence: number, file: lent, captured_at: new Date(now + at * 1000).toISOString(), width, height });
  }
  return frames;
}

/** A call that fails is asked again picture by picture, unless the model looks at whole batches. Throws when the runner's process is lost. */
async function look(runner: Runner, model: Model, frames: readonly RunnerFrame[], deadlineMs: number, signal: AbortSignal): Promise<{ readonly said: readonly Said[]; readonly inference_ms: number }> {
  const limit = linked(signal);
  const timer = setTimeout(() => {
    limit.abort(new LookoutError('runner_timeout', `${model.name} gave no answer for ${frames.length} frames within ${deadlineMs / 1000} s`));
  }, deadlineMs);
  try {
    const { predictions, inference_ms } = await runner.predict(frames, model.options, limit.signal);
    return { said: keepFindings(model, predictions).map((one) => ('error' in one ? { error: one.error.message } : one)), inference_ms };
  } catch (error) {
    if (!(error instanceof LookoutError) || error.code !== 'runner_failed') throw error;
    if (frames.length === 1 || model.look === 'batch') return { said: frames.map(() => ({ error: error.message })), inference_ms: 0 };
  } finally {
    clearTimeout(timer);
    limit.release();
  }
  const alone = [];
  for (const frame of frames) alone.push(await look(runner, model, [{ ...frame, index: 0 }], deadlineMs, signal));
  return { said: alone.flatMap(({ said }) => said), inference_ms: alone.reduce((sum, one) => sum + one.inference_ms, 0) };
}

async function resultOf(shown: Shown, said: Said, drawing: string, signal: AbortSignal): Promise<Result> {
  if ('error' in said) return failedOf(shown, said.error);
  const { name, file, width, height } = shown;
  const about = { picture: name, width, height };
  const { detections } = said;
  try {
    await writeFile(drawing, await layOver(file, { rgba: drawFindings(detections, { width, height }), width, height }, signal));
    return { ...about, detections, drawing };
  } catch (error) {
    signal.throwIfAborted();
    printAside(`${name}: it cannot be drawn: ${(error as Error).message}`);
    return { ...about, detections, drawing: null };
  }
}

function failedOf({ name, width, height }: Picture, error: string): Result {
  return { picture: name, width, height, error };
}

function inWords(result: Result): readonly string[] {
  const { picture } = result;
  if ('error' in result) return [`${picture}: ${result.error}`];
  const found = result.detections.map(({ class: name, confidence, box }) => (
    `${shorten(inOneLine(name), SHOWN_CHARACTERS)} ${confidence.toFixed(2)}${box === undefined ? '' : ` at ${box.map((side) => Math.round(side)).join(', ')}`}`));
  return [...(found.length === 0 ? ['nothing found'] : found), ...(result.drawing === null ? [] : [`drawn to ${result.drawing}`])].map((line) => `${picture}: ${line}`);
}
