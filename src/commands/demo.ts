/** `lookout demo`: the server with cameras of its own over real RTSP, and what happens in words. */
import type { App } from '../app.ts';
import { type Fault, faultOf, type Relay, type Scene, startDemoCamera, startRelay } from '../demo/index.ts';
import { errorInfo } from '../errors.ts';
import { systemClock } from '../lib/clock.ts';
import type { BatchRecord } from '../types.ts';
import { prepareCommand, print, type CommandContext } from './context.ts';
import { DEMO_SETTINGS } from './demo-settings.ts';
import { serveUntil } from './serve.ts';

interface Shown {
  readonly id: string;
  readonly path: string;
  readonly scene: Scene;
  readonly latitude: string;
  readonly longitude: string;
  /** Models that have nothing to say of it. */
  readonly without: readonly string[];
}

const CAMERAS: readonly Shown[] = [
  { id: 'DEMO-CAM', path: 'street', scene: { kind: 'scene' }, latitude: '26.4499', longitude: '80.3319', without: [] },
  {
    // Where a camera pans, everything moves.
    id: 'DEMO-PASTURE', path: 'pasture', scene: { kind: 'pasture' }, latitude: '52.33', longitude: '1.68', without: ['motion'],
  },
];
const LOOK_MS = 200;
/** Each look at the models reads all their folders. */
const LOOK_AT_MODELS_MS = 1000;
/** How long a camera is well before it fails, and how long it fails. */
const SPELL_MS = 15_000;

export interface DemoOptions {
  /** Stop after so many of each camera; null: serve until Ctrl-C. */
  readonly records: number | null;
  /** What the first camera does wrong again and again; null: nothing. */
  readonly fault: string | null;
}

export async function demo(context: CommandContext, { records, fault: name }: DemoOptions): Promise<number> {
  const fault = name === null ? null : faultOf(name);
  const { config, log } = await prepareCommand(context, DEMO_SETTINGS);
  const enough = new AbortController();
  const signal = AbortSignal.any([context.signal, enough.signal]);
  const camera = await startDemoCamera({ cameras: Object.fromEntries(CAMERAS.map(({ path, scene }) => [path, scene])), log }, signal);
  const [street] = CAMERAS;
  const relay = fault && street ? await startRelay(camera.url(street.path), { show: (change) => { camera.show(street.path, change); } }) : null;
  const urlOf = (shown: Shown): string => (relay && shown === street ? relay.url : camera.url(shown.path));
  try {
    await serveUntil(signal, config, log, async (app) => {
      print(`Demo cameras play at ${CAMERAS.map(urlOf).join(' and ')}; Ctrl-C stops.`);
      const worried = (error: unknown): void => { log.warn('the demo cannot tell what happens', { reason: errorInfo(error).message }); };
      const seen = new Map(CAMERAS.map(({ id }) => [id, 0]));
      app.onRecord((record, cameraId) => {
        seen.set(cameraId, (seen.get(cameraId) ?? 0) + 1);
        const last = records !== null && [...seen.values()].every((number) => number >= records);
        summarise(app, record, config.predictions).catch(worried).finally(() => { if (last) enough.abort(); });
      });
      app.onSetUp((model, step) => { print(`${model}: ${step}`); });
      for (const shown of CAMERAS) {
        await placeCamera(app, shown);
        await watchCamera(app, shown, urlOf(shown));
      }
      narrate(app, config.batch_size, signal).catch(worried);
      narrateModels(app, signal).catch(worried);
      if (fault && relay && street) fail(street.id, fault, relay, signal).catch(worried);
    });
  } finally {
    await relay?.close();
    await camera.close();
  }
  return 0;
}

/** Demo cameras have coordinates, as every camera should. */
async function placeCamera({ face }: App, { id, latitude, longitude }: Shown): Promise<void> {
  const known = await face.cameras();
  if (!known.some(({ cameraID }) => cameraID === id)) await face.addCamera({ cameraID: id, latitude, longitude });
}

/** Demo cameras have another port each time; a stream that the API started remembers its last one. */
async function watchCamera({ face, streams }: App, { id, without }: Shown, url: string): Promise<void> {
  const fitting = face.defaults.models.filter((model) => !without.includes(model));
  const models = fitting.length > 0 ? fitting : face.defaults.models;
  if (await streams.start({ camera_id: id, url, models }, 'demo') === 'already_running') await streams.change(id, { url });
}

/** By turns the camera is well and is not. */
export async function fail(id: string, fault: Fault, relay: Pick<Relay, 'become'>, signal: AbortSignal, spellMs = SPELL_MS): Promise<void> {
  const spell = `for ${spellMs / 1000} s`;
  for (let isWell = true; !signal.aborted; isWell = !isWell) {
    await relay.become(isWell ? null : fault);
    print(`${id}: the camera ${isWell ? 'is well' : fault.summary} ${spell}`);
    await systemClock.sleep(spellMs, signal);
  }
}

/** Prints what changes: states and frames. */
async function narrate({ face }: Pick<App, 'face'>, batchSize: number, signal: AbortSignal): Promise<void> {
  const tell = createTeller();
  while (!signal.aborted) {
    for (const { id } of CAMERAS) {
      const stream = face.stream(id);
      if (!stream) continue;
      if (stream.state !== 'running' && stream.state !== 'provisioning') tell(id, `${id}: ${stream.state} (${stream.reason})`);
      if (stream.open_batch > 0) tell(`frames of ${id}`, `${id}: frame ${stream.open_batch} of ${batchSize}`);
    }
    await systemClock.sleep(LOOK_MS, signal);
  }
}

/** Prints what changes: states. */
export async function narrateModels({ face }: Pick<App, 'face'>, signal: AbortSignal): Promise<void> {
  const tell = createTeller();
  while (!signal.aborted) {
    for (const model of await face.models()) {
      if (!CAMERAS.some(({ id }) => face.stream(id)?.models.includes(model.name))) continue;
      if (model.state === 'failed' || model.state === 'ready') tell(model.name, `${model.name}: ${model.state} (${model.reason})`);
    }
    await systemClock.sleep(LOOK_AT_MODELS_MS, signal);
  }
}

/** Prints a line when it differs from the last one about the same. */
function createTeller(): (about: string, line: string) => void {
  const told = new Map<string, string>();
  return (about, line) => {
    if (told.get(about) !== line) print(line);
    told.set(about, line);
  };
}

async function summarise({ face }: App, record: BatchRecord, file: string): Promise<void> {
  const sections = new Map((await face.models()).map(({ name, section }) => [name, section]));
  const { batch, models } = record;
  print(`record ${batch.id}: ${batch.frames.length} frames, ${batch.started_at} to ${batch.ended_at}`);
  for (const [name, model] of Object.entries(models)) {
    if (model.error) print(`  ${name}: ${model.error.message}`);
    else print(`  ${name} (${model.detector ?? model.runtime}): ${findings(record, name, sections.get(name) ?? name)} in ${Math.round(model.inference_ms ?? 0)} ms`);
  }
  print(`  appended to ${file}`);
}

interface Found {
  readonly class: string;
  /** Where several models share a section. */
  readonly model?: string;
}

/** `3 x motion`, or `nothing`: what stands in the section that holds this model's findings, in a flat record under its complaint. */
function findings(record: BatchRecord, model: string, section: string): string {
  const complaints = (record.complaint_type ?? {}) as Readonly<Record<string, unknown>>;
  const held = complaints[section] ?? record[section];
  const found = (Array.isArray(held) ? held : (held as { detections?: unknown } | null)?.detections ?? []) as readonly Found[];
  const counts = new Map<string, number>();
  for (const one of found) {
    if (one.model === undefined || one.model === model) counts.set(one.class, (counts.get(one.class) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => `${count} x ${name}`).join(', ') || 'nothing';
}
