/**
 * A model that tells when it is called: what `options.module` says, and for each call a line in the file
 * `options.journal`, with when it began and ended and whose frames it held.
 */
import { appendFileSync } from 'node:fs';

const now = () => performance.timeOrigin + performance.now();
let model;
let journal;

export async function setup(context) {
  model = await import(context.options.module);
  ({ journal } = context.options);
  return model.setup?.(context);
}

export async function predict(frames, options) {
  const began = now();
  const answers = await model.predict(frames, options);
  const ended = now();
  appendFileSync(journal, `${JSON.stringify({ began, ended, frames: frames.map(({ stream, captured_at }) => ({ stream, captured_at })) })}\n`);
  return answers;
}
