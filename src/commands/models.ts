/** `lookout models`: what there is, preparing it, trying it on pictures. */
import { mkdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { createModels, type Models } from '../parts.ts';
import { drawBoxes } from '../lib/ffmpeg.ts';
import type { RunnerFrame } from '../types.ts';
import { missingWeights } from '../models/weights.ts';
import { keepFindings, neverFound } from '../inference/findings.ts';
import { prepareCommand, print, type CommandContext } from './context.ts';
import { sizeOf } from './picture.ts';

export async function listModels(context: CommandContext): Promise<number> {
  const { catalog } = await open(context);
  for (const entry of await catalog.list()) {
    if ('error' in entry) print(`${entry.name.padEnd(16)} broken     ${entry.error.message}`);
    else print(`${entry.name.padEnd(16)} ${entry.model.origin.padEnd(10)} ${entry.model.runtime.padEnd(8)} ${await missingWeights(entry.model) ?? entry.model.folder}`);
  }
  return 0;
}

export async function prepareModels(context: CommandContext, names: readonly string[]): Promise<number> {
  const { catalog, ...models } = await open(context);
  for (const name of names) {
    const { fingerprint } = await models.prepare(await catalog.get(name), (line) => { print(`${name}: ${line}`); }, context.signal);
    print(`${name}: ready${fingerprint === null ? '' : ` (environment ${fingerprint})`}`);
  }
  return 0;
}

/** Runs a model on pictures, prints what it finds, and writes each picture with its boxes to `out`. */
export async function tryModel(context: CommandContext, name: string, images: readonly string[], out: string): Promise<number> {
  const { catalog, ...models } = await open(context);
  const model = await catalog.get(name);
  const frames = await Promise.all(images.map(async (image, index): Promise<RunnerFrame> => {
    const { width, height } = await sizeOf(image);
    return { index, stream: 'try', sequence: index, file: resolve(image), captured_at: new Date().toISOString(), width, height };
  }));
  await mkdir(out, { recursive: true });
  const drawings = drawingsOf(images, name);
  const prepared = await models.prepare(model, (line) => { print(`${name}: ${line}`); }, context.signal);
  const runner = await prepared.start(context.signal);
  try {
    const { detector, device, labels } = runner.ready;
    if (detector !== null) print(`${name}: ${detector}${device === null ? '' : ` on ${device}`}`);
    const warning = neverFound(model, labels);
    if (warning !== null) print(`${name}: ${warning}`);
    const { predictions, inference_ms } = await runner.predict(frames, model.options, context.signal);
    for (const prediction of keepFindings(model, predictions)) {
      const image = images[prediction.index] ?? '';
      if ('error' in prediction) {
        print(`${image}: ${prediction.error.message}`);
        continue;
      }
      if (prediction.detections.length === 0) print(`${image}: nothing found`);
      for (const { class: name, confidence, box } of prediction.detections) {
        print(`${image}: ${name} ${confidence.toFixed(2)}${box === undefined ? '' : ` at ${box.map((side) => Math.round(side)).join(', ')}`}`);
      }
      const drawn = join(out, drawings[prediction.index] ?? '');
      await drawBoxes(resolve(image), prediction.detections.flatMap(({ box }) => (box === undefined ? [] : [box])), drawn);
      print(`${image}: drawn to ${drawn}`);
    }
    print(`${images.length} pictures in ${Math.round(inference_ms)} ms`);
  } finally {
    await runner.close();
  }
  return 0;
}

/** What the picture with boxes of each image is called; numbered where two images have one name. */
function drawingsOf(images: readonly string[], model: string): readonly string[] {
  const taken = new Set<string>();
  return images.map((image) => {
    const name = basename(image).replace(/\.[^.]*$/, '');
    let drawing = `${name}-${model}.jpg`;
    for (let number = 2; taken.has(drawing); number += 1) drawing = `${name}-${number}-${model}.jpg`;
    taken.add(drawing);
    return drawing;
  });
}

async function open(context: CommandContext): Promise<Models> {
  const { config, log } = await prepareCommand(context);
  return createModels(config, log);
}
