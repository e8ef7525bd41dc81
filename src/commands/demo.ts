/** `lookout demo`: the server with a camera of its own over real RTSP, and what happens in words. */
import { join } from 'node:path';
import type { App } from '../app.ts';
import { startDemoCamera } from '../demo/index.ts';
import { systemClock } from '../lib/clock.ts';
import type { BatchRecord } from '../types.ts';
import { prepareCommand, print, type CommandContext } from './context.ts';
import { serveUntil } from './serve.ts';

const CAMERA = 'DEMO-CAM';
const LOOK_MS = 200;

/** `records`: stop after so many; null: serve until Ctrl-C. */
export async function demo(context: CommandContext, records: number | null): Promise<number> {
  const { config, log } = await prepareCommand(context, {
    data_dir: join('data', 'demo'), frames_dir: join('<data_dir>', 'frames'), default_models: ['motion', 'animals'], log_level: 'warn',
  });
  const enough = new AbortController();
  const signal = AbortSignal.any([context.signal, enough.signal]);
  const camera = await startDemoCamera({ cameras: { street: { kind: 'scene' } }, log }, signal);
  try {
    await serveUntil(signal, config, log, async (app) => {
      print(`A demo camera plays at ${camera.url('street')}; Ctrl-C stops.`);
      let seen = 0;
      app.onRecord((record) => {
        summarise(record, config.predictions);
        seen += 1;
        if (records !== null && seen >= records) enough.abort();
      });
      await placeCamera(app);
      await app.streams.start({ camera_id: CAMERA, url: camera.url('street'), models: config.default_models ?? undefined }, 'demo');
      void narrate(app, config.batch_size, signal);
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

/** Prints what changes: states, frames, what an environment's installer says. */
async function narrate(app: App, batchSize: number, signal: AbortSignal): Promise<void> {
  const told = new Map<string, string>();
  const tell = (key: string, line: string): void => {
    if (told.get(key) !== line) print(line);
    told.set(key, line);
  };
  while (!signal.aborted) {
    const stream = app.face.stream(CAMERA);
    if (stream) {
      if (stream.state !== 'running' && stream.state !== 'provisioning') tell('stream', `camera: ${stream.state} (${stream.reason})`);
      if (stream.open_batch > 0) tell('frames', `camera: frame ${stream.open_batch} of ${batchSize}`);
    }
    for (const model of await app.face.models()) {
      if (!stream?.models.includes(model.name)) continue;
      if (model.progress !== null) tell(model.name, `${model.name}: ${model.progress}`);
      else if (model.state === 'failed' || model.state === 'ready') tell(model.name, `${model.name}: ${model.state} (${model.reason})`);
    }
    await systemClock.sleep(LOOK_MS, signal);
  }
}

function summarise(record: BatchRecord, file: string): void {
  const { batch, models } = record;
  print(`record ${batch.id}: ${batch.frames.length} frames, ${batch.started_at} to ${batch.ended_at}`);
  for (const [name, model] of Object.entries(models)) {
    if (model.error) print(`  ${name}: ${model.error.message}`);
    else print(`  ${name} (${model.detector ?? model.runtime}): ${findings(record, name)} in ${Math.round(model.inference_ms ?? 0)} ms`);
  }
  print(`  appended to ${file}`);
}

/** `3 x motion`, or `nothing`: what stands in the sections that hold this model's findings. */
function findings(record: BatchRecord, model: string): string {
  const section = record[model] ?? (model === 'animals' ? record.stray_animal : null);
  const counts = new Map<string, number>();
  const detections = (section as { detections?: readonly { class: string }[] } | null)?.detections ?? [];
  for (const one of detections) counts.set(one.class, (counts.get(one.class) ?? 0) + 1);
  return [...counts].map(([name, count]) => `${count} x ${name}`).join(', ') || 'nothing';
}
