/** The stages between the answers and the record: each file of the folder is one, which gets what those before made of a batch. */
import { LookoutError } from '../errors.ts';
import { loadFamily, type Member } from '../lib/family.ts';
import { ifPresent, readUnlessDamaged } from '../lib/files.ts';
import { measure } from '../lib/jpeg.ts';
import type { Log } from '../lib/log.ts';
import type { Janitor } from '../store/janitor.ts';
import type { Answers, Batch, BatchRecord, Camera, Config, Pictures, Stage, Work } from '../types.ts';

/** `Own`: the settings that the stage itself exports. */
export interface StageContext<Own = unknown> {
  readonly config: Config & Own;
  /** Where a frame lies, by its key. */
  readonly path: (key: string) => string;
  readonly hostIp: () => string | null;
  /** Where what a model finds in a camera's pictures stands; null: under its own name. */
  readonly sectionOf: (model: string, cameraId: string) => string | null;
  /** What a stage keeps is let go where room is short. */
  readonly janitor: Pick<Janitor, 'join'>;
  readonly log: Log;
  /** Aborts when the server stops: what a stage keeps running ends. */
  readonly signal: AbortSignal;
}

/** What a file of the family exports. */
export interface StageMember extends Member<StageContext, Stage | null | Promise<Stage | null>> {
  /** Stages run in this order, no two at one place. */
  readonly order: number;
}

/** null: nothing that is to be recorded. Throws when the record would be wrong. */
export type MakeRecord = (batch: Batch, answers: Answers, signal: AbortSignal) => Promise<BatchRecord | null>;

export async function createStages(context: StageContext & { readonly camera: (id: string) => Promise<Camera> }): Promise<MakeRecord> {
  const members = [...(await loadFamily<StageMember>(new URL('./stages/', import.meta.url))).values()].sort((a, b) => a.order - b.order);
  const stages: Stage[] = [];
  for (const [index, member] of members.entries()) {
    if (member.order === members[index - 1]?.order) throw new LookoutError('internal', `two stages have the order ${member.order}`);
    const stage = await member.create(context);
    context.log.debug(`stage: ${member.summary}${stage ? '' : ' (off)'}`);
    if (stage) stages.push(stage);
  }
  return async (batch, answers, signal) => {
    const camera = await context.camera(batch.camera_id);
    let work: Work = { batch, answers, camera, pictures: picturesOf(batch, context.path), snapshot: null, damaged: [], record: null };
    for (const stage of stages) work = await stage(work, signal);
    return work.record;
  };
}

function picturesOf({ frames }: Batch, path: (key: string) => string): Pictures {
  const read = new Map<number, Promise<Uint8Array | null>>();
  return {
    read(index) {
      const frame = frames[index];
      const picture = read.get(index) ?? (frame === undefined ? Promise.resolve(null) : readWhole(path(frame.key)));
      read.set(index, picture);
      return picture;
    },
  };
}

async function readWhole(file: string): Promise<Uint8Array | null> {
  const bytes = await ifPresent(readUnlessDamaged(file));
  return bytes && measure(bytes)?.torn === false ? bytes : null;
}
