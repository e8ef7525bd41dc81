/** Gathers what a record is made of, makes it and checks it. */
import { readFile } from 'node:fs/promises';
import { LookoutError } from '../errors.ts';
import { scaleJpeg } from '../lib/ffmpeg.ts';
import type { Batch, BatchRecord, Config, LaneAnswer } from '../types.ts';
import type { CameraTable } from './cameras.ts';
import { chooseSnapshot, enrich, type EnrichInput } from './enrich.ts';
import type { HostAddress } from './host.ts';
import { checkRecord } from './record-schema.ts';
import type { Spool } from './spool.ts';

export interface RecordParts {
  readonly config: Config;
  readonly spool: Pick<Spool, 'path'>;
  readonly cameras: CameraTable;
  readonly host: HostAddress;
  /** Where a model's findings stand; null: under its own name. */
  readonly sectionOf: (model: string) => string | null;
}

/** null: nothing was found, and only findings are recorded. */
export async function makeRecord(batch: Batch, answers: Readonly<Record<string, LaneAnswer>>, parts: RecordParts): Promise<BatchRecord | null> {
  const { config } = parts;
  const index = chooseSnapshot(batch, answers, config.snapshot);
  const record = enrich({
    batch, answers, settings: config,
    models: Object.fromEntries(batch.models.map((model) => [model, { section: parts.sectionOf(model) }])),
    camera: await parts.cameras.lookup(batch.camera_id),
    host_ip: parts.host.current(),
    snapshot: index === null ? null : await picture(batch, index, parts),
  });
  if (record) checkRecord(record);
  return record;
}

async function picture(batch: Batch, index: number, { config, spool }: RecordParts): Promise<EnrichInput['snapshot']> {
  const frame = batch.frames[index];
  if (!frame) throw new LookoutError('internal', `batch ${batch.id} has no frame ${index}`);
  const file = spool.path(frame.key);
  const { width, height } = frame;
  if (config.snapshot_max_width === null || width <= config.snapshot_max_width) return { index, width, height, jpeg: await readFile(file) };
  const scaled = { width: config.snapshot_max_width, height: Math.round((height * config.snapshot_max_width) / width) };
  return { index, ...scaled, jpeg: await scaleJpeg(file, scaled) };
}
