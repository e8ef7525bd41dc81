import { describe, expect, it } from 'vitest';
import { boundaryOf } from '../../../src/sources/http/kind.ts';
import { createSplitter, type Part } from '../../../src/sources/http/multipart.ts';

/** The parts of a body that comes in the chunks, each a millisecond after the one before. */
function split(chunks: readonly Buffer[], boundary = 'cut'): readonly Part[] {
  const parts: Part[] = [];
  const write = createSplitter(boundary, (part) => parts.push(part));
  chunks.forEach((chunk, index) => { write(chunk, index); });
  return parts;
}

function inChunksOf(size: number, bytes: Buffer): readonly Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size));
}

const bodies = [Buffer.from([0xff, 0xd8, 1, 2, 0xff, 0xd9]), Buffer.from('\r\n-second--cu\r\n\r\n-\xff', 'latin1'), Buffer.from('third')];
const texts = bodies.map((body) => body.toString('latin1'));

const WAYS: Readonly<Record<string, (body: Buffer) => string>> = {
  'with lengths': (body) => `--cut\r\nContent-Type: image/jpeg\r\nContent-Length: ${body.length}\r\n\r\n${body.toString('latin1')}\r\n`,
  'without lengths': (body) => `--cut\r\nContent-Type: image/jpeg\r\n\r\n${body.toString('latin1')}\r\n`,
  'with more dashes than the header has': (body) => `----cut\r\nContent-Type: image/jpeg\r\n\r\n${body.toString('latin1')}\r\n`,
  'with bare line feeds': (body) => `--cut\ncontent-length:${body.length}\n\n${body.toString('latin1')}\n`,
  'without any header': (body) => `--cut\r\n\r\n${body.toString('latin1')}\r\n`,
  'without a line end before the boundary': (body) => `--cut\r\nX: y\r\n\r\n${body.toString('latin1')}`,
};

describe('the splitter', () => {
  it.each(Object.keys(WAYS))('finds parts %s, wherever the chunks end', (way) => {
    const whole = Buffer.from(`preamble\r\n${bodies.map((body) => WAYS[way]?.(body)).join('')}--cut--\r\n`, 'latin1');
    for (let size = 1; size <= whole.length; size += 1) {
      expect(split(inChunksOf(size, whole)).map(({ body }) => body.toString('latin1'))).toEqual(texts);
    }
  });

  it('trusts a length more than a boundary that stands inside the picture', () => {
    const body = 'a--cut\r\n\r\nb';
    expect(split([Buffer.from(`--cut\r\nContent-Length: ${body.length}\r\n\r\n${body}\r\n--cut`)]).map((part) => part.body.toString())).toEqual([body]);
  });

  it('says when the first byte of a picture came', () => {
    const [part] = split(['--cut\r\nContent-Le', 'ngth: 4\r\n\r\n', 'ab', 'c', 'd\r\n--cut'].map((text) => Buffer.from(text)));
    expect(part).toMatchObject({ body: Buffer.from('abcd'), arrivedMs: 2 });
  });

  it('passes over parts without a body', () => {
    expect(split([Buffer.from('--cut\r\nContent-Length: 0\r\n\r\n\r\n--cut\r\n\r\n\r\n--cut\r\n\r\nx\r\n--cut')]).map(({ body }) => body.toString())).toEqual(['x']);
  });

  it.each([
    // With a smaller one in it, whose end is none, a longer scan than its first, and bytes that only look like markers.
    ['JPEG', '\r\n', 'ffd8ffe1000cffd8ffda0002ffd9ffc0000b080008000801011100ffda00080101000003f001ff0002ffd0ffffc40004aabbffda00080101000003f003ffd9'],
    ['PNG', '', '89504e470d0a1a0a0000000d49484452ffd90000494549454e0000000049454e44ae426082'],
  ])('takes a %s at its end, wherever the chunks end, though nothing comes after it', (_type, lead, hex) => {
    const picture = Buffer.from(hex, 'hex');
    const head = Buffer.from(`--cut\r\n\r\n${lead}`);
    for (let size = 1; size <= picture.length; size += 1) {
      expect(split([head, ...inChunksOf(size, picture)]).map(({ body }) => body.toString('hex'))).toEqual([hex]);
      expect(split([head, ...inChunksOf(size, picture.subarray(0, -1))])).toEqual([]);
    }
  });

  it('looks through what came but once, however small the pieces are and whatever they look like', () => {
    const write = createSplitter('cut', () => undefined);
    const began = performance.now();
    write(Buffer.from('--cut\r\n\r\n\xff\xd8\xff\xe0\0\x02', 'latin1'), 0);
    write(Buffer.alloc(2 ** 21, Buffer.from([0xff, 0])), 0);
    for (let index = 0; index < 2000; index += 1) write(Buffer.from([0xff, 0xd9]), 0);
    expect(performance.now() - began).toBeLessThan(3000);
  });

  it('holds no more than a part may be large', () => {
    const header = createSplitter('cut', () => undefined);
    header(Buffer.from('--cut\r\n'), 0);
    expect(() => { for (let i = 0; i < 100; i += 1) header(Buffer.alloc(1000, 'x'), 0); }).toThrow(/header has more than 8192 bytes/);
    const endless = createSplitter('cut', () => undefined);
    endless(Buffer.from('--cut\r\n\r\n'), 0);
    const megabyte = Buffer.alloc(1024 * 1024);
    expect(() => { for (let i = 0; i < 100; i += 1) endless(megabyte, 0); }).toThrow(/picture: it has more than 67108864 bytes/);
  });
});

it.each([
  ['multipart/x-mixed-replace; boundary=frame', 'frame'],
  ['multipart/x-mixed-replace;boundary="--my boundary"', 'my boundary'],
  ['Multipart/X-Mixed-Replace; charset=x; Boundary = --video boundary--', 'video'],
  ['multipart/x-mixed-replace; boundary=', null],
  ['multipart/x-mixed-replace; boundary=--', null],
  ['multipart/x-mixed-replace', null],
])('reads the boundary of %s', (type, boundary) => {
  expect(boundaryOf(type)).toBe(boundary);
});
