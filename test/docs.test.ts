/** What docs/ says of events, followers and cameras that push is true: tables, settings, entries, routes, commands and links. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadConfig } from '../src/config/load.ts';
import { FAMILIES } from '../src/http/metric-families.ts';
import { openApiDocument } from '../src/http/openapi.ts';
import type { Config } from '../src/types.ts';
import { rulesTable } from './helpers/rules-table.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8');
const events = await read('docs/events.md');
const followers = await read('docs/followers.md');
const readme = await read('README.md');
const document = openApiDocument('1', {});

function block(text: string, language: string, containing = ''): string {
  const found = [...text.matchAll(/```(\w+)\n([\s\S]*?)```/g)].find(([, of, code = '']) => of === language && code.includes(containing));
  if (!found) throw new Error(`there is no ${language} block with ${containing}`);
  return found[2] ?? '';
}

async function load(yaml: string): Promise<Config> {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-docs-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'lookout.yaml'), yaml);
  const env = { WEBHOOK_SECRET: 'sixteen-bytes-and-more', LOOKOUT_DB_PASSWORD: 'secret' };
  return (await loadConfig({ flags: { config: join(folder, 'lookout.yaml') }, env, cwd: folder })).config;
}

describe('docs/events.md', () => {
  it('has the table of what a rule may say', () => {
    expect(events).toContain(rulesTable());
  });

  it('shows rules that load', async () => {
    expect((await load(block(events, 'yaml'))).events).toMatchObject([{ name: 'dogs-at-night', hours: '* 22-23,0-5 * * *' }, { name: 'movement', alert: false }]);
  });

  it('shows an entry as it is answered', () => {
    const ajv = new Ajv2020({ strict: false });
    addFormats.default(ajv);
    ajv.addSchema(document, 'openapi');
    const validate = ajv.getSchema('openapi#/components/schemas/Event');
    // What is said of it stands beside it.
    const answered = { ...JSON.parse(block(events, 'json')) as object, verdict: null, keep: false };
    expect(validate?.(answered), ajv.errorsText(validate?.errors)).toBe(true);
  });

  it('tells every reason for which an event does not alert', () => {
    const { suppressed } = document.components.schemas['Event']?.['properties'] as unknown as { suppressed: { enum: readonly (string | null)[] } };
    const told = [...events.matchAll(/^\| `(\w+)` \| (?!\||`)/gm)].map(([, reason]) => reason);
    for (const reason of suppressed.enum) if (reason !== null) expect(told).toContain(reason);
  });
});

describe('docs/push.md', () => {
  it('shows a stream that loads', async () => {
    expect((await load(block(await read('docs/push.md'), 'yaml'))).streams).toEqual([{ camera_id: 'SHIP-7', url: 'push:', models: [] }]);
  });
});

describe('docs/followers.md', () => {
  it('shows followers that load, and tells of every type', async () => {
    expect((await load(block(followers, 'yaml'))).followers).toMatchObject([{ name: 'control-room', logs: ['events'] }, { name: 'archive', logs: ['events', 'records'] }]);
    for (const type of ['webhook', 'mqtt', 'postgres', 's3']) expect(followers).toContain(`[\`${type}\`](follower-${type}.md)`);
  });

  it('names every metric of followers', () => {
    for (const { name } of FAMILIES) if (name.startsWith('lookout_follower_')) expect(followers).toContain(`\`${name}\``);
  });
});

it('the README brings alerts somewhere by five lines that load', async () => {
  const yaml = block(readme, 'yaml', 'type: webhook');
  expect(yaml.trimEnd().split('\n')).toHaveLength(5);
  expect((await load(yaml)).followers).toMatchObject([{ name: 'here', type: 'webhook', url: 'http://127.0.0.1:8080/' }]);
});

it.each([['docs/events.md', events], ['docs/followers.md', followers]])('%s names routes that exist, and files that are there', (path, text) => {
  const known = Object.entries(document.paths).flatMap(([route, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${route.replace(/\{\w+\}/g, '*')}`));
  const named = [...text.matchAll(/`(GET|POST|PATCH) (\/[\w/.-]*)/g)].map(([, method = '', route = '']) => `${method} ${route.replace(/NAME|ID/, '*')}`);
  const asked = [...text.matchAll(/^curl .*http:\/\/127\.0\.0\.1:5000(\/[\w/.-]*)/gm)].map(([line, route = '']) => `${/-X (\w+)/.exec(line)?.[1] ?? 'GET'} ${route.replace(/01a2[\w-]+|(?<=rules\/)\w+/, '*')}`);
  expect(named.length + asked.length).toBeGreaterThan(3);
  expect([...named, ...asked].filter((one) => !known.includes(one))).toEqual([]);
  const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link = '']) => link);
  expect(links.filter((link) => !existsSync(join(root, dirname(path), link)))).toEqual([]);
});
