/** Where settings come from, which of them wins, and how every mistake is named with its place. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { loadConfig } from '../../src/config/load.ts';
import { LookoutError } from '../../src/errors.ts';

let cwd: string;

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'lookout-config-'));
  await mkdir(join(cwd, 'data'));
});

afterEach(async () => {
  await rm(cwd, { recursive: true, force: true });
});

interface Given {
  readonly yaml?: string;
  readonly flags?: Record<string, unknown>;
  readonly env?: NodeJS.ProcessEnv;
  readonly defaults?: Record<string, unknown>;
}

async function load({ yaml, flags = {}, env = {}, defaults = {} }: Given) {
  if (yaml !== undefined) await writeFile(join(cwd, 'data/lookout.yaml'), yaml);
  return loadConfig({ flags, env, cwd, defaults });
}

/** The lines of the error, with the temporary folder taken out. */
async function problems(given: Given): Promise<readonly string[]> {
  const error: unknown = await load(given).then(() => null, (thrown: unknown) => thrown);
  if (!(error instanceof LookoutError)) throw new Error('the settings were accepted', { cause: error });
  expect(error.code).toBe('config_invalid');
  return error.message.split('\n').slice(1).map((line) => line.replaceAll(join(cwd, 'data/'), ''));
}

describe('precedence', () => {
  it('takes a flag before the environment, it before the file, that before the default', async () => {
    const yaml = 'interval_seconds: 4\nbatch_size: 4\nport: 4000\n';
    const { config, file } = await load({
      yaml, env: { LOOKOUT_INTERVAL_SECONDS: '5', LOOKOUT_BATCH_SIZE: '5' }, flags: { intervalSeconds: '6' },
    });
    expect(config).toMatchObject({ interval_seconds: 6, batch_size: 5, port: 4000, jpeg_quality: 95 });
    expect(file).toBe(join(cwd, 'data/lookout.yaml'));
  });

  it('takes a command\'s own default after the file, before the schema\'s', async () => {
    const { config } = await load({
      yaml: 'batch_size: 4\n', env: { LOOKOUT_DATA_DIR: 'data' }, defaults: { data_dir: 'demo', frames_dir: '<data_dir>/frames', batch_size: 3, jpeg_quality: 80 },
    });
    expect(config).toMatchObject({ batch_size: 4, jpeg_quality: 80, data_dir: join(cwd, 'data'), frames_dir: join(cwd, 'data/frames') });
  });

  it('takes PORT where LOOKOUT_PORT is not set', async () => {
    expect((await load({ env: { PORT: '8080' } })).config.port).toBe(8080);
    expect((await load({ env: { PORT: '8080', LOOKOUT_PORT: '9090' } })).config.port).toBe(9090);
  });

  it('passes over what Kubernetes says of a Service named lookout', async () => {
    const env = { LOOKOUT_PORT: 'tcp://10.96.0.5:5000', LOOKOUT_PORT_5000_TCP: 'tcp://10.96.0.5:5000', LOOKOUT_PORT_5000_TCP_PORT: '5000', LOOKOUT_SERVICE_HOST: '10.96.0.5', LOOKOUT_SERVICE_PORT: '5000' };
    const { config, warnings } = await load({ env, yaml: 'port: 8080\n' });
    expect(config.port).toBe(8080);
    expect(warnings).toEqual([expect.stringMatching(/^the environment's LOOKOUT_PORT=tcp:\/\/10\.96\.0\.5:5000 is the address of a Service/)]);
    expect((await load({ env: { ...env, PORT: '9090' } })).config.port).toBe(9090);
  });

  it('reads texts by the type of the setting', async () => {
    const { config } = await load({
      env: { LOOKOUT_OFFLINE: 'yes', LOOKOUT_ALLOWED_HOSTS: 'cams.example.org, 10.0.0.7', LOOKOUT_TOKEN: '12345', LOOKOUT_HOST: '' },
      flags: { 'max-width': 'none', default_models: 'motion' }, yaml: 'max_width: 640\n',
    });
    expect(config).toMatchObject({
      offline: true, allowed_hosts: ['cams.example.org', '10.0.0.7'], token: '12345', host: '127.0.0.1', max_width: null, default_models: ['motion'],
    });
  });

  it('treats a key without a value in the file as not set', async () => {
    expect((await load({ yaml: 'host:\nport: # the default will do\n' })).config).toMatchObject({ host: '127.0.0.1', port: 5000 });
  });

  it('warns of a variable that looks like a setting and is none', async () => {
    const { warnings } = await load({ env: { LOOKOUT_PROT: '1', LOOKOUT_SOMETHING_ELSE: '1' } });
    expect(warnings).toEqual(['the environment\'s LOOKOUT_PROT is no setting; did you mean LOOKOUT_PORT?']);
  });
});

describe('push_camera', () => {
  it('takes its password from the environment by either name, or from a file, and hides all of them', async () => {
    await writeFile(join(cwd, 'password'), 'from a file\n');
    const password = async (env: NodeJS.ProcessEnv): Promise<unknown> => (await load({ env, flags: { push_camera: 'SHIP' } })).config.camera_password;
    expect(await password({ CAMERA_PASSWORD: 'a' })).toBe('a');
    expect(await password({ CAMERA_PASSWORD: 'a', LOOKOUT_CAMERA_PASSWORD: 'b' })).toBe('b');
    expect(await password({ CAMERA_PASSWORD_FILE: join(cwd, 'password') })).toBe('from a file');
    expect((await load({ env: { CAMERA_PASSWORD: 'a' } })).secrets).toEqual(expect.arrayContaining(['CAMERA_PASSWORD', 'LOOKOUT_CAMERA_PASSWORD']));
  });

  it('needs a password that is not everybody\'s, a stream of its own kind, and a token where one is to be asked for', async () => {
    // Without it the variable may be somebody else's.
    expect((await load({ env: { CAMERA_PASSWORD: 'your_default_password' } })).config.push_camera).toBeNull();
    expect(await problems({ flags: { push_camera: 'SHIP' } })).toEqual([expect.stringMatching(/^--push-camera: needs the password of its camera: set CAMERA_PASSWORD/) as string]);
    expect(await problems({ flags: { push_camera: 'SHIP' }, env: { CAMERA_PASSWORD: 'your_default_password' } })).toEqual([expect.stringMatching(/^CAMERA_PASSWORD: .* choose another$/) as string]);
    expect(await problems({ yaml: 'push_camera: SHIP\npush_camera_viewers: token\nstreams:\n  - {camera_id: SHIP, url: "rtsp://a/"}\n', env: { CAMERA_PASSWORD: 'x' } })).toEqual([
      'lookout.yaml:2:22: push_camera_viewers: must not be token where no token is set', 'lookout.yaml:4:28: streams[0].url: must be push:, as push_camera names this camera',
    ]);
    // Then one is made.
    expect((await load({ yaml: 'push_camera: SHIP\npush_camera_viewers: token\nrunner_user: models\n', env: { CAMERA_PASSWORD: 'x' } })).config.push_camera_viewers).toBe('token');
  });

  it('and other cameras that push may have every picture, and no model, as those on demand may', async () => {
    const yaml = 'streams:\n  - {camera_id: SHIP, url: "push:", models: [], options: {interval_seconds: 0}}\n';
    expect((await load({ yaml })).config.streams).toEqual([{ camera_id: 'SHIP', url: 'push:', models: [], options: { interval_seconds: 0 } }]);
    const gate = 'streams:\n  - {camera_id: GATE, url: "rtsp://a/", models: [], options: {on_demand: true, linger_seconds: 60}}\n';
    expect((await load({ yaml: gate })).config.streams[0]).toMatchObject({ models: [], options: { on_demand: true, linger_seconds: 60 } });
    expect(await problems({ yaml: yaml.replace('push:', 'rtsp://a/') })).toEqual([
      'lookout.yaml:2:49: streams[0].models: must not be empty', expect.stringMatching(/: streams\[0\]\.options\.interval_seconds: must be a number, 0\.1 to 3600, not 0$/) as string,
    ]);
  });
});

describe('folders', () => {
  it('are relative to the working directory', async () => {
    const { config, file } = await load({});
    expect(file).toBeNull();
    expect(config).toMatchObject({
      data_dir: join(cwd, 'data'), frames_dir: join(cwd, 'frames'), models_dir: join(cwd, 'models'), project: null,
      predictions: join(cwd, 'data/predictions.json'), camera_data: join(cwd, 'data/camera_data.csv'),
    });
  });

  it('follow the data folder and the file format', async () => {
    const { config } = await load({ flags: { dataDir: 'elsewhere', format: 'ndjson' } });
    expect(config.predictions).toBe(join(cwd, 'elsewhere/predictions.ndjson'));
    expect(config.camera_data).toBe(join(cwd, 'elsewhere/camera_data.csv'));
  });

  it('follow a data folder that the file itself names', async () => {
    const { config, file } = await load({ yaml: 'data_dir: elsewhere\n' });
    expect(file).toBe(join(cwd, 'data/lookout.yaml'));
    expect(config).toMatchObject({
      data_dir: join(cwd, 'elsewhere'), predictions: join(cwd, 'elsewhere/predictions.json'), camera_data: join(cwd, 'elsewhere/camera_data.csv'),
    });
  });

  it('follow a project that the file itself names', async () => {
    await mkdir(join(cwd, 'flask'));
    const { config } = await load({ yaml: 'project: flask\n' });
    expect(config).toMatchObject({ data_dir: join(cwd, 'flask/data'), predictions: join(cwd, 'flask/predictions.json'), frames_dir: join(cwd, 'flask/frames') });
  });

  it('of a Flask project are used in place', async () => {
    await mkdir(join(cwd, 'flask'));
    const { config } = await load({ flags: { project: 'flask' } });
    expect(config).toMatchObject({
      project: join(cwd, 'flask'), predictions: join(cwd, 'flask/predictions.json'), camera_data: join(cwd, 'flask/camera_data.csv'),
      models_dir: join(cwd, 'flask/models'), data_dir: join(cwd, 'flask/data'), frames_dir: join(cwd, 'flask/frames'),
    });
  });

  it('are refused when the project does not exist', async () => {
    expect(await problems({ flags: { project: 'nowhere' } })).toEqual([`project: ${join(cwd, 'nowhere')} is no folder; name that of the Flask orchestrator`]);
  });

  it('are read from the file that --config names', async () => {
    await writeFile(join(cwd, 'other.yaml'), 'data_dir: there\n');
    const { config, file } = await load({ flags: { config: 'other.yaml' }, yaml: 'port: 1\n' });
    expect({ file, data: config.data_dir, port: config.port }).toEqual({ file: join(cwd, 'other.yaml'), data: join(cwd, 'there'), port: 5000 });
    await expect(load({ flags: { config: 'absent.yaml' } })).rejects.toMatchObject({ code: 'config_invalid' });
  });
});

describe('mistakes', () => {
  it('are all named at once, each with file, line and column', async () => {
    const yaml = [
      'prot: 5000', // 1
      'batch_size: 0',
      'capture_mode: fast',
      'time_zone: Mars/Olympus',
      'batch_size: 10',
      'streams:', // 6
      '  - camera_id: ../evil',
      '    url: camera',
      '    modles: [motion]',
      '    schedule: every day',
      '  - camera_id: CAM-1', // 11
      '    options: {interval_seconds: 0, batch_deadline_seconds: null}',
      '  - {camera_id: CAM-1, url: "rtsp://cam/1", models: []}',
    ].join('\n');
    expect(await problems({ yaml, env: { LOOKOUT_PORT: 'many' }, flags: { jpegQuality: '101' } })).toEqual([
      '--jpeg-quality: must be a whole number, 1 to 100, not 101',
      'lookout.yaml:1:1: prot: unknown setting; did you mean port?',
      'lookout.yaml:3:15: capture_mode: must be one of auto, keyframes, all, not "fast"',
      'lookout.yaml:4:12: time_zone: must be an IANA time zone such as Europe/Berlin, or system',
      'lookout.yaml:5:1: batch_size is there twice',
      'lookout.yaml:7:16: streams[0].camera_id: must have 1 to 128 characters without control characters, / and \\, and not be . or ..',
      'lookout.yaml:8:10: streams[0].url: must be an address such as rtsp://192.168.1.20:554/stream, in which a blank is %20 and a quote %22, or file: and a path',
      'lookout.yaml:9:5: streams[0].modles: unknown setting; did you mean models?',
      'lookout.yaml:10:15: streams[0].schedule: must be a cron expression of minutes, in five fields without seconds, such as "* 8-17 * * 1-5"',
      'lookout.yaml:11:5: streams[1]: url is missing',
      'lookout.yaml:12:33: streams[1].options.interval_seconds: must be a number, 0.1 to 3600, not 0',
      'lookout.yaml:12:60: streams[1].options.batch_deadline_seconds: must be a number, 0.1 to 604800',
      'lookout.yaml:13:17: streams[2].camera_id: CAM-1 has a stream already; give it several models instead',
      'lookout.yaml:13:53: streams[2].models: must not be empty',
      'LOOKOUT_PORT: must be a whole number, 0 to 65535, not "many"',
    ]);
  });

  it('of syntax are named with their place, and the rest of the file is not guessed at', async () => {
    const lines = await problems({ yaml: 'prot: 5000\nstreams: [\n  {camera_id: "x"\n', flags: { port: 'x' } });
    expect(lines.every((line) => /^(lookout\.yaml:\d+:\d+|--port): /.test(line))).toBe(true);
    expect(lines.some((line) => line.startsWith('lookout.yaml:4:1: '))).toBe(true);
    expect(lines.join()).not.toContain('prot');
    expect(lines).toContain('--port: must be a whole number, 0 to 65535, not "x"');
  });

  it('of the whole file are named too', async () => {
    expect(await problems({ yaml: '- a\n- b\n' })).toEqual(['lookout.yaml:1:1: must be a mapping of settings to values']);
    expect(await problems({ yaml: 'host: *nobody\n' })).toEqual(['lookout.yaml:1:7: *nobody names no anchor before it']);
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x,x]', ...['b', 'c', 'd', 'e'].map((name, index) => `${name}: &${name} [${Array(10).fill(`*${'abcd'.charAt(index)}`).join()}]`)];
    expect(await problems({ yaml: bomb.join('\n') })).toEqual([expect.stringContaining('lookout.yaml:1:1: ')]);
  });

  it('never show what may be a secret', async () => {
    const lines = await problems({ yaml: 'token: 987654\nstreams: [{camera_id: a, url: "admin:hunter2@cam"}]\n' });
    expect(lines).toContain('lookout.yaml:1:8: token: must be text; put it in quotes');
    expect(lines).toHaveLength(2);
    expect(lines.join()).not.toMatch(/987654|hunter2/);
  });
});

describe('an address that other machines reach', () => {
  it('is taken with a token, with the word insecure, and without either', async () => {
    expect((await load({ flags: { host: '0.0.0.0' } })).config).toMatchObject({ host: '0.0.0.0', token: null, insecure: false });
    expect((await load({ flags: { host: '0.0.0.0', insecure: true } })).config.host).toBe('0.0.0.0');
    expect((await load({ flags: { host: '::', token: 's' } })).config.host).toBe('::');
  });

  it.each(['two words', 'schlüssel', 'tab\tbed'])('takes no token that a header cannot carry: %j', async (token) => {
    const lines = await problems({ flags: { token } });
    expect(lines).toEqual(['--token: must be of visible ASCII characters without blanks: a header cannot carry others']);
    expect((await load({ flags: { token: 'a~!"$%&/()=?' } })).config.token).toBe('a~!"$%&/()=?');
  });
});

describe('streams', () => {
  it('take the environment\'s values, so that passwords need not stand in the file', async () => {
    const yaml = 'port: ${P}\nstreams:\n  - camera_id: gate\n    url: rtsp://admin:${CAM_PASS}@cam/$${x}\n';
    const { config, secrets } = await load({ yaml, env: { CAM_PASS: 's3cret', P: '81' } });
    expect(config.port).toBe(81);
    expect(config.streams[0]?.url).toBe('rtsp://admin:s3cret@cam/${x}');
    expect(secrets).toEqual(['LOOKOUT_TOKEN', 'LOOKOUT_CAMERA_PASSWORD', 'CAMERA_PASSWORD', 'CAM_PASS']);
    const clip = await load({ yaml: 'streams: [{camera_id: a, url: "file://${HOME}/clip.mp4"}]\n', env: { HOME: '/home/a' } });
    expect(clip.secrets).toEqual(['LOOKOUT_TOKEN', 'LOOKOUT_CAMERA_PASSWORD', 'CAMERA_PASSWORD']);
    expect(await problems({ yaml, env: { P: '81' } })).toEqual(['lookout.yaml:4:10: the environment has no variable CAM_PASS']);
    expect(await problems({ yaml: 'host_ip: a${constructor}\n' })).toEqual(['lookout.yaml:1:10: the environment has no variable constructor']);
  });

  it.each([['p@/?#ss', 'p%40%2F%3F%23ss'], ['12 "\'', '12%20%22%27'], ['100%', '100%25'], ['a@%ff', 'a%40%25ff'], ['p%40ss', 'p%40ss'], ['admin:a/b', 'admin:a%2Fb']])('encode what the environment puts into a login, unless it is encoded: %s', async (TEXT, login) => {
    expect((await load({ yaml: 'streams: [{camera_id: a, url: "rtsp://${TEXT}@cam/x@y"}]\n', env: { TEXT } })).config.streams[0]?.url).toBe(`rtsp://${login}@cam/x@y`);
  });

  it.each(['rtsp://cam/${TEXT}', 'rtsp://${TEXT}/1', 'rtmp://u:${TEXT}@cam/', 'file:${TEXT}'])('take the environment\'s values as they are elsewhere in an address: %s', async (url) => {
    expect((await load({ yaml: `streams: [{camera_id: a, url: "${url}"}]\n`, env: { TEXT: 'a:b@c?d' } })).config.streams[0]?.url).toBe(url.replace('${TEXT}', 'a:b@c?d'));
  });

  it('take values from files that the environment names, and from credentials of systemd', async () => {
    const yaml = 'streams:\n  - {camera_id: gate, url: "rtsp://${CAM_USER}:${CAM_PASS}@cam/"}\n';
    for (const [name, text] of [['pass', 's3cret\n'], ['token', ' two-lines\n\n'], ['LOOKOUT_TOKEN', 'of-systemd']] as const) await writeFile(join(cwd, name), text);
    expect((await load({ env: { CREDENTIALS_DIRECTORY: cwd, LOOKOUT_TOKEN: 'given' } })).config.token).toBe('given');
    expect(await problems({ env: { LOOKOUT_TOKEN_FILE: join(cwd, 'token') } })).toEqual([expect.stringMatching(/^LOOKOUT_TOKEN: must be of visible ASCII/) as string]);
    const files = { CAM_USER: 'a', CAM_PASS_FILE: join(cwd, 'pass'), LOOKOUT_TOKEN_FILE: '' };
    const { config, warnings } = await load({ yaml, env: { ...files, CREDENTIALS_DIRECTORY: cwd } });
    expect([config.streams[0]?.url, config.token, warnings]).toEqual(['rtsp://a:s3cret@cam/', 'of-systemd', [expect.stringMatching(/^CAM_USER: models run as the user .* name files in CAM_USER_FILE or use systemd's LoadCredential, and set runner_user/)]]);
    expect(await problems({ yaml, env: { ...files, CAM_PASS: 'x', LOOKOUT_TOKEN_FILE: '/no/such' } })).toEqual([
      'lookout.yaml:2:28: CAM_PASS and CAM_PASS_FILE are both set; keep the file',
      expect.stringMatching(/^LOOKOUT_TOKEN_FILE cannot be read: .*ENOENT/) as string,
    ]);
    expect(await problems({ yaml, env: { CAM_USER: 'a', CREDENTIALS_DIRECTORY: cwd } })).toEqual(['lookout.yaml:2:28: the environment has no variable CAM_PASS']);
  });

  it('are told of once where their secrets stand in the environment of models that run as the same user', async () => {
    const yaml = 'port: ${P}\nstreams:\n  - {camera_id: a, url: "rtsp://x:${CAM_PASS}@cam/1"}\n  - {camera_id: b, url: "rtsp://x:${CAM_PASS}@cam/2"}\n';
    const env = { P: '81', CAM_PASS: 's3cret', LOOKOUT_TOKEN: 'sixteen-characters' };
    const { warnings } = await load({ yaml, env });
    expect(warnings).toEqual(['LOOKOUT_TOKEN, CAM_PASS: models run as the user that Lookout runs as, and can read what it was started with; name files in LOOKOUT_TOKEN_FILE, CAM_PASS_FILE or use systemd\'s LoadCredential, and set runner_user to another user']);
    expect((await load({ yaml, env: { ...env, LOOKOUT_RUNNER_USER: 'models' } })).warnings).toEqual([]);
    expect((await load({ yaml: 'port: ${P}\n', env: { P: '81' }, flags: { token: 'sixteen-characters' } })).warnings).toEqual([]);
  });

  it('read the environment\'s values by type as the settings do', async () => {
    const yaml = 'streams:\n  - {camera_id: "${ID}", url: "rtsp://a/", enabled: "${ON}", options: {interval_seconds: "${S}", duration_seconds: "${FOREVER}", capture_mode: "${MODE}"}}\n';
    const env = { ID: '007', ON: 'no', S: '2.5', FOREVER: 'none', MODE: 'all' };
    expect((await load({ yaml, env })).config.streams).toEqual([
      { camera_id: '007', url: 'rtsp://a/', enabled: false, options: { interval_seconds: 2.5, duration_seconds: null, capture_mode: 'all' } },
    ]);
    expect(await problems({ yaml, env: { ...env, S: 'soon' } })).toEqual([
      expect.stringContaining('streams[0].options.interval_seconds: must be a number, 0 to 3600, not "soon"') as string,
    ]);
  });

  it('keep camera ids as they are written', async () => {
    const yaml = 'streams:\n  - {camera_id: 7, url: "rtsp://a/"}\n  - {camera_id: 007, url: "rtsp://a/"}\n  - {camera_id: 1e3, url: "file:clip.mp4"}\n';
    expect((await load({ yaml })).config.streams.map(({ camera_id }) => camera_id)).toEqual([7, '007', '1e3']);
  });

  it('count a number and the same text as one camera', async () => {
    const yaml = 'streams:\n  - {camera_id: 7, url: "rtsp://a/"}\n  - {camera_id: "7", url: "rtsp://a/"}\n';
    expect(await problems({ yaml })).toEqual(['lookout.yaml:3:17: streams[1].camera_id: 7 has a stream already; give it several models instead']);
  });

  it.each(['0 * 8-17 * * 1-5', '*/5 * * * * *', '* * * *', '61 * * * *'])('name no hours of work in another number of fields, or that there are not: %s', async (schedule) => {
    const yaml = `streams:\n  - {camera_id: a, url: "rtsp://a/", schedule: "${schedule}"}\n`;
    expect(await problems({ yaml })).toEqual([expect.stringContaining('in five fields without seconds')]);
  });

  it('name models by a text or a list, and hours of work by a cron expression', async () => {
    const yaml = 'streams:\n  - {camera_id: a, url: "rtsp://a/", models: "motion, animals", schedule: "* 8-17 * * 1-5", enabled: false}\n  - camera_id: b\n    url: http://b/mjpg\n    models: [motion]\n    options: {interval_seconds: 0.5, duration_seconds: null}\n';
    expect((await load({ yaml })).config.streams).toEqual([
      { camera_id: 'a', url: 'rtsp://a/', models: ['motion', 'animals'], schedule: '* 8-17 * * 1-5', enabled: false },
      { camera_id: 'b', url: 'http://b/mjpg', models: ['motion'], options: { interval_seconds: 0.5, duration_seconds: null } },
    ]);
  });
});
