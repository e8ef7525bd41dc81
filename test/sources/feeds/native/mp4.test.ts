/** MP4 of copied pictures, for browsers while they come and as files, as ffprobe and ffmpeg read it. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFragments, type Fragment } from '../../../../src/sources/feeds/host/tape/fragments.ts';
import { openClip } from '../../../../src/sources/feeds/native/clip.ts';
import { reorderingOf } from '../../../../src/sources/feeds/native/decode-times.ts';
import { headOf } from '../../../../src/sources/feeds/native/head.ts';
import type { Track } from '../../../../src/sources/feeds/native/mp4.ts';
import { clipOf, ffmpeg, hasLibav, makeClip, type Clip } from './clips.ts';

const SPACING = 3600;
/** Of a camera that has run for half a day. */
const BEGUN = 4_000_000_000;
const silent = (): void => undefined;

const KINDS = {
  'H.264': ['h264', ['-bf', '0', '-g', '10'], 'avc1'],
  'H.264 with B-frames': ['h264', ['-bf', '3', '-g', '10'], 'avc1'],
  'H.265 with B-frames': ['h265', ['-x265-params', 'log-level=none:pools=none:keyint=10:min-keyint=10:bframes=3:open-gop=0'], 'hvc1'],
} as const;

interface Sent {
  readonly file: string;
  readonly clip: Clip;
  readonly track: Track;
  /** Of each unit, in order of arrival. */
  readonly pts: readonly number[];
}

describe.skipIf(!hasLibav)('MP4 (missed where the binary of node-av is absent)', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lookout-mp4-'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  async function probe(file: string): Promise<{ readonly pts: readonly number[]; readonly keys: readonly number[]; readonly facts: Record<string, string> }> {
    const { stdout } = await promisify(execFile)('ffprobe', ['-v', 'error', '-show_entries', 'packet=pts,flags:stream=codec_tag_string,width,height,time_base', '-of', 'json', file]);
    const { packets, streams } = JSON.parse(stdout) as { packets: { pts: number; flags: string }[]; streams: Record<string, string>[] };
    return { pts: packets.map(({ pts }) => pts), keys: packets.flatMap(({ flags }, i) => (flags.startsWith('K') ? [i] : [])), facts: streams[0] ?? {} };
  }

  const made = new Map<keyof typeof KINDS, Promise<Sent>>();

  function send(kind: keyof typeof KINDS): Promise<Sent> {
    const sent = made.get(kind) ?? make(kind);
    made.set(kind, sent);
    return sent;
  }

  /** The display order comes out of ffmpeg, which is asked for it. */
  async function make(kind: keyof typeof KINDS): Promise<Sent> {
    const [codec, encoder] = KINDS[kind];
    const file = join(folder, `${kind}.mp4`);
    const format = codec === 'h264' ? 'h264' : 'hevc';
    const bytes = await ffmpeg(['-f', 'lavfi', '-i', 'testsrc2=s=162x96:r=25', '-frames:v', '30', '-pix_fmt', 'yuv420p', '-c:v', codec === 'h264' ? 'libx264' : 'libx265', '-preset', 'veryfast', ...encoder, '-video_track_timescale', '90000', '-f', 'mp4', '-y', file])
      .then(() => ffmpeg(['-i', file, '-c', 'copy', '-bsf:v', `${format}_mp4toannexb`, '-f', format, '-']));
    const pts = (await probe(file)).pts.map((time) => BEGUN + time);
    const clip = clipOf(codec, bytes);
    expect(pts).toHaveLength(clip.units.length);
    return { file, clip, pts, track: { codec, parameterSets: clip.parameterSets, width: 162, height: 96, reordering: reorderingOf(pts), spacing: SPACING } };
  }

  async function fragmentsOf({ clip, track, pts }: Sent): Promise<{ readonly head: Buffer; readonly fragments: readonly Fragment[] }> {
    const made = createFragments(track);
    const fragments: Fragment[] = [];
    for (const [i, { bytes, key }] of clip.units.entries()) {
      const fragment = made.write(bytes, pts[i] ?? NaN, key);
      expect(fragment === null).toBe(i === 0);
      if (fragment) fragments.push(fragment);
    }
    return { head: await headOf(track, silent), fragments };
  }

  const checksums = async (...args: readonly string[]): Promise<readonly string[]> => (await ffmpeg([...args, '-fps_mode', 'passthrough', '-f', 'framemd5', '-']))
    .toString().split('\n').filter((line) => /^\d/.test(line)).map((line) => line.split(',').at(-1)?.trim() ?? '');

  const kinds = Object.keys(KINDS) as (keyof typeof KINDS)[];

  it.each(kinds)('comes in a fragment for each picture of %s, and a viewer may begin with any key frame', async (kind) => {
    const sent = await send(kind);
    const { head, fragments } = await fragmentsOf(sent);
    expect(head.toString('latin1', 4, 8)).toBe('ftyp');
    expect(fragments).toHaveLength(sent.clip.units.length - 1);
    for (const { bytes } of fragments) expect(bytes.toString('latin1', 4, 8)).toBe('moof');
    expect(fragments.flatMap(({ key }, i) => (key ? [i] : []))).toEqual([0, 10, 20]);
    const file = join(folder, 'live.mp4');
    for (const from of [0, 10]) {
      await writeFile(file, Buffer.concat([head, ...fragments.slice(from).map(({ bytes }) => bytes)]));
      const { pts, keys, facts } = await probe(file);
      expect(facts).toMatchObject({ codec_tag_string: KINDS[kind][2], width: 162, height: 96, time_base: '1/90000' });
      expect(pts.map((time) => time - (pts[0] ?? NaN))).toEqual(sent.pts.slice(from, -1).map((time) => time - (sent.pts[from] ?? NaN)));
      expect(keys).toEqual([0, 10, 20].map((key) => key - from).filter((key) => key >= 0));
    }
    // The last picture is not there yet.
    const [shown, whole] = [await checksums('-i', file), await checksums('-i', sent.file)];
    expect(shown.filter((sum) => !whole.slice(10).includes(sum))).toEqual([]);
    expect(shown).toHaveLength(19);
  });

  it.each(kinds)('of %s is a file whose index stands first', async (kind) => {
    const sent = await send(kind);
    const file = join(folder, 'a: clip.mp4');
    const clip = await openClip(file, sent.track, silent);
    for (const [i, { bytes, key }] of sent.clip.units.entries()) await clip.write(bytes, sent.pts[i] ?? NaN, key);
    await clip.end();
    await clip.close();
    const bytes = await readFile(file);
    expect(bytes.indexOf('moov')).toBeLessThan(bytes.indexOf('mdat'));
    const { pts, facts } = await probe(file);
    expect(pts.map((time) => time - (pts[0] ?? NaN))).toEqual(sent.pts.map((time) => time - (sent.pts[0] ?? NaN)));
    expect(facts).toMatchObject({ codec_tag_string: KINDS[kind][2], width: 162, height: 96 });
    expect(await checksums('-i', file)).toEqual(await checksums('-i', sent.file));
  });

  it('says that it cannot be written', async () => {
    const { clip, track, pts } = await send('H.264');
    await expect(openClip(join(folder, 'no such folder', 'clip.mp4'), track, silent)).rejects.toMatchObject({ code: 'disk_failed' });
    const full = await openClip('/dev/full', track, silent).catch((error: unknown) => error);
    if (full instanceof Error) {
      expect(full).toMatchObject({ code: 'disk_full' });
      return;
    }
    const writer = full as Awaited<ReturnType<typeof openClip>>;
    await expect((async () => {
      for (let round = 0; round < 20; round += 1) for (const [i, { bytes, key }] of clip.units.entries()) await writer.write(bytes, (pts[i] ?? NaN) + round * 1_000_000, key);
      await writer.end();
    })()).rejects.toMatchObject({ code: 'disk_full' });
    await writer.close();
  });

  it('is begun and left a hundred times', async () => {
    const { bytes, parameterSets } = await makeClip('h264', 'testsrc2=s=64x48', 1, []);
    const track: Track = { codec: 'h264', parameterSets, width: 64, height: 48, reordering: 0, spacing: SPACING };
    await Promise.all(Array.from({ length: 100 }, async (_, i) => {
      expect((await headOf(track, silent)).length).toBeGreaterThan(100);
      const clip = await openClip(join(folder, `left-${i}.mp4`), track, silent);
      for (let picture = 0; picture < i % 3; picture += 1) await clip.write(bytes, picture * SPACING, true);
      await clip.close();
    }));
  });
});
