/**
 * What is recorded of a camera until it is a clip, in a folder of its own: what was copied of its video, or its frames. A crash
 * leaves all that is needed to finish it.
 *
 *     data/takes/<8 hex>/take.json            whose it is, and how far it is wanted
 *                       /video.mp4            fragments as they came
 *                       /<ms>_<w>x<h>.jpg     frames, by the time of their capture
 */
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LookoutError } from '../errors.ts';
import { copyVideo, showPictures } from '../lib/ffmpeg.ts';
import { linkOrCopy, namesIn, readAt, writeAtomically } from '../lib/files.ts';
import { isObject } from '../lib/objects.ts';
import { isTransient } from '../lib/transient.ts';
import { areTexts } from '../store/stored-batch.ts';
import type { Clip, ClipFacts } from '../types.ts';
import type { HeldFrame } from './reel.ts';

export interface DraftFacts extends Omit<Clip, 'bytes' | 'seconds'> {
  /** RFC 3339: until when it is wanted. */
  readonly ends_at: string;
}

const [FACTS, VIDEO] = ['take.json', 'video.mp4'] as const;

export const videoOf = (folder: string): string => join(folder, VIDEO);

export async function writeFacts(folder: string, facts: DraftFacts): Promise<void> {
  await writeAtomically(join(folder, FACTS), JSON.stringify(facts));
}

/** Throws what only keeps it from being read for now; null: there is nothing that a clip could be made by. */
export async function readFacts(folder: string): Promise<DraftFacts | null> {
  try {
    const facts: unknown = JSON.parse(await readFile(join(folder, FACTS), 'utf8'));
    return isFacts(facts) ? facts : null;
  } catch (error) {
    if (isTransient(error)) throw error;
    return null;
  }
}

function isFacts(value: unknown): value is DraftFacts {
  return isObject(value) && areTexts(value['events']) && areTexts(['id', 'camera_id', 'begins_at', 'ends_at'].map((name) => value[name]));
}

export async function addFrame(folder: string, { file, ms, width, height }: HeldFrame): Promise<void> {
  await linkOrCopy(file, join(folder, `${ms}_${width}x${height}.jpg`));
}

/** Makes the file of a clip. Throws where nothing was recorded. */
export function finish(folder: string, facts: DraftFacts, file: string, signal: AbortSignal): Promise<ClipFacts> {
  return facts.made_of === 'video' ? ofVideo(folder, facts, file, signal) : ofFrames(folder, facts, file, signal);
}

async function ofVideo(folder: string, { begins_at, ends_at, codec, width, height, reason }: DraftFacts, file: string, signal: AbortSignal): Promise<ClipFacts> {
  const seconds = (Date.parse(ends_at) - Date.parse(begins_at)) / 1000;
  if (seconds <= 0) throw tooLate(begins_at, ends_at);
  await copyVideo(videoOf(folder), seconds, file, signal);
  return { begins_at, seconds: await secondsOf(file), codec, width, height, reason };
}

/** Of the size of the first: others end it. Each is shown until the next one, and the last one as long as the one before it. */
async function ofFrames(folder: string, { ends_at, reason }: DraftFacts, file: string, signal: AbortSignal): Promise<ClipFacts> {
  const all = framesIn(folder, await namesIn(folder));
  const [first] = all;
  if (!first) throw new LookoutError('stream_stalled', 'no frame was captured that a clip could be made of');
  const other = all.findIndex(({ width, height }) => width !== first.width || height !== first.height);
  const fitting = other < 0 ? all : all.slice(0, other);
  const endMs = Date.parse(ends_at);
  if (first.ms >= endMs) throw tooLate(new Date(first.ms).toISOString(), ends_at);
  const frames = fitting.filter(({ ms }, index) => index === 0 || ms < endMs);
  const [before, last] = [frames.at(-2) ?? first, frames.at(-1) ?? first];
  const lastUntilMs = Math.min(endMs, fitting[frames.length]?.ms ?? last.ms + Math.max(1000, last.ms - before.ms));
  const pictures = frames.map((frame, index) => ({ file: frame.file, seconds: ((frames[index + 1]?.ms ?? lastUntilMs) - frame.ms) / 1000 }));
  await showPictures(pictures, first, file, signal);
  return {
    begins_at: new Date(first.ms).toISOString(), seconds: await secondsOf(file), codec: 'h264', width: first.width - first.width % 2, height: first.height - first.height % 2,
    reason: reason ?? (other < 0 ? null : 'its frames became larger or smaller ones'),
  };
}

/** The camera was connected again, or a model looked late. */
function tooLate(begins_at: string, ends_at: string): LookoutError {
  return new LookoutError('stream_stalled', `what was captured begins at ${begins_at}, and the event was to be shown until ${ends_at}`);
}

function framesIn(folder: string, names: readonly string[]): readonly HeldFrame[] {
  return names.flatMap((name) => {
    const [, ms, width, height] = /^(\d+)_(\d+)x(\d+)\.jpg$/.exec(name) ?? [];
    return ms === undefined ? [] : [{ file: join(folder, name), ms: Number(ms), width: Number(width), height: Number(height) }];
  }).sort((a, b) => a.ms - b.ms);
}

/** Bytes of an MP4 whose index stands first in which it says how long it lasts. */
const HEAD_BYTES = 4096;

async function secondsOf(file: string): Promise<number> {
  const handle = await open(file, 'r');
  let head: Buffer;
  try {
    head = await readAt(handle, 0, HEAD_BYTES);
  } finally {
    await handle.close();
  }
  const name = head.indexOf('mvhd');
  if (name < 0) throw new LookoutError('ffmpeg_failed', 'the file of a clip does not say how long it lasts');
  const at = name + 'mvhd'.length;
  // Of version 1 times have eight bytes.
  const isLong = head.readUInt8(at) === 1;
  const scale = head.readUInt32BE(at + (isLong ? 20 : 12));
  return (isLong ? Number(head.readBigUInt64BE(at + 24)) : head.readUInt32BE(at + 16)) / scale;
}
