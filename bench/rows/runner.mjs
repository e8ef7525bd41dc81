/** What the runner protocol costs: ten pictures through the warm runner, over the same model called directly. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { framesOf, openAnimals, openDirect } from '../harness/animals.mjs';
import { digits, median } from '../harness/numbers.mjs';
import { pictures } from '../harness/pictures.mjs';

const PICTURES = 10;

export const lines = {
  runner: { what: `${PICTURES} pictures through the warm runner, over the detector called directly`, atMost: 1.05 },
};

export async function measure(column, { quick, say, cache, config, signal }) {
  const seconds = quick ? 10 : 40;
  const folder = join(column.folder, 'runner');
  await mkdir(folder);
  const animals = await openAnimals(column, cache, config, signal);
  const { model, runner } = animals;
  const direct = await openDirect(animals);
  try {
    const frames = framesOf(await pictures(column.clip, folder, PICTURES));
    const throughRunner = async () => {
      const started = performance.now();
      await runner.predict(frames, model.options, signal);
      return performance.now() - started;
    };
    const [warm, called] = await inTurn([throughRunner, () => direct.look(frames)], seconds);
    say(`${direct.detector}: ${digits(median(warm), 4)} ms through the runner, ${digits(median(called), 4)} ms directly, ${warm.length} times each`);
    return { runner: median(warm) / median(called) };
  } finally {
    await direct.close();
    await animals.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Milliseconds of each way, which go first by turns for so many seconds, once at the least; the first round only warms up. */
async function inTurn(ways, seconds) {
  const times = ways.map(() => []);
  const end = performance.now() + seconds * 1000;
  for (let round = 0; round < 2 || performance.now() < end; round += 1) {
    const order = round % 2 === 0 ? [0, 1] : [1, 0];
    for (const index of order) {
      const ms = await ways[index]();
      if (round > 0) times[index].push(ms);
    }
  }
  return times;
}
