/**
 * A name that means a camera when it is checked and something else a moment later. Nobody may ask twice for one connection:
 * in this process the askers are counted, and ffmpeg's own, who asks the machine, would find no such name.
 */
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { startDemoCamera, type DemoCamera } from '../../../src/demo/index.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { create as createHttp } from '../../../src/sources/http.ts';
import { create as createMpegts } from '../../../src/sources/mpegts.ts';
import { create as createRtmp } from '../../../src/sources/rtmp.ts';
import { create as createRtsp } from '../../../src/sources/rtsp.ts';
import { dial } from '../../../src/sources/network/dial.ts';
import type { CapturedFrame, Source } from '../../../src/types.ts';
import { makePicture, sendParts, startHttpCamera } from '../../helpers/http-camera.ts';
import { nameMeans } from '../../helpers/names.ts';
import { startRtmpListener, startRtmpServer } from '../../helpers/rtmp-server.ts';
import { movedTo, server } from '../rtsp/answering.ts';
import { watch } from '../rtsp/watching.ts';
import { BOUNDS, failureOf, firstFrames, inFolder, never, NO_RULES, PICTURES, streamOf, VIDEO } from '../streams.ts';

const NAME = 'camera.invalid';
const [HERE, METADATA] = ['127.0.0.1', '169.254.169.254'];
const settings = { config: { ...PICTURES, ...BOUNDS, ...VIDEO, allow_schemes: [], capture_engine: 'ffmpeg' }, log: silentLog, ...NO_RULES } as const;

let camera: DemoCamera;
beforeAll(async () => {
  camera = await startDemoCamera({ cameras: { street: { kind: 'scene', width: 64, height: 32, keyframe_seconds: 1 } } }, never);
});
afterAll(() => camera.close());

/** What comes of an address that was sent over HTTP. */
function frames(source: Source, url: string): AsyncIterable<CapturedFrame> {
  return inFolder((folder) => source.frames({ ...streamOf(url, { interval_seconds: 1 }), trusted: false }, folder, never));
}

const widthOf = async (source: Source, url: string): Promise<number | undefined> => (await firstFrames(frames(source, url), 1))[0]?.width;

it('our own connections lead to the address that was checked, and the next one is checked anew', async () => {
  const told = nameMeans(NAME, HERE, METADATA);
  const place = { scheme: 'rtsp', hostname: NAME, port: camera.port };
  const socket = await dial(place, { bounds: BOUNDS, tls: 'verify' }, never);
  expect(socket.remoteAddress).toBe(HERE);
  socket.destroy();
  await expect(dial(place, { bounds: BOUNDS, tls: 'verify' }, never)).rejects.toMatchObject({ code: 'forbidden_address', message: expect.stringContaining(`${NAME} (${METADATA})`) as string });
  expect(told).toEqual([HERE, METADATA]);
});

it('a camera over HTTP is asked where it was found, also for video, which ffmpeg opens through us', async () => {
  const jpeg = await makePicture('mjpeg', '64x32');
  const http = await startHttpCamera((request, response) => {
    if (request.url === '/moves') response.writeHead(302, { location: `http://${NAME}:${http.port}/` }).end();
    else sendParts(response, 100, () => jpeg);
  });
  onTestFinished(http.close);
  const told = nameMeans(NAME, HERE, METADATA);
  expect(await widthOf(createHttp(settings), `http://${NAME}:${http.port}/`)).toBe(64);
  expect(told).toEqual([HERE]);
  // The same name behind a redirect is another question.
  expect(await failureOf(frames(createHttp(settings), `http://127.0.0.1:${http.port}/moves`))).toMatchObject({ code: 'forbidden_address' });
  expect(told).toEqual([HERE, METADATA]);
});

it('ffmpeg goes to an RTSP camera where that was found', async () => {
  const told = nameMeans(NAME, HERE, METADATA);
  expect(await widthOf(createRtsp(settings), `rtsp://${NAME}:${camera.port}/street`)).toBe(64);
  expect(told).toEqual([HERE]);
});

it('our own client goes to an RTSP camera where that was found, and looks anew where one sends it on', async () => {
  const other = await server(() => movedTo(`rtsp://${NAME}:${camera.port}/street`));
  const told = nameMeans(NAME, HERE, METADATA);
  const { stop } = await watch(`rtsp://${NAME}:${camera.port}/street`, { bounds: BOUNDS });
  await stop();
  await expect(watch(`rtsp://127.0.0.1:${other.port}/x`, { bounds: BOUNDS })).rejects.toMatchObject({ code: 'forbidden_address' });
  expect(told).toEqual([HERE, METADATA]);
});

it('the relay looks anew at where a camera sends on', async () => {
  const other = await server(() => movedTo(`rtsp://${NAME}:${camera.port}/street`));
  const told = nameMeans(NAME, HERE, METADATA);
  const url = `rtsp://127.0.0.1:${other.port}/x`;
  expect(await widthOf(createRtsp(settings), url)).toBe(64);
  expect(told).toEqual([HERE]);
  expect(await failureOf(frames(createRtsp(settings), url))).toMatchObject({ code: 'forbidden_address' });
  expect(told).toEqual([HERE, METADATA]);
});

it('an RTMP server is opened where it was found', async () => {
  const rtmp = await startRtmpServer('/live/camera');
  onTestFinished(rtmp.close);
  const told = nameMeans(NAME, HERE, METADATA);
  expect(await widthOf(createRtmp(settings), `rtmp://${NAME}:${rtmp.port}/live/camera`)).toBe(64);
  expect(told).toEqual([HERE]);
});

it.concurrent.for(['/live/camera', '/live', '/app/instance/camera?key=1', '/app/mp4:films/camera', '/ondemand/a/b'])('an RTMP server is told what ffmpeg would tell it that opens the address itself: %s', async (path, { onTestFinished: after }) => {
  const rtmp = await startRtmpListener();
  after(rtmp.close);
  const said = [];
  for (const trusted of [true, false]) {
    const url = `rtmp://localhost:${rtmp.port}${path}`;
    await failureOf(inFolder((folder) => createRtmp(settings).frames({ ...streamOf(url), trusted }, folder, never)));
    said.push(rtmp.told());
  }
  expect(said[0]).toMatch(new RegExp(`^rtmp://localhost:${rtmp.port}/`));
  expect(said[1]).toBe(said[0]);
});

it.each([
  ['rtmp://127.0.0.1:1935x/live/camera', createRtmp], ['rtmps://:443/live/camera', createRtmp], ['srt://127.0.0.1:99999', createMpegts], ['rtsp://127.0.0.1:554x/street', createRtsp],
])('where nobody can tell where an address leads, ffmpeg does not go: %s', async (url, create) => {
  expect(await failureOf(frames(create(settings), url))).toMatchObject({ code: 'stream_connect', message: expect.stringContaining('address is no URL') as string });
});

it('what is asked for anew is checked anew: over RTMP too', async () => {
  const told = nameMeans(NAME, METADATA);
  expect(await failureOf(frames(createRtmp(settings), `rtmp://${NAME}:1935/live/camera`))).toMatchObject({ code: 'forbidden_address' });
  expect(await failureOf(frames(createMpegts(settings), `srt://${NAME}:9000`))).toMatchObject({ code: 'forbidden_address' });
  expect(told).toEqual([METADATA, METADATA]);
});
