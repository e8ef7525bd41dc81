import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { imageSize } from 'image-size';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { captureArguments, layOver, picturesOf, removePictures, runCapture, type CaptureOptions } from '../../src/lib/ffmpeg.ts';
import { jpegEncoder } from '../../src/lib/jpeg-encoder.ts';
import type { Decoded, Packet } from '../../src/lib/ffmpeg-log.ts';
import type { PictureFile } from '../../src/types.ts';

const OPTIONS: CaptureOptions = {
  url: 'rtsp://user:secret@10.0.0.1:554/stream?channel=1', transport: 'tcp', verify: true, track: 1, probe: false, tolerant: false, skip: 'nokey', intervalSeconds: 3, packets: 'first',
  jpegQuality: 95, maxWidth: null, realTime: false,
};
const SELECT = String.raw`select='st(0\,max(ld(0)\,key+gt(t\,12)))*(isnan(prev_selected_t)+gt(floor(t/3)\,floor(prev_selected_t/3))+lt(t\,prev_selected_t-1))'`;
const DROP = String.raw`noise=drop=eq(n\,0)`;
const never = new AbortController().signal;
const scriptOf = (change: Partial<CaptureOptions>): string => captureArguments({ ...OPTIONS, ...change }).script;

describe('the words of a capture', () => {
  it('are these for a camera by default', () => {
    expect(captureArguments(OPTIONS)).toEqual({
      script: [
        'ffconcat version 1.0', "file 'rtsp://user:secret@10.0.0.1:554/stream?channel=1'",
        ...['fpsprobesize 0', 'analyzeduration 1', 'probesize 32', 'rtsp_transport tcp', 'allowed_media_types video', 'timeout 120000000'].map((option) => `option ${option.replace(' ', " '")}'`), '',
      ].join('\n'),
      input: [
        '-hide_banner', '-nostats', '-loglevel', 'level+info', '-fpsprobesize', '0', '-analyzeduration', '1', '-probesize', '32',
        '-max_pixels', '67108864', '-threads', '1', '-skip_frame', 'nokey', '-err_detect', 'explode', '-f', 'concat', '-safe', '0',
        '-protocol_whitelist', 'pipe,rtsp,rtp,udp,tcp',
      ],
      picture: [
        '-map', '0:v:0', '-an', '-filter_threads', '1',
        '-vf', String.raw`showinfo@decoded=checksum=0,${SELECT},showinfo@picked=checksum=0,settb=1/1000,setpts=N`,
        '-fps_mode', 'passthrough', '-enc_time_base', '1:1000', '-threads', '1', ...jpegEncoder(95), '-f', 'tee',
      ],
      packets: ['-map', '0:v:0', '-c', 'copy', '-copyinkf', '-bsf:v', DROP, '-frames:v', '480', '-f', 'framecrc'],
    });
  });

  it('never hold the address where the process list shows it', () => {
    const { input, picture, packets } = captureArguments(OPTIONS);
    expect([...input, ...picture, ...(packets ?? [])].filter((word) => /secret|10\.0\.0\.1/.test(word))).toEqual([]);
  });

  it.each([
    ["rtsp://u:it's@h/x", String.raw`file 'rtsp://u:it'\''s@h/x'`],
    [String.raw`rtsp://u:a\b@h/x y#z`, String.raw`file 'rtsp://u:a\b@h/x y#z'`],
    ["rtsp://h/''", String.raw`file 'rtsp://h/'\'''\'''`],
  ])('quote %s so that ffmpeg reads it as it is', (url, line) => {
    expect(scriptOf({ url }).split('\n')[1]).toBe(line);
  });

  it('hold no second line for an address that does', () => {
    expect(() => scriptOf({ url: "rtsp://h/x'\nfile 'file:/etc/hostname" })).toThrow('line break');
  });

  it.each(['tcp', 'udp'] as const)('ask for RTSP over %s', (transport) => {
    expect(scriptOf({ transport })).toContain(`option rtsp_transport '${transport}'\n`);
    expect(scriptOf({ transport, url: 'RTSPS://h/x' })).toContain(`option rtsp_transport '${transport}'\n`);
  });

  it('let a file lead to files alone, and without what is for cameras', () => {
    expect(captureArguments({ ...OPTIONS, url: 'file:/a.mp4' }).input.at(-1)).toBe('pipe,file');
    expect(scriptOf({ url: 'file:/a.mp4' })).not.toMatch(/rtsp_transport|allowed_media_types|timeout/);
  });

  it.each([['nokey', ['-skip_frame', 'nokey']], ['noref', ['-skip_frame', 'noref']], ['none', []]] as const)('leave out %s', (skip, words) => {
    const { input } = captureArguments({ ...OPTIONS, tolerant: true, skip });
    expect(input.slice(input.indexOf('-threads') + 2, input.indexOf('-f'))).toEqual(words);
  });

  it('want no damaged picture where they are not tolerant', () => {
    expect(captureArguments(OPTIONS).input.join(' ')).toContain('-skip_frame nokey -err_detect explode -f concat');
  });

  it('report packets for ever, or not at all', () => {
    expect(captureArguments({ ...OPTIONS, packets: 'all' }).packets).toEqual(['-map', '0:v:0', '-c', 'copy', '-copyinkf', '-bsf:v', DROP, '-f', 'framecrc']);
    expect(captureArguments({ ...OPTIONS, packets: 'none' }).packets).toBeNull();
  });

  it('make pictures narrower, never wider', () => {
    const { picture } = captureArguments({ ...OPTIONS, maxWidth: 640 });
    expect(picture[picture.indexOf('-vf') + 1]).toContain(String.raw`,scale=w='min(iw\,640)':h=-2,showinfo@picked`);
  });

  it('play a file at its own speed and look at all of it first', () => {
    const { script, input } = captureArguments({ ...OPTIONS, url: 'file:/videos/a.mp4', realTime: true, packets: 'none' });
    expect(script).toBe("ffconcat version 1.0\nfile 'file:/videos/a.mp4'\n");
    expect(input).toEqual(expect.arrayContaining(['-re']));
    expect(input).not.toContain('-probesize');
  });
});

describe('ffmpeg', () => {
  let folder: string;
  let clip: string;
  let long: string;
  let picture: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lookout-ffmpeg-'));
    clip = join(folder, 'it\'s a clip.mkv');
    long = join(folder, 'long.mkv');
    picture = join(folder, 'picture.jpg');
    const run = promisify(execFile);
    await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=s=320x180:r=10:d=5', '-pix_fmt', 'yuv420p', '-g', '10', '-bf', '0', clip]);
    await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=s=160x90:r=10:d=15', '-pix_fmt', 'yuv420p', '-g', '10', '-bf', '0', long]);
    await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=s=320x180', '-frames:v', '1', picture]);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  interface Played {
    readonly decoded: Decoded[];
    readonly packets: Packet[];
    /** `newest`: the time of the last one that was told to be decoded before. */
    readonly pictures: (PictureFile & Decoded & { readonly newest: number | undefined })[];
    readonly complaints: readonly string[];
  }

  async function play(change: Partial<CaptureOptions>): Promise<Played> {
    const decoded: Decoded[] = [];
    const packets: Packet[] = [];
    const pictures: Played['pictures'] = [];
    const complaints = await runCapture({ ...OPTIONS, url: `file:${clip}`, intervalSeconds: 1, ...change }, folder, {
      onDecoded: (one) => decoded.push(one),
      onPacket: (packet) => packets.push(packet),
      onPicture({ file, bytes }, { ptsSeconds, width, height }) {
        pictures.push({ file, bytes, ptsSeconds, width, height, newest: decoded.at(-1)?.ptsSeconds });
      },
    }, never);
    return { decoded, packets, pictures, complaints };
  }

  it('gives every picked picture, the last too, each with its time and size, and after it was told to be decoded', async () => {
    const { decoded, packets, pictures, complaints } = await play({ maxWidth: 160, packets: 'all' });
    expect(complaints).toEqual([]);
    for (const { file, bytes, ptsSeconds, newest } of pictures) {
      expect(newest).toBeGreaterThanOrEqual(ptsSeconds);
      const jpeg = await readFile(file);
      expect({ bytes: jpeg.length, width: imageSize(jpeg).width }).toEqual({ bytes, width: 160 });
    }
    expect(pictures).toMatchObject([0, 1, 2, 3, 4].map((ptsSeconds) => ({ ptsSeconds, width: 160, height: 90 })));
    // All but the first, whose time may be a guess.
    expect(packets).toHaveLength(49);
    expect(decoded).toHaveLength(5);
  });

  it('gives no damaged picture where it is not told to be tolerant', async () => {
    const damaged = join(folder, 'damaged.mkv');
    await promisify(execFile)('ffmpeg', ['-v', 'error', '-i', clip, '-c:v', 'libx264', '-profile:v', 'baseline', '-g', '10', damaged]);
    const bytes = await readFile(damaged);
    // Inside the second key frame: this is how the slice of one begins.
    const head = Buffer.from('6588', 'hex');
    const second = bytes.indexOf(head, bytes.indexOf(head) + 4000);
    await writeFile(damaged, bytes.fill(0x55, second + 500, second + 2500));
    const times = async (tolerant: boolean): Promise<readonly number[]> => (await play({ tolerant, url: `file:${damaged}` })).pictures.map(({ ptsSeconds }) => ptsSeconds);
    expect(await times(true)).toEqual([0, 1, 2, 3, 4]);
    expect(await times(false)).toEqual([0, 2, 3, 4]);
  });

  it('gives the pictures of a file whose times go back', async () => {
    const twice = join(folder, 'twice.ts');
    const once = join(folder, 'once.ts');
    await promisify(execFile)('ffmpeg', ['-v', 'error', '-i', clip, '-t', '3', '-c', 'copy', once]);
    await writeFile(twice, Buffer.concat([await readFile(once), await readFile(once)]));
    const { pictures, complaints } = await play({ url: `file:${twice}`, realTime: true });
    expect({ pictures: pictures.length, complaints }).toEqual({ pictures: 6, complaints: [] });
  });

  it('reports the first packets alone, and goes on with pictures', async () => {
    const { packets, pictures } = await play({ packets: 'first', intervalSeconds: 0.1, url: `file:${long}` });
    expect(packets).toHaveLength(132);
    expect(pictures.at(-1)?.ptsSeconds).toBe(14);
  });

  it('leaves pictures that nobody took to be removed, and only those', async () => {
    const { pictures } = await play({});
    await removePictures(folder);
    const left = await readdir(folder);
    expect(left).toEqual(expect.arrayContaining([basename(clip), basename(picture)]));
    expect(left.filter((name) => pictures.some(({ file }) => basename(file) === name))).toEqual([]);
  });

  it('tells its complaints when it fails', async () => {
    const { complaints } = await play({ url: `file:${folder}/absent.mkv` });
    expect(complaints.join()).toContain('No such file');
  });

  it('is missed by name', async () => {
    vi.stubEnv('LOOKOUT_FFMPEG', '/no/such/ffmpeg');
    try {
      await expect(play({})).rejects.toMatchObject({ code: 'ffmpeg_missing' });
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it('lays a sheet over a picture', async () => {
    const rgba = new Uint8Array(320 * 180 * 4);
    const plain = await layOver(picture, { rgba, width: 320, height: 180 }, never);
    rgba.fill(255);
    const white = await layOver(picture, { rgba, width: 320, height: 180 }, never);
    expect([imageSize(plain), imageSize(white)]).toMatchObject([{ width: 320, height: 180 }, { width: 320, height: 180 }]);
    // Of one colour it takes but few bytes.
    expect(white.length).toBeLessThan(plain.length / 2);
  });

  it('takes pictures out of a video, and what there is of one that breaks off', async () => {
    const own = await mkdtemp(join(folder, '100%-'));
    expect(await picturesOf(clip, { everySeconds: 2, jpegQuality: 95 }, own, never)).toEqual([1, 2, 3].map((number) => join(own, `0000000${number}.jpg`)));
    expect(imageSize(await readFile(join(own, '00000003.jpg')))).toMatchObject({ width: 320, height: 180 });
    const torn = join(folder, 'torn.mkv');
    await writeFile(torn, (await readFile(clip)).subarray(0, 30_000));
    expect(await picturesOf(torn, { everySeconds: 0.1, jpegQuality: 95 }, await mkdtemp(join(folder, 'torn-')), never)).not.toEqual([]);
    await expect(picturesOf(join(folder, 'absent.mkv'), { everySeconds: 1, jpegQuality: 95 }, await mkdtemp(join(folder, 'none-')), never)).rejects.toThrow('No such file');
  });
});
