/** What a batch costs besides its inference: a process that imports and loads each time, over the warm runner. */
import { once } from 'node:events';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { framesOf, openAnimals } from '../harness/animals.mjs';
import { digits, median } from '../harness/numbers.mjs';
import { pictures } from '../harness/pictures.mjs';
import { startOwn } from '../harness/programs.mjs';

const PICTURES = 10;

export const lines = {
  seed: { what: 'a process for each batch over the warm runner, both without the inference', atLeast: 20 },
};

export async function measure(column, { quick, say, cache, config, signal }) {
  const rounds = quick ? 2 : 7;
  const folder = join(column.folder, 'seed');
  await mkdir(folder);
  const animals = await openAnimals(column, cache, config, signal);
  const { model, runner, setup, environment } = animals;
  try {
    const frames = framesOf(await pictures(column.clip, folder, PICTURES));
    const output = join(folder, 'answers.json');
    const withProcess = async () => {
      const started = performance.now();
      const child = startOwn('one-shot', [model.entry, JSON.stringify(setup), JSON.stringify(frames), output], { env: environment, stdio: ['ignore', 'inherit', 'inherit'] });
      const [code] = await once(child, 'exit');
      const { inference_ms } = JSON.parse(await readFile(output, 'utf8'));
      if (code !== 0) throw new Error(`the process of the batch ended with code ${code}`);
      return performance.now() - started - inference_ms;
    };
    const withRunner = async () => {
      const started = performance.now();
      const { inference_ms } = await runner.predict(frames, model.options, signal);
      return performance.now() - started - inference_ms;
    };
    await withRunner();
    const [theirs, ours] = [[], []];
    for (let round = 0; round < rounds; round += 1) {
      theirs.push(await withProcess());
      ours.push(await withRunner());
    }
    say(`${digits(median(theirs))} ms with a process for each batch, ${digits(median(ours))} ms with the runner`);
    return { seed: median(theirs) / median(ours) };
  } finally {
    await animals.close();
    await rm(folder, { recursive: true, force: true });
  }
}
