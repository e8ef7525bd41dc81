/** Gathers what a record is made of, makes it and checks it. */
import { readFile } from 'node:fs/promises';
import { LookoutError } from '../errors.ts';
import { scaleJpeg } from '../lib/ffmpeg.ts';
import type { Answers, Batch, BatchRecord, Camera, Config } from '../types.ts';
import { chooseSnapshot, enrich, type EnrichInput } from './enrich.ts';
import { checkRecord } from './schema.ts';

export interface RecordParts {
  readonly config: Config;
  /** Where a frame lies, by its key. */
  readonly path: (key: string) => string;
  readonly camera: (id: string) => Promise<Camera>;
  readonly hostIp: () => string | null;
  /** Where a model's findings stand; null: under its own name. */
  readonly sectionOf: (model: string) => string | null;
}

/** null: nothing was found, and only findings are recorded. */
export async function makeRecord(batch: Batch, answers: Answers, parts: RecordParts): Promise<BatchRecord | null> {
  const { config } = parts;
  const index = chooseSnapshot(batch, answers, config.snapshot);
  const record = enrich({
    batch, answers, settings: config,
    models: Object.fromEntries(batch.models.map((model) => [model, { section: parts.sectionOf(model) }])),
    camera: await parts.camera(batch.camera_id),
    host_ip: parts.hostIp(),
    snapshot: index === null ? null : await picture(batch, index, parts),
  });
  if (record) checkRecord(record);
  return record;
}

async function picture(batch: Batch, index: number, { config, path }: RecordParts): Promise<EnrichInput['snapshot']> {
  const frame = batch.frames[index];
  if (!frame) throw new LookoutError('internal', `batch ${batch.id} has no frame ${index}`);
  const file = path(frame.key);
  const { width, height } = frame;
  if (config.snapshot_max_width === null || width <= config.snapshot_max_width) return { index, width, height, jpeg: await readFile(file) };
  const scaled = { width: config.snapshot_max_width, height: Math.round((height * config.snapshot_max_width) / width) };
  return { index, ...scaled, jpeg: await scaleJpeg(file, scaled) };
}
