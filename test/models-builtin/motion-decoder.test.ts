/** The warm decoder of models/motion: the same pixels as an ffmpeg for each picture, and never those of another. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { ffmpegProgram } from '../../src/lib/ffmpeg-program.ts';
import { clip } from '../helpers/shared.ts';
import { framesOf, paint } from './pictures.ts';

type Look = { readonly pixels: Uint8Array } | { readonly error: string };
interface Decoder {
  readonly over: boolean;
  ask(picture: Uint8Array): Promise<Uint8Array | null>;
  end(): void;
}
type Found = { readonly error: string } | readonly { readonly box: readonly number[] }[];

const load = (name: string): Promise<unknown> => import(new URL(`../../models/motion/${name}`, import.meta.url).href);
const { openPictures } = (await load('pictures.mjs')) as { openPictures: (size: object) => Promise<{ decode(files: readonly string[]): Promise<readonly Look[]> }> };
const { startDecoder } = (await load('decoder.mjs')) as { startDecoder: (size: object) => Promise<Decoder | null> };
const { standsAlone } = (await load('jpeg.mjs')) as { standsAlone: (jpeg: Uint8Array) => boolean };
const motion = (await load('motion.mjs')) as { setup(context: object): Promise<unknown>; predict(frames: readonly object[], options: object): Promise<readonly Found[]> };

const SIZE = { width: 160, height: 90 };
const work = mkdtempSync(join(tmpdir(), 'lookout-decoder-'));
const photograph = clip('dog.jpg');
const real = ffmpegProgram();

afterEach(() => {
  vi.unstubAllEnvs();
});
afterAll(() => {
  rmSync(work, { recursive: true });
});

/** A test picture with ffmpeg's own words for it. */
function make(name: string, size: string, ...words: readonly string[]): string {
  const file = join(work, name);
  execFileSync(real, ['-v', 'error', '-f', 'lavfi', '-i', `testsrc2=s=${size}`, '-frames:v', '1', '-q:v', '4', ...words, file]);
  return file;
}

function program(name: string, script: string): string {
  const file = join(work, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

let segments = 0;

/** The file with a segment put in behind its first two bytes. */
function withSegment(file: string, kind: number, body: string): string {
  const bytes = readFileSync(file);
  const head = Buffer.alloc(4);
  head.writeUInt16BE(0xff00 | kind);
  head.writeUInt16BE(body.length + 2, 2);
  segments += 1;
  const out = file.replace('.jpg', `-${segments}.jpg`);
  writeFileSync(out, Buffer.concat([bytes.subarray(0, 2), head, Buffer.from(body, 'latin1'), bytes.subarray(2)]));
  return out;
}

const turned = (orientation: number): string => `Exif\0\0MM\0*\0\0\0\b\0\x01\x01\x12\0\x03\0\0\0\x01\0${String.fromCharCode(orientation)}\0\0\0\0\0\0`;

/** Whole pictures of many kinds, in an order in which each follows one of another kind. */
function variety(): readonly string[] {
  const plain = make('plain.jpg', '640x480', '-pix_fmt', 'yuvj420p');
  return [
    plain,
    make('grey.jpg', '320x240', '-pix_fmt', 'gray'),
    make('large.jpg', '1920x1080', '-pix_fmt', 'yuvj420p'),
    withSegment(plain, 0xfe, 'CS=ITU601'),
    make('444.jpg', '641x361', '-pix_fmt', 'yuvj444p'),
    withSegment(plain, 0xe1, turned(3)),
    make('tables.jpg', '640x480', '-pix_fmt', 'yuvj422p', '-huffman', 'optimal'),
    make('defaults.jpg', '640x480', '-pix_fmt', 'yuvj422p', '-huffman', 'default'),
    withSegment(plain, 0xe1, turned(1)),
    make('other.png', '640x480'),
    paint(work, 'painted'),
    plain,
  ];
}

describe('the warm decoder', () => {
  async function expectSame(files: readonly string[]): Promise<void> {
    const warm = await (await openPictures(SIZE)).decode([...files, ...files.toReversed()]);
    vi.stubEnv('LOOKOUT_FFMPEG', program('cold', `case " $* " in *smjpeg*) exit 1;; esac\nexec '${real}' "$@"`));
    const cold = await (await openPictures(SIZE)).decode(files);
    for (const [index, one] of [...cold, ...cold.toReversed()].entries()) {
      if (!('pixels' in one)) throw new Error(one.error);
      expect({ ...warm[index] }, files[index]).toEqual({ pixels: Buffer.from(one.pixels) });
    }
  }

  it('gives the pixels that an ffmpeg for each picture gives, whatever came before', async () => {
    await expectSame(variety());
  });

  it.skipIf(!existsSync(photograph))('gives them of the photograph in ../shared/media too', async () => {
    expect(standsAlone(readFileSync(photograph))).toBe(true);
    await expectSame([paint(work, 'before'), photograph]);
  });

  it('tells a picture that is cut anywhere from a whole one', async () => {
    const whole = readFileSync(make('whole.jpg', '64x48', '-pix_fmt', 'yuvj420p'));
    expect(standsAlone(whole)).toBe(true);
    const decoder = await startDecoder(SIZE);
    for (let length = 0; length < whole.length; length += 1) expect(standsAlone(whole.subarray(0, length))).toBe(false);
    const scan = whole.indexOf(Buffer.of(0xff, 0xda)) + 14;
    for (let length = scan; length < whole.length - 200; length += 97) {
      const cut = Buffer.concat([whole.subarray(0, length), Buffer.of(0xff, 0xd9)]);
      expect(await decoder?.ask(cut), `${length}`).toBeNull();
    }
    expect(decoder?.over).toBe(false);
    expect(await decoder?.ask(whole)).toHaveLength(160 * 90);
    decoder?.end();
  });

  it('is not shown what it would keep in mind or would take from another picture', () => {
    const plain = make('kept.jpg', '64x48', '-pix_fmt', 'yuvj420p');
    const fine = [withSegment(plain, 0xfe, 'a comment'), withSegment(plain, 0xe1, turned(1))];
    const not = [withSegment(plain, 0xfe, 'CS=ITU601'), withSegment(plain, 0xe0, 'AVI1\0\0\0\0'), withSegment(plain, 0xe1, turned(6))];
    expect([...fine, ...not].map((file) => standsAlone(readFileSync(file)))).toEqual([true, true, false, false, false]);
    const bytes = readFileSync(plain);
    const tables = bytes.indexOf(Buffer.of(0xff, 0xc4));
    const without = Buffer.concat([bytes.subarray(0, tables), bytes.subarray(tables + 2 + bytes.readUInt16BE(tables + 2))]);
    expect(standsAlone(without)).toBe(false);
  });
});

describe('a decoder that is not to be trusted', () => {
  const fake = program('fake', `exec '${process.execPath}' '${fileURLToPath(new URL('stubs/decoder.mjs', import.meta.url))}'`);

  /** Its answers to words: each should be the word's last letter, or null. */
  async function answersTo(...words: readonly string[]): Promise<{ readonly answers: string; readonly over: boolean }> {
    vi.stubEnv('LOOKOUT_FFMPEG', fake);
    const decoder = await startDecoder(SIZE);
    if (decoder === null) throw new Error('the fake did not start');
    let answers = '';
    for (const word of words) answers += String.fromCharCode((await decoder.ask(Buffer.from(word)))?.[0] ?? 0x2d);
    const { over } = decoder;
    decoder.end();
    return { answers, over };
  }

  it('is not taken at a second word for one picture', async () => {
    expect(await answersTo('twice a', 'whole b', 'twice c', 'twice d', 'whole e')).toEqual({ answers: 'abcde', over: false });
  });

  it('is asked for the probe where a picture gives nothing, complaint or none, and the next is its own again', async () => {
    expect(await answersTo('nothing a', 'whole b', 'silence c', 'whole d')).toEqual({ answers: '-b-d', over: false });
  });

  it.each(['half', 'nonsense', 'hang'])('is given up at %s', async (word) => {
    expect(await answersTo('whole a', `${word} b`, 'whole c')).toEqual({ answers: 'a--', over: true });
  });

  it('is no decoder where it does not answer the probe', async () => {
    vi.stubEnv('LOOKOUT_FFMPEG', program('mute', 'exit 0'));
    expect(await startDecoder(SIZE)).toBeNull();
  });
});

describe('a clock that is set back', () => {
  const at = (stream: string, sequence: number, file: string, second: number): object => ({ ...framesOf([file], { stream, from: second })[0], sequence });
  const count = (found: readonly Found[]): readonly (number | string)[] => found.map((one) => ('error' in one ? one.error : one.length));

  it('does not blind the model where frames have a sequence, nor compare a batch that is tried again with its own end', async () => {
    const [still, left] = [paint(work, 'still'), paint(work, 'left', { squareAt: 200 })];
    await motion.setup({ options: {} });
    expect(count(await motion.predict([at('A', 7, still, 1000), at('B', 3, left, 2)], {}))).toEqual([0, 0]);
    const batch = [at('A', 8, left, 0), at('B', 4, left, 1), at('A', 9, still, 1)];
    expect(count(await motion.predict(batch, {}))).toEqual([1, 0, 1]);
    expect(count(await motion.predict(batch, {}))).toEqual([0, 0, 1]);
  });
});
