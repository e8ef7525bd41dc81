/** What the README says is true: its code runs, its tables are the program's. */
import { execa } from 'execa';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../src/config/load.ts';
import { TOKEN } from '../src/config/origins.ts';
import { listSettings } from '../src/config/settings.ts';
import { settingsTable } from '../src/config/table.ts';
import { enrich, type RecordSettings } from '../src/record/enrich.ts';
import { RECORD_SCHEMAS } from '../src/record/schema.ts';
import { TABLE } from '../src/store/janitor.ts';
import type { Config } from '../src/types.ts';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { startTestApp, type TestApp } from './helpers/app.ts';
import { command } from './helpers/command.ts';
import { writeTree } from './models/fixtures.ts';
import { answer, dog, input } from './record/parts.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = await readFile(join(root, 'README.md'), 'utf8');
const blocks = [...readme.matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(([, language, code]) => ({ language, code: code ?? '' }));
const block = (language: string, containing: string): string => {
  const found = blocks.find((one) => one.language === language && one.code.includes(containing));
  if (!found) throw new Error(`README has no ${language} block with ${containing}`);
  return found.code;
};

let folder: string;
let lookout: TestApp;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout-readme-'));
  // The built-in one is made with npm for seconds once a stream asks for it.
  await writeTree(folder, { 'own/animals/model.yaml': 'runtime: node\nentry: model.mjs\n', 'own/animals/model.mjs': 'export const predict = (frames) => frames.map(() => []);\n' });
  lookout = await startTestApp({ models_dir: join(folder, 'own') });
});

afterAll(async () => {
  await lookout.close();
  await rm(folder, { recursive: true, force: true });
});

describe('README', () => {
  it('holds the table of settings as the program prints it', () => {
    expect(readme).toContain(settingsTable());
  });

  it('says in which order things are let go', () => {
    const words = readme.replace(/\s+/g, ' ');
    let at = words.indexOf('lets go, in this order, of');
    for (const kind of Object.values(TABLE)) {
      at = words.indexOf(kind, at + 1);
      expect(at, kind).toBeGreaterThan(0);
    }
  });

  it('shows a record that meets the schema', () => {
    const ajv = new Ajv2020({ strict: false });
    addFormats.default(ajv);
    const record = JSON.parse(block('json', 'frame_base64').replace('/9j/4AAQ…', '/9j/4AAQ')) as unknown;
    expect(ajv.validate(RECORD_SCHEMAS.v1, record), ajv.errorsText()).toBe(true);
  });

  it('says truly that the schema of records is served, and in openapi.json too', async () => {
    const { components } = await (await fetch(`${lookout.url}/openapi.json`)).json() as { components: { schemas: Record<string, unknown> } };
    expect(components.schemas['Record']).toEqual(RECORD_SCHEMAS.v1);
    expect(await (await fetch(`${lookout.url}/api/records/schema.json`)).json()).toEqual(RECORD_SCHEMAS.v1);
  });

  it('shows settings that load', async () => {
    const file = join(folder, 'lookout.yaml');
    await writeFile(file, block('yaml', 'streams:'));
    const { config } = await loadConfig({ flags: { config: file }, env: { CAM_002_PASSWORD: 'secret' }, cwd: folder });
    expect(config.streams[0]).toMatchObject({ camera_id: 'CAM-002', url: 'rtsp://user:secret@192.168.1.21:554/stream' });
  });

  it('tells for each generation of the Flask orchestrator by which flags its records go on', async () => {
    const rows = [...readme.matchAll(/^\| .* \| `([0-9a-f]{7})` \| (.*) \|$/gm)].map(([, commit, add]) => [commit, add ?? ''] as const);
    const made = await Promise.all(rows.map(async ([commit, add]) => {
      const flags = Object.fromEntries([...add.matchAll(/--([\w-]+) (\w+)/g)].map(([, flag = '', value = '']): [string, string] => [flag.replaceAll('-', '_'), value]));
      const { config } = await loadConfig({ flags, env: {}, cwd: folder });
      const { record_format, time_zone, record_when } = config as Config & Pick<RecordSettings, 'record_when'>;
      const records = [answer([], []), answer([dog], [])].map((looks) => enrich(input({ animals: looks }, { animals: 'stray_animal' }, { settings: { record_format, time_zone, record_when } })));
      return [commit, ...records.map((record) => record && Object.keys(record)[0]), records[1]?.['complaint_type'] ?? null];
    }));
    const lists = { stray_animal: [{ class: 'dog' }], pothole: [], garbage: [] };
    expect(made).toMatchObject([
      ['20dab0b', 'basic', 'basic', null],
      ['2786331', 'camID', 'camID', { stray_animal: [{ class: 'dog' }], pothole: 0 }],
      ['d1112db', 'camID', 'camID', lists],
      ['a8a6029', null, 'camID', lists],
    ]);
  });

  it('starts a stream by its curl line', async () => {
    const { stdout } = await execa('bash', ['-c', block('sh', '/start_stream').replace('http://127.0.0.1:5000', lookout.url)]);
    expect(JSON.parse(stdout)).toEqual({ camera_id: 'CAM-001', model_name: 'animals', status: 'started' });
  });

  it('names routes that exist', async () => {
    const { paths } = await (await fetch(`${lookout.url}/openapi.json`)).json() as { paths: Record<string, Record<string, unknown>> };
    const known = Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{\w+\}/g, '*')}`));
    const named = [...readme.matchAll(/`(GET|POST|PATCH|DELETE) (\/[\w/.-]*)/g)].map(([, method, path]) => `${method ?? ''} ${(path ?? '').replace(/CAM-001|animals|BATCH_ID|CLIP_ID|EVENT_ID|RULE_NAME/, '*')}`);
    expect(named.length).toBeGreaterThan(12);
    expect(named.filter((one) => !known.includes(one))).toEqual([]);
  });

  it('names commands and scripts that exist', async () => {
    const commands = new Set([...readme.matchAll(/node dist\/cli\.js (\w+)/g)].map(([, name]) => name ?? ''));
    for (const name of commands) expect((await command([name, '--help'], { folder })).code, name).toBe(0);
    const { printed } = await command(['--help'], { folder });
    const all = [...printed.slice(printed.indexOf('Commands:')).matchAll(/^ {2}(\w+)/gm)].map(([, name = '']) => name).filter((name) => name !== 'help');
    const listed = /lists the commands: ([^;]*);/.exec(readme)?.[1] ?? '';
    expect([...listed.matchAll(/`(\w+)/g)].map(([, name]) => name)).toEqual(all);
    const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
    const named = [...readme.matchAll(/npm (?:run )?(demo|test|start|bench)\b/g)].map(([, name]) => name ?? '');
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  it('names environment variables that exist', async () => {
    const sources = await Promise.all(['src/runtimes/tools/interpreter.ts', 'src/lib/ffmpeg-program.ts'].map((file) => readFile(join(root, file), 'utf8')));
    const known = [...listSettings().map(({ env }) => env), `${TOKEN}_FILE`, ...sources.join('\n').match(/LOOKOUT_[A-Z]+/g) ?? []];
    const named = readme.match(/LOOKOUT_[A-Z_]+/g) ?? [];
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
  });

  it('adds a model in five minutes', async () => {
    const files = { 'models/night/model.yaml': block('yaml', 'name: night'), 'models/night/night.py': block('python', 'def predict') };
    await writeTree(folder, files);
    await execa('ffmpeg', ['-loglevel', 'error', '-f', 'lavfi', '-i', 'color=black:s=64x48', '-frames:v', '1', join(folder, 'picture.jpg')]);
    const { code, output, printed } = await command(['models', 'try', 'night', 'picture.jpg'], { folder, env: { LOOKOUT_PYTHON: process.env['LOOKOUT_PYTHON'] ?? '' } });
    expect(code, output).toBe(0);
    expect(printed).toContain('picture.jpg: dark 1.00 at 0, 0, 64, 48');
  });
});
