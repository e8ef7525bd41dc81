/** All of Lookout as users run it, in a process of its own, with its folders, models and streams under one root. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { packageRoot } from '../../dist/lib/package.js';
import { readLines, start, stop } from './programs.mjs';

/** `streams` as lookout.yaml has them, each with its `options`. */
export async function openServer(root, { settings = {}, streams }) {
  await mkdir(join(root, 'data'), { recursive: true });
  await writeFile(join(root, 'data/lookout.yaml'), JSON.stringify({ port: 0, offline: true, log_level: 'error', ...settings, streams }));
  const child = start(process.execPath, [join(packageRoot, 'dist/cli.js'), 'serve'], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await readLines(child, 1);
  const url = line.split(' ').at(-1);
  const get = async (path) => (await fetch(url + path)).json();

  /** Of the model, by its name: `{looks, cameras, state, …}` as the API tells. */
  const model = async (name) => (await get('/api/models')).models.find((one) => one.name === name);
  return {
    pid: child.pid,
    url,
    model,
    /** `{streams, books}` as the API tells. */
    streams: () => get('/api/streams'),
    records: async (limit) => (await get(`/api/records?limit=${limit}`)).records,
    /** Resolves once each of the models has looked at a frame. */
    async looking(names, seconds) {
      const end = performance.now() + seconds * 1000;
      for (const name of names) {
        for (let own = await model(name); own.looks.looked === 0; own = await model(name)) {
          if (performance.now() > end) throw new Error(`${name} looked at nothing in ${seconds} s: it is ${own.state}, ${own.reason}`);
          await sleep(100);
        }
      }
    },
    close: () => stop(child, 'SIGTERM'),
  };
}

/** So many streams of one URL. */
export function streamsOf(url, count, { prefix = 'CAM', models, options }) {
  return Array.from({ length: count }, (_, index) => ({ camera_id: `${prefix}-${index + 1}`, url, models, options }));
}
