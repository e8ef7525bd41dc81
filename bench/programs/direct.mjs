/**
 * A node model called directly, as its harness calls it: direct.mjs <entry> <setup JSON>. Answers each message of its
 * parent, the frames of one batch, with the milliseconds that the model took.
 */
import { pathToFileURL } from 'node:url';
import '../../runners/node/register.mjs';

const [, , entry, setupJson] = process.argv;
const setup = JSON.parse(setupJson);
const model = await import(pathToFileURL(entry).href);
const { detector } = await model.setup(setup);
process.on('message', async (frames) => {
  const started = performance.now();
  await model.predict(frames, setup.options);
  process.send({ ms: performance.now() - started });
});
process.send({ detector });
