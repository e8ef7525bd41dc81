/** What is shipped for running Lookout for good: the unit, the image, the dashboard and what is said of them. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../src/config/load.ts';
import { listSettings } from '../src/config/settings.ts';
import { openApiDocument } from '../src/http/openapi.ts';
import { createSite } from './http/site.ts';
import { parseExposition, type Exposition } from './helpers/exposition.ts';
import { createFakeFace } from './helpers/fake-face.ts';
import { metricsTable } from './helpers/metrics-table.ts';
import { FAMILIES } from '../src/http/metric-families.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (name: string): string => readFileSync(join(root, name), 'utf8');
const readme = read('deploy/README.md');
const tracked = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).trimEnd().split('\n');
const isShipped = (path: string): boolean => tracked.some((file) => file === path || file.startsWith(`${path}/`));
/** Which words of a text are settings as variables. */
const variablesIn = (text: string): readonly string[] => [...new Set(text.match(/LOOKOUT_[A-Z_]+/g) ?? [])];
const unknownVariables = (text: string): readonly string[] => {
  const known = [...listSettings().map(({ env }) => env), 'LOOKOUT_TOKEN_FILE'];
  return variablesIn(text).filter((name) => !known.includes(name));
};

it('is in the package, and named by its README', () => {
  expect((JSON.parse(read('package.json')) as { files: readonly string[] }).files).toContain('deploy');
  const files = tracked.filter((file) => file.startsWith('deploy/')).map((file) => file.slice('deploy/'.length));
  const hidden = ['README.md', '.gitignore', 'Dockerfile.dockerignore', 'lookout.yaml'];
  for (const file of files.filter((name) => !hidden.includes(name))) expect(readme, file).toContain(`(${file})`);
});

// ── Metrics ────────────────────────────────────────────────────────────────────────────────────────────────────────

describe('what is asked of the metrics', () => {
  let told: Exposition;

  beforeAll(async () => {
    const face = createFakeFace();
    await face.start({ camera_id: 'AWAY', url: 'rtsp://192.0.2.1/' });
    face.show('AWAY', { state: 'reconnecting', last_frame_at: null });
    const site = await createSite(face);
    try {
      told = parseExposition((await site.send('GET', '/metrics')).text);
    } finally {
      await site.close();
    }
  });

  interface Target { readonly expr: string; readonly legendFormat: string }
  interface Panel { readonly id: number; readonly title: string; readonly type: string; readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>; readonly datasource?: unknown; readonly targets?: readonly Target[] }
  interface Dashboard { readonly panels: readonly Panel[]; readonly templating: { readonly list: readonly { readonly name: string; readonly type: string; readonly definition?: string; readonly query: unknown }[] } }
  const dashboard = JSON.parse(read('deploy/grafana-dashboard.json')) as Dashboard;
  const targets = dashboard.panels.flatMap(({ title, targets: own = [] }) => own.map((target) => ({ title, ...target })));

  /** Of an expression: the metrics that it names, and with which labels. */
  function metricsIn(expr: string): readonly (readonly [name: string, labels: readonly string[]])[] {
    return [...expr.matchAll(/\b((?:lookout|process|nodejs)_[a-z0-9_]+)(?:\{([^}]*)\})?/g)]
      .map(([, name = '', labels = '']) => [name, [...labels.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label)]);
  }
  const labelsOf = (name: string): readonly string[] => FAMILIES.find((family) => family.name === name)?.labels ?? [...told.families.get(name)?.labels ?? []];
  /** What Prometheus adds. */
  const ADDED = ['job', 'instance'];

  function expectAnswered(expr: string): void {
    const metrics = metricsIn(expr);
    expect(metrics.length, expr).toBeGreaterThan(0);
    for (const [name, labels] of metrics) {
      expect([...told.families.keys()], expr).toContain(name);
      for (const label of labels) expect([...labelsOf(name), ...ADDED], `${name} in ${expr}`).toContain(label);
      if (told.families.get(name)?.type === 'counter') expect(expr, 'a counter says nothing but by its rate').toMatch(new RegExp(`(?:rate|increase)\\(${name}`));
    }
  }

  it('is answered, by the dashboard\'s every expression and legend', () => {
    expect(targets.length).toBeGreaterThan(20);
    for (const { expr, legendFormat } of targets) {
      expectAnswered(expr);
      const labels = metricsIn(expr).flatMap(([name]) => labelsOf(name));
      for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) expect([...labels, ...ADDED], `${legendFormat} of ${expr}`).toContain(label);
    }
  });

  it('leaves no metric out that is not shown or told by another', () => {
    const shown = new Set(targets.flatMap(({ expr }) => metricsIn(expr).map(([name]) => name)));
    const rest = FAMILIES.map(({ name }) => name).filter((name) => !shown.has(name));
    expect(rest).toEqual(['lookout_build_info', 'lookout_storage_size_bytes', 'lookout_storage_free_inodes', 'lookout_model_batches_total']);
  });

  it('can be narrowed to a data source, a job and cameras', () => {
    const { list } = dashboard.templating;
    expect(list.map(({ name, type }) => [name, type])).toEqual([['datasource', 'datasource'], ['job', 'query'], ['camera', 'query']]);
    for (const { definition } of list) if (definition !== undefined) for (const [name] of metricsIn(definition)) expect([...told.families.keys()]).toContain(name);
    for (const { expr } of targets) {
      const narrowed = metricsIn(expr).every(([name, labels]) => labels.includes('job') && (!labelsOf(name).includes('camera_id') || labels.includes('camera_id') || !expr.includes('$camera')));
      expect(narrowed, expr).toBe(true);
    }
  });

  it('has panels that stand beside each other, each with the data source that was chosen', () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const { type, datasource, title } of panels) if (type !== 'row') expect(datasource, title).toEqual({ type: 'prometheus', uid: '${datasource}' });
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => Array.from({ length: w * h }, (_, at) => `${x + (at % w)} ${y + Math.floor(at / w)}`));
    expect(new Set(cells).size).toBe(cells.length);
    expect(Math.max(...panels.map(({ gridPos: { x, w } }) => x + w))).toBeLessThanOrEqual(24);
  });

  const alerts = [...readme.slice(readme.indexOf('Worth an alert')).matchAll(/\| `(.+)` \|$/gm)].map(([, expr = '']) => expr);

  it('is what the README\'s alerts ask, and its table is the one of the program', () => {
    expect(alerts.length).toBeGreaterThan(3);
    alerts.forEach(expectAnswered);
    expect(readme).toContain(metricsTable());
    const told = [...(/^Labels are ([^.]*)\./m.exec(readme)?.[1] ?? '').matchAll(/`(\w+)`/g)].map(([, label]) => label);
    expect(told.sort()).toEqual([...new Set(FAMILIES.flatMap(({ labels }) => labels))].sort());
  });

  it('alerts of a camera that was away before its first picture, and of none whose next picture is not due', () => {
    const ofAway = alerts.filter((expr) => {
      const [, name = '', label = '', value = ''] = /^(\w+)\{(\w+)="(\w+)"\} == 1$/.exec(expr) ?? [];
      return told.value(name, { camera_id: 'AWAY', [label]: value }) === 1;
    });
    expect(ofAway).toEqual(['lookout_stream_state{state="reconnecting"} == 1']);
    const byAge = alerts.filter((expr) => expr.includes('_frame_age_seconds'));
    expect(byAge).toEqual([expect.stringContaining('and lookout_stream_frame_age_seconds > 3 * lookout_stream_interval_seconds')]);
  });

  it('is scraped as prometheus.yml says', () => {
    const { scrape_configs: [job] } = parse(read('deploy/prometheus.yml')) as { scrape_configs: readonly { readonly metrics_path?: string; readonly static_configs: readonly { readonly targets: readonly string[] }[] }[] };
    expect(job?.metrics_path ?? '/metrics').toBe('/metrics');
    expect(job?.static_configs[0]?.targets).toEqual(['localhost:5000']);
  });
});

// ── systemd ────────────────────────────────────────────────────────────────────────────────────────────────────────

const ANALYZE = '/usr/bin/systemd-analyze';
const APT_CACHE = '/usr/bin/apt-cache';

describe('the unit', () => {
  const unit = read('deploy/lookout.service');
  const settings = [...unit.matchAll(/^(\w+)=(.*)$/gm)].map(([, key = '', value = '']): readonly [string, string] => [key, value]);
  const of = (key: string): readonly string[] => settings.filter(([own]) => own === key).map(([, value]) => value);

  it('stops and starts as Lookout wants to', () => {
    expect([of('Restart'), of('RestartPreventExitStatus'), of('KillMode'), of('OOMPolicy')]).toEqual([['on-failure'], ['2'], ['mixed'], ['continue']]);
    const grace = listSettings().find(({ key }) => key === 'grace_seconds')?.default as number;
    expect(Number(of('TimeoutStopSec')[0])).toBeGreaterThanOrEqual(grace + 10);
  });

  it('lets V8 compile, and setpriv end children with their parent', () => {
    expect(of('MemoryDenyWriteExecute')).toEqual([]);
    // What is named later is added to what is left.
    expect(of('SystemCallFilter')).toEqual(['@system-service', '~@privileged', 'capset']);
    expect(of('SystemCallErrorNumber')).toEqual(['EPERM']);
    expect(of('RestrictAddressFamilies')[0]).toContain('AF_NETLINK');
  });

  it('holds no secret, and names settings that exist', () => {
    expect(of('LoadCredential')).toEqual(['LOOKOUT_TOKEN:/etc/lookout/token']);
    expect(of('Environment').join(' ')).not.toMatch(/TOKEN|PASSWORD|SECRET/i);
    expect(unknownVariables(unit + readme)).toEqual([]);
  });

  it.skipIf(!existsSync(ANALYZE))('is understood by systemd, with the exposure that the README tells (skipped where systemd-analyze is absent)', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lookout-unit-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, 'lookout.service');
    // Where the tests run, node may be elsewhere.
    await writeFile(file, unit.replace('/usr/bin/node', process.execPath));
    const verified = spawnSync(ANALYZE, ['verify', file], { encoding: 'utf8' });
    expect(verified.stderr.split('\n').filter((line) => line.includes('lookout.service'))).toEqual([]);
    const { stdout } = spawnSync(ANALYZE, ['security', '--offline=true', '--no-pager', file], { encoding: 'utf8' });
    const [, score] = /exposure level for lookout\.service: ([\d.]+)/.exec(stdout) ?? [];
    expect(readme).toMatch(new RegExp(`an exposure of [^(]*\\b${score ?? '?'} on Debian `));
    expect(Number(score)).toBeLessThan(2);
  });
});

// ── The image ──────────────────────────────────────────────────────────────────────────────────────────────────────

const dockerfile = read('deploy/Dockerfile');

/** Each instruction with what comes after it, lines that go on joined. */
const instructions = dockerfile.replace(/^#.*\n/gm, '').replace(/\\\n/g, ' ').split('\n').filter((line) => line.trim() !== '')
  .map((line): readonly [string, string] => [line.split(' ', 1)[0] ?? '', line.slice(line.indexOf(' ') + 1).replace(/ +/g, ' ').trim()]);
const all = (word: string): readonly string[] => instructions.filter(([own]) => own === word).map(([, rest]) => rest);

describe('the image', () => {
  it('begins with a Debian and a Node that Lookout runs on', () => {
    const [, major = ''] = /^NODE_IMAGE=node:(\d+)-bookworm-slim$/.exec(all('ARG')[0] ?? '') ?? [];
    expect(Number(major)).toBeGreaterThanOrEqual(22);
    expect(all('FROM')).toEqual(['${NODE_IMAGE} AS build', '${NODE_IMAGE}']);
  });

  it('copies files that are there, which its .dockerignore lets in, and all that the package holds', () => {
    const ignored = read('deploy/Dockerfile.dockerignore').split('\n');
    const copied = all('COPY').filter((rest) => !rest.startsWith('--from=')).flatMap((rest) => rest.split(' ').slice(0, -1));
    expect(copied.filter((path) => !isShipped(normalize(path)))).toEqual([]);
    expect(copied.filter((path) => !ignored.includes(`!${path}`))).toEqual([]);
    const { files } = JSON.parse(read('package.json')) as { files: readonly string[] };
    const inImage = all('COPY').map((rest) => rest.split(' ').at(-1) ?? '');
    expect(files.filter((path) => !inImage.includes(path))).toEqual(['deploy', 'data/camera_data.csv']);
    expect([existsSync(join(root, 'build.mjs')), ignored.includes('*')]).toEqual([true, true]);
  });

  const debian = existsSync(APT_CACHE) ? execFileSync(APT_CACHE, ['pkgnames'], { encoding: 'utf8', maxBuffer: 1e8 }).split('\n') : [];

  it.skipIf(debian.length < 10_000)('installs packages that Debian has (skipped where apt knows no list of them)', () => {
    const [, names = ''] = /apt-get install -y --no-install-recommends (.*?) &&/.exec(all('RUN').find((line) => line.includes('apt-get')) ?? '') ?? [];
    const packages = names.split(' ');
    expect(packages).toEqual(expect.arrayContaining(['ffmpeg', 'python3-venv', 'tini', 'util-linux']));
    expect(packages.filter((name) => !debian.includes(name))).toEqual([]);
  });

  it('runs as nobody special, under an init, stops by SIGTERM, and writes to volumes only', () => {
    const [user = ''] = all('USER');
    expect(user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(dockerfile).toContain(`--uid ${user.split(':')[0] ?? ''} `);
    expect(JSON.parse(all('ENTRYPOINT')[0] ?? '')).toEqual(['tini', '--', 'node', '/opt/lookout/dist/cli.js']);
    expect([all('CMD'), all('STOPSIGNAL')]).toEqual([['["serve"]'], ['SIGTERM']]);
    const volumes = (all('VOLUME')[0] ?? '').split(' ');
    const env = all('ENV').join(' ');
    for (const name of ['LOOKOUT_DATA_DIR', 'LOOKOUT_FRAMES_DIR', 'HOME']) {
      const [, path = ''] = new RegExp(`\\b${name}=(\\S+)`).exec(env) ?? [];
      expect(volumes.some((volume) => path === volume || path.startsWith(`${volume}/`)), name).toBe(true);
    }
    expect(unknownVariables(dockerfile)).toEqual([]);
  });

  it('has no secret in a layer', () => {
    for (const word of ['ENV', 'ARG', 'COPY', 'RUN']) for (const rest of all(word)) expect(rest).not.toMatch(/token|password|secret|\.npmrc/i);
  });

  it('is healthy by a route that needs no token', async () => {
    const [health = ''] = all('HEALTHCHECK');
    const [, path = ''] = /5000\}(\/\w+)`/.exec(health) ?? [];
    expect(openApiDocument('1', {}).paths[path]?.get?.security).toEqual([]);
    const site = await createSite(createFakeFace(), { token: 'a token' });
    const [program = '', ...args] = JSON.parse(health.slice(health.indexOf('CMD ') + 4)) as string[];
    const check = async (env: Readonly<Record<string, string>>): Promise<unknown> => {
      const [code] = await once(spawn(program, args, { env: { ...process.env, ...env } }), 'close') as unknown[];
      return code;
    };
    const port = String(site.port);
    expect(await Promise.all([check({ LOOKOUT_PORT: port }), check({ PORT: port }), check({ LOOKOUT_PORT: port, PORT: '1' }), check({ LOOKOUT_PORT: 'tcp://10.96.0.5:5000', PORT: port })])).toEqual([0, 0, 0, 0]);
    await site.close();
    expect(await check({ LOOKOUT_PORT: port })).toBe(1);
  });
});

// ── Compose ────────────────────────────────────────────────────────────────────────────────────────────────────────

describe('compose.yaml', () => {
  interface Service {
    readonly build?: { readonly context: string; readonly dockerfile: string }; readonly image: string; readonly command?: readonly string[]; readonly environment: Readonly<Record<string, string>>;
    readonly volumes?: readonly string[]; readonly secrets?: readonly string[]; readonly read_only?: boolean; readonly cap_drop: readonly string[]; readonly security_opt: readonly string[];
    readonly stop_grace_period?: string; readonly ports?: readonly string[];
  }
  const compose = parse(read('deploy/compose.yaml')) as { services: Record<'lookout' | 'mediamtx', Service>; secrets: Record<string, { file: string }>; volumes: Record<string, unknown> };
  const { lookout, mediamtx } = compose.services;

  it('builds the image that is here', () => {
    expect(isShipped(normalize(join('deploy', lookout.build?.context ?? '', lookout.build?.dockerfile ?? '')))).toBe(true);
  });

  it('gives it nothing to write to but its volumes, and no rights', () => {
    expect(lookout.read_only).toBe(true);
    for (const service of [lookout, mediamtx]) expect([service.cap_drop, service.security_opt]).toEqual([['ALL'], ['no-new-privileges:true']]);
    const mounts = (lookout.volumes ?? []).map((volume) => volume.split(':'));
    for (const volume of (all('VOLUME')[0] ?? '').split(' ')) expect(mounts.some(([name = '', target]) => target === volume && name in compose.volumes), volume).toBe(true);
    for (const [from = '', , mode] of mounts.filter(([name = '']) => name.startsWith('.'))) expect([isShipped(normalize(join('deploy', from))), mode]).toEqual([true, 'ro']);
    const grace = listSettings().find(({ key }) => key === 'grace_seconds')?.default as number;
    expect(Number.parseInt(lookout.stop_grace_period ?? '', 10)).toBeGreaterThanOrEqual(grace + 10);
  });

  it('hands the token over as a file that is never shipped', () => {
    const [secret = ''] = lookout.secrets ?? [];
    expect(lookout.environment['LOOKOUT_TOKEN_FILE']).toBe(`/run/secrets/${secret}`);
    expect(compose.secrets[secret]?.file).toBe('./token');
    expect(read('deploy/.gitignore').split('\n')).toContain('token');
    expect(unknownVariables(read('deploy/compose.yaml'))).toEqual([]);
  });

  it('has a stream of its camera, in settings that load', async () => {
    const { config } = await loadConfig({ flags: { config: join(root, 'deploy/lookout.yaml') }, env: {}, cwd: tmpdir() });
    const [stream] = config.streams;
    expect(lookout.command?.at(-1)).toBe('/etc/lookout/lookout.yaml');
    const { hostname, port, pathname } = new URL((stream?.url ?? '').replace('rtsp:', 'http:'));
    expect(Object.keys(compose.services)).toContain(hostname);
    expect([port, pathname]).toEqual(['8554', '/camera']);
    expect(Object.keys(mediamtx.environment)).toContain('MTX_PATHS_CAMERA_RUNONINIT');
  });
});
