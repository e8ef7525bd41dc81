/** `lookout demo`: the server with a camera of its own over real RTSP, and what happens in words. */
import type { App } from '../app.ts';
import { startDemoCamera } from '../demo/index.ts';
import { errorInfo } from '../errors.ts';
import { systemClock } from '../lib/clock.ts';
import type { BatchRecord } from '../types.ts';
import { prepareCommand, print, type CommandContext } from './context.ts';
import { DEMO_SETTINGS } from './demo-settings.ts';
import { serveUntil } from './serve.ts';

const CAMERA = 'DEMO-CAM';
const LOOK_MS = 200;
/** Each look at the models reads all their folders. */
const LOOK_AT_MODELS_MS = 1000;

/** `records`: stop after so many; null: serve until Ctrl-C. */
export async function demo(context: CommandContext, records: number | null): Promise<number> {
  const { config, log } = await prepareCommand(context, DEMO_SETTINGS);
  const enough = new AbortController();
  const signal = AbortSignal.any([context.signal, enough.signal]);
  const camera = await startDemoCamera({ cameras: { street: { kind: 'scene' } }, log }, signal);
  try {
    await serveUntil(signal, config, log, async (app) => {
      print(`A demo camera plays at ${camera.url('street')}; Ctrl-C stops.`);
      const worried = (error: unknown): void => { log.warn('the demo cannot tell what happens', { reason: errorInfo(error).message }); };
      let seen = 0;
      app.onRecord((record) => {
        seen += 1;
        const last = records !== null && seen >= records;
        summarise(app, record, config.predictions).catch(worried).finally(() => { if (last) enough.abort(); });
      });
      await placeCamera(app);
      await watchCamera(app, camera.url('street'), config.default_models);
      narrate(app, config.batch_size, signal).catch(worried);
      narrateModels(app, signal).catch(worried);
    });
  } finally {
    await camera.close();
  }
  return 0;
}

/** The demo camera has coordinates, as every camera should. */
async function placeCamera(app: App): Promise<void> {
  const known = await app.face.cameras();
  if (!known.some(({ cameraID }) => cameraID === CAMERA)) await app.face.addCamera({ cameraID: CAMERA, latitude: '26.4499', longitude: '80.3319' });
}

/** The demo camera has another port each time; a stream that the API started remembers its last one. */
async function watchCamera(app: App, url: string, models: readonly string[] | null): Promise<void> {
  if (await app.streams.start({ camera_id: CAMERA, url, models: models ?? undefined }, 'demo') === 'already_running') await app.streams.change(CAMERA, { url });
}

/** Prints what changes: states and frames. */
async function narrate({ face }: Pick<App, 'face'>, batchSize: number, signal: AbortSignal): Promise<void> {
  const tell = createTeller();
  while (!signal.aborted) {
    const stream = face.stream(CAMERA);
    if (stream) {
      if (stream.state !== 'running' && stream.state !== 'provisioning') tell('stream', `camera: ${stream.state} (${stream.reason})`);
      if (stream.open_batch > 0) tell('frames', `camera: frame ${stream.open_batch} of ${batchSize}`);
    }
    await systemClock.sleep(LOOK_MS, signal);
  }
}

/** Prints what changes: states, what an environment's installer says. */
export async function narrateModels({ face }: Pick<App, 'face'>, signal: AbortSignal): Promise<void> {
  const tell = createTeller();
  while (!signal.aborted) {
    for (const model of await face.models()) {
      if (!face.stream(CAMERA)?.models.includes(model.name)) continue;
      if (model.progress !== null) tell(model.name, `${model.name}: ${model.progress}`);
      else if (model.state === 'failed' || model.state === 'ready') tell(model.name, `${model.name}: ${model.state} (${model.reason})`);
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
