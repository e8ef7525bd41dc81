/** Reads back what was written about batches and sessions: a failing disk or a hand may have changed any of it. */
import { basename } from 'node:path';
import { isObject } from '../lib/objects.ts';
import { usableOptions, USUAL_STREAM_OPTIONS } from '../words/stream-options.ts';
import type { Batch, Box, ClosedBy, Detection, Frame } from '../types.ts';

const CLOSED_BY: readonly unknown[] = ['count', 'deadline', 'stopped', 'recovered'] satisfies readonly ClosedBy[];

/**
 * null: no batch that could be worked on. What would be read and removed as its frames lies in its session's own folder.
 * Those of the first version have no options, count tries by model, and do not number frames.
 */
export function readBatch(stored: unknown): Batch | null {
  if (!isObject(stored)) return null;
  const { id, camera_id, session, closed_by, frames, models, options, attempts } = stored;
  if (typeof session !== 'string' || !isName(session) || typeof id !== 'string' || !isName(id) || !id.startsWith(`${session}-`)) return null;
  if (typeof camera_id !== 'string' || !CLOSED_BY.includes(closed_by) || !areTexts(models) || !Array.isArray(frames)) return null;
  const read = frames.map((frame, sequence) => readFrame(frame, sequence, session));
  if (read.length === 0 || !read.every((frame) => frame !== null)) return null;
  return {
    id, camera_id, session, closed_by: closed_by as ClosedBy, frames: read, models,
    options: usableOptions(options, { ...USUAL_STREAM_OPTIONS, batch_size: read.length }), attempts: readAttempts(attempts),
  };
}

function readFrame(stored: unknown, place: number, session: string): Frame | null {
  if (!isObject(stored)) return null;
  const { key, captured_at, width, height, sequence = place } = stored;
  const findings = readFindings(stored['findings']);
  if (typeof key !== 'string' || key !== `${session}/${basename(key)}` || !isName(basename(key))) return null;
  if (typeof captured_at !== 'string' || Number.isNaN(Date.parse(captured_at)) || !isSize(width) || !isSize(height)) return null;
  return { key, captured_at, width, height, sequence: isCount(sequence) ? sequence : place, ...(findings.length > 0 && { findings }) };
}

/** What a camera said that it has seen, as far as it is that. */
export function readFindings(stored: unknown): readonly Detection[] {
  if (!Array.isArray(stored)) return [];
  return stored.flatMap((one: unknown): Detection[] => {
    if (!isObject(one)) return [];
    const { class: name, confidence, box } = one;
    if (typeof name !== 'string' || typeof confidence !== 'number' || !(confidence >= 0 && confidence <= 1)) return [];
    return [{ class: name, confidence, ...(isBox(box) && { box }) }];
  });
}

function isBox(value: unknown): value is Box {
  return Array.isArray(value) && value.length === 4 && value.every((number) => typeof number === 'number' && Number.isFinite(number));
}

function readAttempts(stored: unknown): number {
  const tries: readonly unknown[] = isObject(stored) ? Object.values(stored) : [stored];
  return Math.max(0, ...tries.filter(isCount));
}

export function areTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

/** One step of a path, and no way out. */
const isName = (text: string): boolean => basename(text) === text && text !== '' && text !== '.' && text !== '..' && !text.includes('\0');

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
const isSize = (value: unknown): value is number => isCount(value) && value > 0;
