/**
 * A model as the Flask orchestrator ran it: a process for each batch that imports, loads, looks, writes its answer and
 * ends. one-shot.mjs <entry> <setup JSON> <frames JSON> <output file>.
 */
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import '../../runners/node/register.mjs';

const [, , entry, setupJson, framesJson, output] = process.argv;
const setup = JSON.parse(setupJson);
const model = await import(pathToFileURL(entry).href);
await model.setup(setup);
const started = performance.now();
const answers = await model.predict(JSON.parse(framesJson), setup.options);
const inference_ms = performance.now() - started;
writeFileSync(output, JSON.stringify({ answers, inference_ms }));
process.exit(0);
