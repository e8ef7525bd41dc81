/** The lanes of all models, each made when it is first asked for, and what is told of every model. */
import { LookoutError } from '../errors.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { shared } from '../lib/shared.ts';
import type { Catalog, CatalogEntry } from '../models/catalog.ts';
import { modelFiles } from '../models/fingerprint.ts';
import { FLASK_SECTIONS } from '../models/model-folder.ts';
import { missingWeights } from '../models/weights.ts';
import { CAMERA_MODEL } from '../words/push.ts';
import type { Config, Lane, Model, ModelStatus, Prepared, Print, Progress } from '../types.ts';
import { cameraLane } from './camera-lane.ts';
import { createLane, type LaneParts } from './lane.ts';
import { createPrints, type Prints } from './prints.ts';
import type { Tally } from './tally.ts';

export interface LanesParts {
  readonly catalog: Catalog;
  /** Weights, environment, and what starts its runners. */
  readonly prepare: (model: Model, progress: Progress, signal: AbortSignal) => Promise<Prepared>;
  readonly settings: Config;
  readonly view: LaneParts['view'];
  /** Told each step of a model's set-up. */
  readonly settingUp: (model: string, step: string) => void;
  readonly tally: Tally;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Lanes {
  of(model: string): Lane;
  /** Where a model's findings stand in the record; null: under its own name. */
  sectionOf(model: string): string | null;
  readonly anyReady: boolean;
  statuses(): Promise<readonly ModelStatus[]>;
  /** What the model printed last. Throws `not_found`. */
  printsOf(model: string): Promise<readonly Print[]>;
  close(): Promise<void>;
}

const NOT_WANTED = { state: 'idle', reason: 'not wanted yet', progress: null, detector: null, device: null, restarts: 0, successor: null } as const;

/** What is there of a model in its folder. */
interface Seen {
  /** null: none, for this reason. */
  readonly model: Model | null;
  readonly reason: string;
  /** Weights that a user must bring; null: none. */
  readonly missing: string | null;
}

const GONE: Seen = { model: null, reason: 'its folder is gone', missing: null };
/** All manifests and folders of weights are read for each look: one does for all open pages. */
const SEEN_MS = 500;

export function createLanes({ catalog, prepare, settings, view, settingUp, tally, clock, log }: LanesParts): Lanes {
  const lanes = new Map<string, Lane>();
  const prints = new Map<string, Prints>();
  const notices = new Map<string, string | null>();

  function make(name: string): Lane {
    const own = createPrints(clock);
    prints.set(name, own);
    return createLane(name, {
      read: async () => {
        const model = await catalog.get(name);
        if (model.notice !== null && model.notice !== notices.get(name)) log.info(`${name}: ${model.notice}`);
        notices.set(name, model.notice);
        return model;
      },
      prepare: (model, progress, signal) => prepare(model, (line) => {
        log.debug(`${name}: ${line}`);
        settingUp(name, line);
        progress(line);
      }, signal),
      print: (line) => {
        log.part(name).debug(line);
        own.add(line);
      },
      files: modelFiles, settings, view, clock, log,
    });
  }

  /** Its runner works, whatever has become of its folder. */
  function modelThatWorks(name: string): Model | null {
    const lane = lanes.get(name);
    return lane?.readiness === 'ready' ? lane.model : null;
  }

  /** By name. */
  const seen = shared(SEEN_MS, clock, async () => new Map(await Promise.all((await catalog.list()).map(async (entry) => [entry.name, await seenIn(entry)] as const))));

  async function status(name: string, { model: inFolder, missing, reason }: Seen): Promise<ModelStatus> {
    const lane = lanes.get(name);
    const own = { ...(lane?.status() ?? NOT_WANTED), ...tally.of(name), runners: (await lane?.memory()) ?? [] };
    const model = modelThatWorks(name) ?? inFolder;
    if (!model) {
      return { name, version: '', runtime: '', section: null, origin: 'user', missing: null, ...own, state: 'failed', reason };
    }
    const { version, runtime, section, origin } = model;
    return { name, version, runtime, section, origin, missing, ...own };
  }

  return {
    of(name) {
      if (name === CAMERA_MODEL) return cameraLane;
      const lane = lanes.get(name) ?? make(name);
      lanes.set(name, lane);
      return lane;
    },
    sectionOf(name) {
      const model = lanes.get(name)?.model;
      // One that could never be read keeps the section that its name has had from the beginning.
      return (model ? model.section : FLASK_SECTIONS.get(name)) ?? null;
    },
    get anyReady() {
      return [...lanes.values()].some(({ readiness }) => readiness === 'ready');
    },
    async statuses() {
      const folders = await seen();
      const names = new Set([...folders.keys(), ...[...lanes.keys()].filter((name) => modelThatWorks(name))]);
      return Promise.all([...names].sort().map((name) => status(name, folders.get(name) ?? GONE)));
    },
    async printsOf(name) {
      const own = prints.get(name);
      if (own) return own.lines;
      if ((await catalog.names()).includes(name)) return [];
      throw new LookoutError('not_found', `there is no model "${name}"; GET /api/models lists them`);
    },
    async close() {
      await Promise.all([...lanes.values()].map((lane) => lane.close()));
    },
  };
}

async function seenIn(entry: CatalogEntry): Promise<Seen> {
  if ('error' in entry) return { model: null, reason: entry.error.message, missing: null };
  return { model: entry.model, reason: '', missing: await missingWeights(entry.model) };
}
