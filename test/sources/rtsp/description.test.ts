/** What is read of a camera's description, as cameras write them. */
import { describe, expect, it } from 'vitest';
import { readDescription } from '../../../src/sources/rtsp/description.ts';
import { Unsupported } from '../../../src/sources/rtsp/refusals.ts';

const BASE = 'rtsp://camera:554/live?channel=1';
const SESSION = ['v=0', 'o=- 0 0 IN IP4 0.0.0.0', 's=x', 't=0 0'];
const AUDIO = ['m=audio 0 RTP/AVP 0', 'a=control:trackID=9'];
const H264 = ['m=video 0 RTP/AVP 96', 'a=rtpmap:96 H264/90000', 'a=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0IAHwE=,aM4B;profile-level-id=42001f', 'a=control:trackID=1'];
const H265 = ['m=video 0 RTP/AVP 98', 'a=rtpmap:98 H265/90000', 'a=fmtp:98 sprop-vps=QAE=;sprop-sps=QgE=; sprop-pps=RAE=', 'a=control:rtsp://camera/other/track2'];
const JPEG = ['m=video 0 RTP/AVP 26', 'a=x-dimensions:2560,1440'];

const read = (lines: readonly string[], videoTrack = 1, base = BASE): ReturnType<typeof readDescription> => readDescription(lines.join('\r\n'), base, videoTrack);

it('names its video\'s coding, its parameter sets, and whom to ask for it', () => {
  expect(read([...SESSION, ...AUDIO, ...H264])).toEqual({
    codec: 'h264', payloadType: 96, clockRate: 90_000, control: `${BASE}/trackID=1`, aggregate: BASE, size: null,
    parameterSets: [Buffer.from([0x67, 0x42, 0, 0x1f, 1]), Buffer.from([0x68, 0xce, 1])],
  });
  expect(read([...SESSION, ...AUDIO, ...H264, ...H265], 2)).toMatchObject({
    codec: 'h265', payloadType: 98, control: 'rtsp://camera/other/track2', parameterSets: [Buffer.from([0x40, 1]), Buffer.from([0x42, 1]), Buffer.from([0x44, 1])],
  });
  expect(read([...SESSION, ...JPEG])).toMatchObject({ codec: 'jpeg', payloadType: 26, clockRate: 90_000, control: BASE, size: { width: 2560, height: 1440 } });
  expect(read(['m=video 0 RTP/AVP 97 96', 'a=rtpmap:97 red/90000', 'a=rtpmap:96 h264/90000', 'a=framesize:96 640-480'])).toMatchObject({ codec: 'h264', payloadType: 96, size: { width: 640, height: 480 } });
});

it.each([['8000', 8000], ['1', 1], ['', 90_000], ['0', 90_000], ['0.000001', 90_000], ['1e300', 90_000], ['-1', 90_000], ['x', 90_000]])('of a clock of %j ticks in a second', (said, clockRate) => {
  expect(read(['m=video 0 RTP/AVP 96', `a=rtpmap:96 H264/${said}`])).toMatchObject({ clockRate });
});

it('in no more time where it is long', () => {
  const began = performance.now();
  expect(() => read([`m=video 0 RTP/AVP ${'1 '.repeat(6000)}`, ...Array<string>(6000).fill('a=rtpmap:2 x')])).toThrow(Unsupported);
  expect(performance.now() - began).toBeLessThan(2000);
});

it.each([
  ['*', 'trackID=1', BASE, `${BASE}/trackID=1`],
  ['rtsp://camera/all/', 'trackID=1', 'rtsp://camera/all/', 'rtsp://camera/all/trackID=1'],
  ['all', '/trackID=1', `${BASE}/all`, `${BASE}/all/trackID=1`],
  ['*', 'a b', BASE, `${BASE}/a%20b`],
])('of the session %s and the video %s', (session, video, aggregate, control) => {
  expect(read([...SESSION, `a=control:${session}`, 'm=video 0 RTP/AVP 26', `a=control:${video}`])).toMatchObject({ aggregate, control });
});

describe('is refused', () => {
  it.each([
    ['without a video', AUDIO, 1, 'there is no video in it'],
    ['empty', [], 1, 'there is no video in it'],
    ['with too few videos', H264, 2, 'it has fewer videos than video_track says'],
  ])('%s', (_what, lines, track, message) => {
    expect(() => read(lines, track)).toThrow(expect.objectContaining({ code: 'stream_codec', message }) as Error);
  });

  it.each([
    ['coded as nobody knows', ['m=video 0 RTP/AVP 96', 'a=rtpmap:96 MP4V-ES/90000'], 'its video is coded as MP4V-ES/90000, which is not known'],
    ['of a payload that is not named', ['m=video 0 RTP/AVP 33'], 'its video is coded as payload type 33, which is not known'],
    ['coded in several ways', ['m=video 0 RTP/AVP 26 96', 'a=rtpmap:96 H264/90000'], 'its video is coded in one way or another'],
    ['encrypted', ['m=video 0 RTP/SAVP 96', 'a=rtpmap:96 H264/90000'], 'its video comes as RTP/SAVP, which is not known'],
    ['interleaved', ['m=video 0 RTP/AVP 96', 'a=rtpmap:96 H264/90000', 'a=fmtp:96 packetization-mode=2'], 'its packets are interleaved'],
  ])('and left to ffmpeg when its video is %s', (_what, lines, message) => {
    const reading = (): unknown => read(lines);
    expect(reading).toThrow(Unsupported);
    expect(reading).toThrow(message);
  });
});
