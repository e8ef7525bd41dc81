/** Who may read what Lookout makes: pictures, records and secrets. */
import { execFile } from 'node:child_process';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { until } from '../helpers/app.ts';
import { startServer, type ServerProcess } from '../helpers/server-process.ts';
import { testFolder } from '../store/folder.ts';

const folder = testFolder();
/** One that answers and leaves a file for others, and one that fails. */
const ANSWERING = 'runtime: command\nentry: sh\nargs: [-c, \'echo seen > "$(dirname "$6")/for-others"; echo "[{\\"detections\\": []}]" > "$6"\', sh]\n';
const FAILING = 'runtime: command\nentry: sh\nargs: [-c, "exit 1"]\n';

async function serve(flags: readonly string[]): Promise<ServerProcess> {
  // As most hosts have it, whoever runs the tests.
  const server = await startServer({ folder: folder.path, flags, under: ['sh', '-c', 'umask 022; "$@"; exit $?', 'sh'] });
  onTestFinished(() => server.kill9());
  return server;
}

/** What lies below these folders, and the folders themselves: the permissions of each, in octal. */
async function modes(...places: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const place of places) {
    for (const name of ['', ...(await readdir(join(folder.path, place), { recursive: true }))]) {
      const path = join(place, name);
      // Frames and views come and go.
      const facts = await stat(join(folder.path, path)).catch(() => null);
      if (facts) found.set(path, `${facts.isDirectory() ? 'd' : ''}${(facts.mode & 0o777).toString(8)}`);
    }
  }
  return found;
}

it('makes pictures, records and secrets for its own user alone, whoever writes them, and leaves to models what models make', async () => {
  for (const [name, manifest] of [['answering', ANSWERING], ['failing', FAILING]] as const) {
    await mkdir(join(folder.path, 'models', name), { recursive: true });
    await writeFile(join(folder.path, 'models', name, 'model.yaml'), manifest);
  }
  const clip = join(folder.path, 'clip.mp4');
  await promisify(execFile)('ffmpeg', ['-loglevel', 'error', '-f', 'lavfi', '-i', 'testsrc=s=64x48:r=10', '-t', '20', '-g', '1', '-c:v', 'mpeg4', clip]);
  const server = await serve(['--keep-frames', 'all', '--model-retries', '0', '--allow-schemes', 'file']);
  await server.ask('/start_stream', { camera_id: 'CAM', rtsp_url: pathToFileURL(clip).href, model_name: ['answering', 'failing'], interval_seconds: 0.5, batch_size: 1 });
  let found = await modes('data', 'frames');
  const has = (pattern: RegExp): boolean => [...found.keys()].some((path) => pattern.test(path));
  const wanted = [/predictions\.json$/, /records\.idx$/, /books\.ndjson$/, /streams\.json$/, /evidence\/.*\.jpg$/, /dead-letter\/.*\.jpg$/, /dead-letter\/.*\.json$/, /frames\/.*\/latest\.jpg$/, /work\/answering\/for-others$/];
  await until(async () => {
    found = await modes('data', 'frames');
    return wanted.every(has);
  }, 20_000, () => `${[...found.keys()].join('\n')}\n${server.output()}`);
  expect(await server.stop()).toBe(0);
  const open = [...found].filter(([, mode]) => !/00$/.test(mode));
  expect(open).toEqual([['data/work/answering/for-others', '644']]);
});

it.each([
  ['lets the group read where it is to', ['--share-files', 'group'], ['d750', '640']],
  ['leaves a project as open as it was', ['--project', '.'], ['d755', '644']],
])('%s', async (_how, flags, [ofFolders, ofFiles]) => {
  const server = await serve(flags);
  expect(await server.stop()).toBe(0);
  const found = await modes('data');
  expect([found.get('data'), found.get('data/books.ndjson')]).toEqual([ofFolders, ofFiles]);
});
