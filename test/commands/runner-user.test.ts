/** `runner_user`: models and their builds as another user, who hears none of Lookout's secrets. Only root can try it. */
import { execFile } from 'node:child_process';
import { chmod, chown, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { runModelsAs } from '../../src/lib/account.ts';
import { until } from '../helpers/app.ts';
import { command, type Ended } from '../helpers/command.ts';
import { mayRunAsNobody } from '../helpers/nobody.ts';
import { alive, descendants, isNode } from '../helpers/process-tree.ts';
import { runLookout, startServer } from '../helpers/server-process.ts';
import { readRecords } from '../helpers/records-file.ts';
import { writeTree } from '../models/fixtures.ts';

/** What the model can do, said in the class of its one finding. `ppid` is Lookout: the leash steps aside. */
const SPY = `import { readFileSync, writeFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
const tried = (work) => { try { return work(); } catch (error) { return error.code; } };
export const setup = ({ work_folder }) => { writeFileSync(join(work_folder, 'kept'), 'x'); };
export const predict = (frames) => frames.map(({ file, width, height }) => [{ class: JSON.stringify({
  uid: process.getuid(), home: process.env.HOME, key: process.env.KEY, later: process.env.LOOKOUT_LATER,
  frame: readFileSync(file).length > 100, change: tried(() => writeFileSync(file, 'x')),
  environ: tried(() => readFileSync(\`/proc/\${process.ppid}/environ\`, 'utf8')), spool: tried(() => readdirSync(join(file, '../../..'))), ...Object.fromEntries(['streams.json', 'token'].map((name) => [name, tried(() => readFileSync('../../' + name, 'utf8'))])),
}), confidence: 1, box: [0, 0, width, height] }]);
`;
/** Says which user it is and how often it has run, for which it needs its weights and what it wrote before. */
const OLD = `import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
const { work_folder, weights_folders } = JSON.parse(process.env.LOOKOUT_SETUP);
const runs = join(work_folder, 'runs');
appendFileSync(runs, readFileSync(join(weights_folders.at(-1), 'sub/w.bin')));
writeFileSync(process.argv.at(-1), JSON.stringify([{ detections: [{ label: \`uid \${process.getuid()} \${readFileSync(runs).length}\` }] }]));
`;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout-user-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
});

const NOBODY = { LOOKOUT_RUNNER_USER: 'nobody' };

async function lookout(words: readonly string[], env: Readonly<Record<string, string>> = NOBODY): Promise<Ended> {
  try {
    return await command(words, { folder, env });
  } finally {
    // The commands of a process have one user for their models.
    runModelsAs(null);
  }
}

async function lookoutUnder(under: readonly string[], words: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }> {
  const running = await runLookout(words, { folder, env: NOBODY, under });
  return { code: await running.ended, output: running.output() };
}

describe.skipIf(!mayRunAsNobody)('as root (missed by others, and where the project lies in a folder that others may not read)', () => {
  it('runs models that read their pictures and nothing else of Lookout, and that end with it', async () => {
    await writeTree(folder, {
      'models/spy/model.yaml': 'runtime: node\nentry: spy.mjs\nenv:\n  KEY: "it\'s ${API_KEY}"\n  PATH: "${BIN}:${PATH}"\n', 'models/spy/spy.mjs': SPY,
      // What a manifest names is not run in the place of what keeps the model on its leash.
      'bin/setpriv': `#!/bin/sh\n/usr/bin/id -u >> ${folder}/open/ids\nexec /usr/bin/setpriv "$@"\n`, 'open/x': '',
    });
    await chmod(join(folder, 'bin/setpriv'), 0o755);
    await chmod(join(folder, 'open'), 0o777);
    const clip = join(folder, 'clip.mp4');
    await promisify(execFile)('ffmpeg', ['-loglevel', 'error', '-f', 'lavfi', '-i', 'testsrc=s=64x48:r=10', '-t', '20', '-g', '1', '-c:v', 'mpeg4', clip]);
    const server = await startServer({
      folder, flags: ['--allow-schemes', 'file', '--runner-user', 'nobody'], env: { API_KEY: 'k3y', BIN: join(folder, 'bin') },
    });
    onTestFinished(() => server.kill9());
    expect(server.output()).not.toMatch(/models run as the user|can read/);
    const token = await readFile(join(folder, 'data/token'), 'utf8');
    const start = (headers: Readonly<Record<string, string>>): Promise<Response> => fetch(`${server.url}/start_stream`, {
      method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify({ camera_id: 'CAM', rtsp_url: pathToFileURL(clip).href, model_name: 'spy', interval_seconds: 0.5, batch_size: 1 }),
    });
    // Models may ask as well.
    expect([(await start({})).status, (await start({ authorization: `Bearer ${token.trim()}` })).status]).toEqual([401, 200]);
    const records = (): Promise<readonly { readonly spy?: { readonly detections: readonly { readonly class: string }[] } }[]> => readRecords(join(folder, 'data/predictions.json')) as Promise<readonly object[]>;
    await until(async () => (await records()).length > 0, 20_000, server.output);
    const said = JSON.parse((await records())[0]?.spy?.detections[0]?.class ?? '{}') as unknown;
    expect(said, server.output()).toEqual({
      uid: 65534, home: join(folder, 'data/runner-home'), key: "it's k3y", frame: true, change: 'EACCES', environ: 'EACCES', spool: 'EACCES', 'streams.json': 'EACCES', token: 'EACCES',
    });
    expect((await stat(join(folder, 'data/work/spy/kept'))).uid).toBe(65534);
    expect(await readdir(join(folder, 'open'))).toEqual(['x']);
    const runner = descendants(server.pid).filter(isNode);
    expect(runner).toHaveLength(1);
    await server.kill9();
    await until(() => alive(runner).length === 0, 3000, () => 'the runner lives on');
  });

  it('builds environments as that user, also where one was built before, and runs one-shot programs in them with what is theirs', async () => {
    await writeTree(folder, {
      'models/old/model.yaml': 'runtime: node\nentry: old.mjs\nprotocol: oneshot\nprobe: console.log("probed as", process.getuid())\nweights: [{file: sub/w.bin}]\n', 'models/old/package.json': '{}',
      'models/old/old.mjs': OLD, 'data/weights/old/sub/w.bin': 'w',
      'data/lookout.yaml': 'port: 0\n', 'data/streams.json': '{}',
      'models/sly/model.yaml': 'runtime: command\nentry: sh\nargs: [-c, \'ln -s /etc/hostname "$6"\', sh]\n',
    });
    await promisify(execFile)('ffmpeg', ['-loglevel', 'error', '-f', 'lavfi', '-i', 'testsrc=s=64x48', '-frames:v', '1', join(folder, 'a.jpg')]);
    for (const name of ['a.jpg', 'data/weights/old/sub/w.bin']) await chmod(join(folder, name), 0o600);
    // As what was made in a folder of the models' group.
    await chown(join(folder, 'data/streams.json'), 0, 65_534);
    await chmod(join(folder, 'data/streams.json'), 0o640);
    for (const name of ['data/weights/old', 'data/weights/old/sub']) await chmod(join(folder, name), 0o700);
    // What was made before there was a user for models.
    expect(await lookout(['models', 'try', 'old', 'a.jpg'], {})).toMatchObject({ code: 0, output: expect.stringContaining('a.jpg: uid 0 1') as string });
    const { code, output } = await lookout(['models', 'try', 'old', 'a.jpg']);
    expect([code, output]).toEqual([0, expect.stringContaining('a.jpg: uid 65534 2')]);
    expect(output).toContain(`models, which run as nobody, can read ${folder}/data/lookout.yaml, ${folder}/data/streams.json; if they are not to`);
    const [built = ''] = await readdir(join(folder, 'data/runtimes/old'));
    expect(await readFile(join(folder, 'data/runtimes/old', built, 'build.log'), 'utf8')).toContain('probed as 65534');
    expect(await lookout(['models', 'try', 'sly', 'a.jpg'])).toMatchObject({ code: 1, output: expect.stringContaining('its output file cannot be read: it is a link') as string });
  });

  it.each([
    ['a user that there is not', { LOOKOUT_RUNNER_USER: 'no-such-user' }, [], 'runner_user: there is no user no-such-user on this machine'],
    ['root', { LOOKOUT_RUNNER_USER: 'root' }, [], 'runner_user: root must be neither root nor the user that Lookout runs as'],
    ['one of Lookout\'s own group', NOBODY, ['setpriv', '--regid', '65534', '--clear-groups'], 'runner_user: nobody must not be in Lookout\'s own group, which may read what Lookout makes'],
    ['a folder out of its reach', { ...NOBODY, LOOKOUT_MODELS_DIR: 'closed' }, [], /runner_user: nothing can be run as nobody, or it cannot reach what models need[^]*\/closed$/m],
    ['a Lookout without the right to', NOBODY, ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'], /runner_user: Lookout must be root .* it lacks chown, .*setuid/],
  ] as const)('refuses %s at the start', async (_what, env, under, words) => {
    await writeTree(folder, { 'closed/x': '' });
    await chmod(join(folder, 'closed'), 0o700);
    const { code, output } = await (under.length === 0 ? lookout(['models', 'list'], env) : lookoutUnder(under, ['models', 'list']));
    expect([code, output]).toEqual([2, expect.stringMatching(words)]);
  });
});
