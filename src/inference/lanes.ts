/** The lanes of all models, each made when it is first asked for, and what is told of every model. */
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Catalog, CatalogEntry } from '../models/catalog.ts';
import { codeHash } from '../models/fingerprint.ts';
import { FLASK_SECTIONS } from '../models/model-folder.ts';
import { missingWeights } from '../models/weights.ts';
import type { Config, Lane, Model, ModelStatus, Prepared, Progress } from '../types.ts';
import { createLane, type LaneParts } from './lane.ts';
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
  close(): Promise<void>;
}

const NOT_WANTED = { state: 'idle', reason: 'not wanted yet', progress: null, detector: null, restarts: 0 } as const;

export function createLanes({ catalog, prepare, settings, view, settingUp, tally, clock, log }: LanesParts): Lanes {
  const lanes = new Map<string, Lane>();
  const sections = new Map<string, string | null>();
  const notices = new Map<string, string | null>();

  function make(name: string): Lane {
    return createLane(name, {
      read: async () => {
        const model = await catalog.get(name);
        sections.set(name, model.section);
        if (model.notice !== null && model.notice !== notices.get(name)) log.info(`${name}: ${model.notice}`);
        notices.set(name, model.notice);
        return model;
      },
      prepare: (model, progress, signal) => prepare(model, (line) => {
        log.debug(`${name}: ${line}`);
        settingUp(name, line);
        progress(line);
      }, signal),
      codeHash, settings, view, clock, log,
    });
  }

  async function status(entry: CatalogEntry): Promise<ModelStatus> {
    const { name } = entry;
    const own = { ...(lanes.get(name)?.status() ?? NOT_WANTED), ...tally.of(name) };
    if ('error' in entry) {
      return { name, version: '', runtime: '', section: null, origin: 'user', missing: null, ...own, state: 'failed', reason: entry.error.message };
    }
    const { version, runtime, section, origin } = entry.model;
    return { name, version, runtime, section, origin, missing: await missingWeights(entry.model), ...own };
  }

  return {
    of(name) {
      const lane = lanes.get(name) ?? make(name);
      lanes.set(name, lane);
      return lane;
    },
    // One that could never be read keeps the section that its name has had from the beginning.
    sectionOf: (name) => (sections.has(name) ? sections.get(name) : FLASK_SECTIONS[name]) ?? null,
    get anyReady() {
      return [...lanes.values()].some(({ readiness }) => readiness === 'ready');
    },
    statuses: async () => Promise.all((await catalog.list()).map(status)),
    async close() {
      await Promise.all([...lanes.values()].map((lane) => lane.close()));
    },
  };
}
