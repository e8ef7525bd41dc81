import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type DemoCamera, type DemoCameraOptions, makeClip, startDemoCamera } from '../../src/demo/index.ts';
import { readBinaryClock } from '../helpers/binary-clock.ts';

const run = promisify(execFile);
const small = { kind: 'scene', width: 320, height: 180, fps: 12, keyframe_seconds: 1 } as const;
const auth = { user: 'viewer', password: 'p@ss word' };
let folder: string;
let camera: DemoCamera;

/** A camera of the test's own. */
async function start(options: Partial<DemoCameraOptions>): Promise<DemoCamera> {
  const started = await startDemoCamera({ cameras: { street: small }, ...options }, new AbortController().signal);
  onTestFinished(() => started.close());
  return started;
}

/** Pictures of an ordinary client, as JPEG files; throws with ffmpeg's words when there are none. */
async function record(url: string, name: string, transport: 'tcp' | 'udp' = 'tcp', pictures = 5): Promise<string> {
  const file = join(folder, `${name}.jpg`);
  const args = ['-v', 'error', '-nostdin', '-threads', '1', '-rtsp_transport', transport, '-i', url, '-frames:v', String(pictures), '-update', '1', '-q:v', '2', '-y', file];
  await run('ffmpeg', args, { timeout: 20_000 });
  return file;
}

/** Sends requests as they are written, answers with the head of each response. */
async function dial(port: number): Promise<{ socket: Socket; ask: (request: string, headers?: string) => Promise<string> }> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => { socket.destroy(); });
  await once(socket, 'connect');
  let sequence = 0;
  return {
    socket,
    async ask(request, headers = '') {
      sequence += 1;
      socket.write(`${request} RTSP/1.0\r\nCSeq: ${sequence}\r\n${headers && `${headers}\r\n`}\r\n`);
      let text = '';
      while (!text.includes(`CSeq: ${sequence}\r\n`) || !text.includes('\r\n\r\n')) text += String((await once(socket, 'data') as [Buffer])[0]);
      return text;
    },
  };
}

/** A client that plays and does not care what. */
async function watch({ port, url }: DemoCamera): Promise<Socket> {
  const { socket, ask } = await dial(port);
  await ask(`DESCRIBE ${url('street')}`);
  await ask(`SETUP ${url('street')}`, 'Transport: RTP/AVP/TCP;unicast;interleaved=0-1');
  await ask(`PLAY ${url('street')}`);
  return socket;
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false; // No such process: that is the answer.
  }
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout-camera-'));
  const clip = join(folder, 'clip.mp4');
  await makeClip(clip, { seconds: 1, width: 320, height: 180, fps: 25, bitrate: '500k', keyframe_seconds: 0.4, b_frames: 2, clock: false }, new AbortController().signal);
  camera = await startDemoCamera({
    cameras: {
      street: { ...small, clock: true },
      bframes: { ...small, b_frames: 3, clock: true },
      clip: { kind: 'clip', file: clip },
      broken: { kind: 'clip', file: join(folder, 'absent.mp4') },
    },
  }, new AbortController().signal);
});
afterAll(async () => {
  await camera.close();
  await rm(folder, { recursive: true });
});

describe('the demo camera', () => {
  // Those that cost much are not shown for longer than they are looked at.
  it.each([
    ['street', null], ['bframes', null], ['clip', null], ['hevc', { ...small, fps: 10, codec: 'h265' }], ['pasture', { kind: 'pasture' }],
  ] as const)('shows %s to a client over TCP and one over UDP at once', async (path, scene) => {
    const { url } = scene ? await start({ cameras: { [path]: scene } }) : camera;
    const files = await Promise.all([record(url(path), `${path}-tcp`, 'tcp'), record(url(path), `${path}-udp`, 'udp')]);
    for (const file of files) expect((await stat(file)).size).toBeGreaterThan(1000);
  });

  it('describes what it sends before the first picture', async () => {
    const { stdout } = await run('ffprobe', ['-v', 'error', '-rtsp_transport', 'tcp', '-show_entries', 'stream=codec_name,width,height', '-of', 'csv=p=0', camera.url('street')]);
    expect(stdout.trim()).toBe('h264,320,180');
    const { ask } = await dial(camera.port);
    const sdp = await ask(`DESCRIBE ${camera.url('street')}`, 'Accept: application/sdp');
    expect(sdp).toMatch(/a=range:npt=now-\r\n[^]*m=video 0 RTP\/AVP 96\r\n[^]*sprop-parameter-sets=[^]*a=control:trackID=0\r\n$/);
  });

  it.each(['street', 'bframes'])('draws the time at which the picture was made into %s', async (path) => {
    const picture = await record(camera.url(path), `${path}-clock`, 'tcp', 30);
    const { mtimeMs } = await stat(picture);
    const age = mtimeMs - await readBinaryClock(picture, mtimeMs);
    expect(age).toBeGreaterThan(-100);
    expect(age).toBeLessThan(1500);
  });

  it('goes on with rising time stamps when its clip begins again', async () => {
    const { stdout } = await run('ffprobe', ['-v', 'error', '-rtsp_transport', 'tcp', '-read_intervals', '%+3', '-show_entries', 'packet=pts_time', '-of', 'csv=p=0', camera.url('clip')]);
    const times = stdout.trim().split('\n').map(Number.parseFloat).filter((time) => !Number.isNaN(time)).sort((a, b) => a - b);
    expect(times.length).toBeGreaterThan(50);
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(Math.max(...gaps)).toBeLessThan(0.2);
    expect(Math.min(...gaps)).toBeGreaterThan(0.001);
  });

  it('answers 404 for a path that it has not, and 503 with ffmpeg\'s words for one that it cannot show', async () => {
    await expect(record(camera.url('nowhere'), 'nowhere')).rejects.toThrow(/404/);
    const { ask } = await dial(camera.port);
    expect(await ask(`DESCRIBE ${camera.url('broken')}`)).toMatch(/^RTSP\/1.0 503[^]*absent.mp4[^]*No such file/);
  });

  it('wants the right user and password when it has them', async () => {
    const locked = await start({ auth });
    await expect(record(locked.url('street', true), 'locked')).resolves.toBeDefined();
    await expect(record(locked.url('street'), 'locked')).rejects.toThrow(/401/);
    await expect(record(locked.url('street', true).replace('p%40ss', 'guess'), 'locked')).rejects.toThrow(/401/);
  });

  it('keeps to the protocol with a client that does not', async () => {
    const { ask } = await dial(camera.port);
    const url = camera.url('street');
    expect(await ask('OPTIONS *')).toMatch(/^RTSP\/1.0 200 [^]*Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER, SET_PARAMETER/);
    expect(await ask(`PLAY ${url}`)).toMatch(/^RTSP\/1.0 454/);
    expect(await ask(`SETUP ${url}/trackID=0`, 'Transport: RTP/AVP;multicast')).toMatch(/^RTSP\/1.0 461/);
    expect(await ask(`RECORD ${url}`)).toMatch(/^RTSP\/1.0 501/);
    const setup = await ask(`SETUP ${url}/trackID=0`, 'Transport: RTP/AVP/TCP;unicast;interleaved=6-7');
    expect(setup).toMatch(/^RTSP\/1.0 200 [^]*Transport: RTP\/AVP\/TCP;unicast;interleaved=6-7\r\n/);
    const session = /Session: (\w+);timeout=60/.exec(setup)?.[1] ?? '';
    expect(await ask(`GET_PARAMETER ${url}`, `Session: ${session}`)).toMatch(/^RTSP\/1.0 200/);
    expect(await ask(`GET_PARAMETER ${url}`, 'Session: other')).toMatch(/^RTSP\/1.0 454/);
    expect(await ask(`PLAY ${url}`, `Session: ${session}`)).toMatch(/^RTSP\/1.0 200 [^]*RTP-Info: url=rtsp:[^;]*;seq=\d+;rtptime=\d+\r\n/);
    expect(await ask(`TEARDOWN ${url}`, `Session: ${session}`)).toMatch(/RTSP\/1.0 200/);
    expect(await ask(`PLAY ${url}`, `Session: ${session}`)).toMatch(/RTSP\/1.0 454/);
    const other = await dial(camera.port);
    other.socket.write('GET / HTTP/1.1\r\n\r\n');
    expect(Buffer.concat(await other.socket.toArray() as Buffer[]).toString()).toMatch(/^RTSP\/1.0 400/);
  });

  it('falls silent while connections stay open, and speaks again', async () => {
    const own = await start({});
    const client = await watch(own);
    own.silence('street', true);
    const quiet = setTimeout(() => { own.silence('street', false); }, 1000);
    onTestFinished(() => { clearTimeout(quiet); });
    const arrivals = [performance.now()];
    client.on('data', () => arrivals.push(performance.now()));
    await expect.poll(() => Math.max(...arrivals.map((time, index) => time - (arrivals[index - 1] ?? time))), { timeout: 5000 }).toBeGreaterThan(700);
  });

  it('cuts clients on demand', async () => {
    const own = await start({});
    const client = await watch(own);
    own.disconnect('street');
    await once(client.resume(), 'close');
  });

  it('cuts clients that it has not heard from', async () => {
    const own = await start({ timeout_seconds: 0.3 });
    const { socket } = await dial(own.port);
    await once(socket.resume(), 'close');
  });

  it('starts an ffmpeg when a path is first asked for, again when it dies, and leaves none behind', async () => {
    const own = await start({ cameras: { street: small, unused: small } });
    expect(own.pids()).toEqual([]);
    await record(own.url('street'), 'first');
    const [first] = own.pids();
    if (first === undefined) throw new Error('no ffmpeg runs');
    process.kill(first, 'SIGKILL');
    await expect.poll(() => own.pids(), { timeout: 10_000 }).not.toContain(first);
    await expect(record(own.url('street'), 'second')).resolves.toBeDefined();
    const pids = own.pids();
    expect(pids).toHaveLength(1);
    await own.close();
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it('closes when its signal aborts', async () => {
    const stop = new AbortController();
    const own = await startDemoCamera({ cameras: { street: small } }, stop.signal);
    const { socket } = await dial(own.port);
    stop.abort();
    await once(socket.resume(), 'close');
    await own.close();
    await expect(startDemoCamera({ port: own.port, cameras: {} }, new AbortController().signal).then((again) => again.close())).resolves.toBeUndefined();
  });

  it('says which port is taken', async () => {
    await expect(start({ port: camera.port })).rejects.toThrow(`127.0.0.1:${camera.port}: choose another port`);
  });
});
