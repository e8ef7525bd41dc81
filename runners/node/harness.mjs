/**
 * Runs a model's own ES module as a Lookout runner: harness.mjs <entry.mjs> <setup JSON>.
 *
 * Needs Node 20.19 and nothing else. What the module may export is told in ../README.md.
 */
import { createReadStream, fstatSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { basename, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { explainer, inWords } from './mistakes.mjs';
import { Invalid, toAnswers, toFindings } from './findings.mjs';
import './register.mjs';

const PROTOCOL = 1;
const MAX_MESSAGE = 16 * 1024 * 1024;
/** Node's exit code when all is done but a top-level await. */
const UNSETTLED = 13;

// Node cannot move descriptors, so whoever starts this has done it: messages leave by a copy of stdout, and what the
// model and everything it starts print goes to stderr; calls come by a copy of stdin, where nothing can take them away.
const messages = Number(process.env.LOOKOUT_MESSAGES_FD);
const input = Number(process.env.LOOKOUT_CALLS_FD);
if (!Number.isInteger(messages) || !Number.isInteger(input)) {
  console.error('Start the harness with its messages and calls on copies of stdout and stdin:\n  LOOKOUT_MESSAGES_FD=3 LOOKOUT_CALLS_FD=4 node harness.mjs <entry.mjs> <setup JSON> 3>&1 1>&2 4<&0 0</dev/null');
  process.exit(2);
}
delete process.env.LOOKOUT_MESSAGES_FD;
delete process.env.LOOKOUT_CALLS_FD;

process.on('uncaughtException', giveUp);
let isServing = false;
process.on('exit', () => {
  if (process.exitCode === UNSETTLED && !isServing) send({ type: 'fatal', error: { message: `${basename(entry)} or its setup awaits a promise that nothing is left to settle` } });
});

const entry = resolve(process.argv[2]);
const setupJson = process.argv[3];
const explain = explainer(entry);
const warned = new Set();
try {
  const model = exportsOf(await import(pathToFileURL(entry).href));
  const ready = describe(await model.setup?.(JSON.parse(setupJson)));
  // A model that is shown frame by frame cannot tell whether a call holds one stream or several.
  await serve(choosePredict(model), { mix: !model.predict, ...ready });
} catch (error) {
  giveUp(error);
}
process.exit(0);

/** Answers calls one by one until the input ends: the parent closed the runner, or is gone. */
async function serve(predict, ready) {
  const calls = createInterface({ input: open(input) });
  isServing = true;
  send({ type: 'ready', protocol: PROTOCOL, ...ready });
  for await (const line of calls) {
    const { id, frames, options } = JSON.parse(line);
    try {
      const started = performance.now();
      // The model's own copies: what it does to them is not what was asked.
      const answers = await predict(frames.map((frame) => ({ ...frame })), options);
      const elapsed = performance.now() - started;
      const predictions = frames.map((frame, i) => toPrediction(frame, answers[i]));
      const result = encode({ type: 'result', id, predictions, inference_ms: Math.round(elapsed * 1000) / 1000 });
      if (result.length > MAX_MESSAGE) throw new Invalid(`the answer is ${result.length} characters, more than ${MAX_MESSAGE}; say less, or take fewer frames at once`);
      writeFileSync(messages, result);
    } catch (error) {
      send({ type: 'failed', id, error: { message: explain(error) } });
    }
  }
}

/** A file of calls, for trying by hand, is no socket; and reading a pipe like a file would keep a thread waiting. */
function open(fd) {
  const facts = fstatSync(fd);
  return facts.isFIFO() || facts.isSocket() ? new Socket({ fd }) : createReadStream('', { fd });
}

function send(message) {
  writeFileSync(messages, encode(message));
}

function encode(message) {
  return `${JSON.stringify(message)}\n`;
}

function giveUp(error) {
  send({ type: 'fatal', error: { message: explain(error) } });
  process.exit(1);
}

/** Named exports, or what a default export or CommonJS holds. */
function exportsOf(module) {
  return module.predict || module.predictFrame ? module : module.default ?? module;
}

/** `predict(frames, options)` that gives an answer for each frame: a list of findings, or what is wrong with it. */
function choosePredict(model) {
  if (model.predict) {
    return async (frames, options) => {
      const { length } = frames;
      return Promise.all(toAnswers(await model.predict(frames, options), length).map((answer) => attempt(() => answer)));
    };
  }
  if (!model.predictFrame) throw new Invalid(`${basename(entry)} exports neither predict(frames, options) nor predictFrame(frame, options)`);
  return async (frames, options) => {
    const answers = [];
    for (const frame of frames) answers.push(await attempt(() => model.predictFrame(frame, options)));
    return answers;
  };
}

async function attempt(task) {
  try {
    return await task();
  } catch (error) {
    return { error: explain(error) };
  }
}

function describe(said) {
  const { detector = null, labels = null, device = null } = said ?? {};
  return { detector, labels, device };
}

/** What is wrong with a finding is wrong with its frame; the others keep theirs. */
function toPrediction(frame, answer) {
  try {
    if (answer instanceof Error) return badFrame(frame, inWords(answer));
    if (![undefined, null, ''].includes(answer?.error)) return badFrame(frame, inWords(answer.error));
    return { index: frame.index, detections: toFindings(answer, frame, warn) };
  } catch (error) {
    return badFrame(frame, explain(error));
  }
}

function badFrame({ index }, message) {
  return { index, error: { code: 'bad_frame', message } };
}

/** Once in the life of a process: a model does a thing wrong in every frame, or never. */
function warn(about, words) {
  if (warned.has(about)) return;
  warned.add(about);
  console.error(`warning: ${words}`);
}
