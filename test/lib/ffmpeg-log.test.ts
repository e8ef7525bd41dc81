import { describe, expect, it } from 'vitest';
import { logParser, packetParser, type LogLine, type Packet } from '../../src/lib/ffmpeg-log.ts';

/** Words of a real ffmpeg 5.1 that plays a stream with B-frames. */
const WORDS = `
[info] Input #0, concat, from 'pipe:0':
[info]   Duration: N/A, start: 0.000000, bitrate: N/A
[info]   Stream #0:0: Video: h264 (High) ([27][0][0][0] / 0x001B), yuv420p(progressive), 320x180 [SAR 1:1 DAR 16:9], 12 fps, 12 tbr, 90k tbn
#extradata 0:       39, 0xb3860ad5
#software: Lavf59.27.100
#tb 0: 1/90000
#media_type 0: video
#codec_id 0: h264
#dimensions 0: 320x180
#sar 0: 1/1
[info] Stream mapping:
[info]   Stream #0:0 -> #0:0 (h264 (native) -> mjpeg (native))
0,     -15000,          0,     7500,     3482, 0x288c2caf, S=1,        1
0,      -7500,      22500,     7500,      521, 0x66acfcf3, F=0x0, S=1,        1
0,          0,       7500,     7500,       64, 0x23d71cc3, F=0x0, S=1,        1
[showinfo@decoded @ 0x564160160400] [info] config in time_base: 1/90000, frame_rate: 12/1
[showinfo@decoded @ 0x564160160400] [info] config out time_base: 0/0, frame_rate: 0/0
[swscaler @ 0x56416016a0c0] [warning] deprecated pixel format used, make sure you did set range correctly
[showinfo@decoded @ 0x564160160400] [info] n:   0 pts:      0 pts_time:0       pos:      564 fmt:yuv420p sar:1/1 s:320x180 i:P iskey:1 type:I 
[showinfo@decoded @ 0x564160160400] [info]   side data - User Data Unregistered:
[showinfo@decoded @ 0x564160160400] [info] UUID=dc45e9bd-e6d9-48b7-962c-d820d923eeef
[showinfo@decoded @ 0x564160160400] [info] color_range:unknown color_space:unknown color_primaries:unknown color_trc:unknown
[showinfo@decoded @ 0x564160160400] [info] n:   1 pts:   7500 pts_time:0.0833333 pos:     5264 fmt:yuv420p sar:1/1 s:320x180 i:P iskey:0 type:B 
[mpegts @ 0x55f8273a2500] [warning] Packet corrupt (stream = 0, dts = 482400).
[h264 @ 0x55f8274b6000] [error] error while decoding MB 5 3, bytestream -7
[fatal] pipe:0: Server returned 401 Unauthorized (authorization failed)
`;

const parse = (text: string): LogLine[] => text.split('\n').map(logParser()).filter((line) => line !== null);
const packets = (text: string): Packet[] => text.split('\n').map(packetParser()).filter((packet) => packet !== null);

describe('the parser of what ffmpeg says', () => {
  it('finds pictures and complaints in the words of a real run', () => {
    expect(parse(WORDS)).toEqual([
      { kind: 'decoded', ptsSeconds: 0, width: 320, height: 180, key: true, madeUp: 0 },
      { kind: 'decoded', ptsSeconds: expect.closeTo(1 / 12) as number, width: 320, height: 180, key: false, madeUp: 0 },
      { kind: 'complaint', text: 'error while decoding MB 5 3, bytestream -7' },
      { kind: 'complaint', text: 'pipe:0: Server returned 401 Unauthorized (authorization failed)' },
    ]);
  });

  it('tells times of a day as exactly as the first ones', () => {
    const base = '[showinfo@picked @ 0x1] [info] config in time_base: 1/90000, frame_rate: 12/1';
    const line = '[showinfo@picked @ 0x1] [info] n: 28801 pts:9000003600 pts_time:100000 pos: 5 fmt:yuv420p sar:1/1 s:320x180 i:P';
    expect(parse(`${base}\n${line}`)).toEqual([{ kind: 'picked', index: 28_801, ptsSeconds: expect.closeTo(100_000.04, 5) as number, width: 320, height: 180 }]);
  });

  it('finds packets too, in the order in which they came', () => {
    const same = { width: 320, height: 180, pieced: true };
    expect(packets(WORDS)).toEqual([
      { ...same, ptsSeconds: 0, key: true, bytes: 3482 }, { ...same, ptsSeconds: 0.25, key: false, bytes: 521 },
      { ...same, ptsSeconds: expect.closeTo(1 / 12) as number, key: false, bytes: 64 },
    ]);
  });

  it('counts packet times in the time base that was announced', () => {
    expect(packets('#tb 0: 1/1000\n0, 0, 2500, 40, 900, 0x0badcafe')).toMatchObject([{ ptsSeconds: 2.5, key: true }]);
  });

  it('finds the size, the time and the bytes of pictures that were written', () => {
    const words = '#tb 0: 1/1000\n#codec_id 0: mjpeg\n#dimensions 0: 640x360\n0,      -2500,      -2500,        0,   138794, 0x074d780f, S=1, Quality stats,        8, 0x076400ed';
    expect(packets(words)).toEqual([{ ptsSeconds: -2.5, width: 640, height: 360, key: true, bytes: 138_794, pieced: false }]);
  });

  it.each([
    ['', true], [', F=0x0', false], [', F=0x0, S=1, 1', false], [', S=1, 1', true], [', F=0x2', false], [', F=0x3', true],
  ])('takes a packet with flags "%s" for a key frame: %s', (flags, key) => {
    expect(packets(`0, 0, 90000, 3600, 900, 0x0badcafe${flags}`)).toMatchObject([{ ptsSeconds: 1, key }]);
  });

  it.each([
    '0, NOPTS, NOPTS, 3600, 900, 0x0badcafe',
    '0, -9223372036854775808, -9223372036854775808, 3600, 900, 0x0badcafe',
    '1, 0, 90000, 3600, 900, 0x0badcafe',
    '[showinfo@decoded @ 0x564160162500] [info] config in time_base: 1/90000, frame_rate: 12/1',
    '[swscaler @ 0x1] [swscaler @ 0x2] [warning] deprecated pixel format used',
    '',
  ])('makes nothing of "%s"', (line) => {
    expect([...parse(line), ...packets(line)]).toEqual([]);
  });
});
