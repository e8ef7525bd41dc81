/** RTSP taken apart, wherever its bytes are cut and whatever stands between its pieces. */
import { describe, expect, it } from 'vitest';
import { bytesOf, createReader, headersOf, statusOf, type Message } from '../../src/lib/rtsp-messages.ts';

const answer = (body = '', end = '\r\n'): Buffer => Buffer.from([`RTSP/1.0 200 OK`, 'CSeq: 2', `content-length: ${body.length}`, 'WWW-Authenticate: a', 'www-authenticate:b', '', body].join(end));
const packet = (channel: number, ...bytes: readonly number[]): Buffer => Buffer.from([0x24, channel, bytes.length >> 8, bytes.length & 0xff, ...bytes]);

interface Read {
  readonly pieces: readonly string[];
  readonly illegible: readonly string[];
}

/** Packets as hexadecimal numbers, messages as their body. */
function readAll(chunks: readonly Buffer[]): Read {
  const pieces: string[] = [];
  const illegible: string[] = [];
  const read = createReader({
    packet: (bytes, start, end) => { pieces.push(bytes.toString('hex', start, end)); },
    message: ({ start, headers, body }: Message) => {
      expect(statusOf({ start })).toBe(200);
      expect(headersOf({ headers }, 'www-authenticate')).toEqual(['a', 'b']);
      pieces.push(body.toString());
    },
    illegible: (why) => { illegible.push(why); },
  });
  for (const chunk of chunks) read(chunk);
  return { pieces, illegible };
}

const cutEvery = (bytes: Buffer, length: number): readonly Buffer[] => Array.from({ length: Math.ceil(bytes.length / length) }, (_, index) => bytes.subarray(index * length, (index + 1) * length));

describe('RTSP is read', () => {
  const all = Buffer.concat([answer(), packet(0, 0x80, 1, 2), packet(1), Buffer.from('\r\n'), answer('v=0\n\nRTSP'), answer('x', '\n'), packet(0, ...Array<number>(300).fill(0x24))]);
  const pieces = ['', '24000003800102', '24010000', 'v=0\n\nRTSP', 'x', `2400012c${'24'.repeat(300)}`];

  it.each([1, 2, 3, 4, 5, 7, 64, 1000])('in pieces of %i bytes', (length) => {
    expect(readAll(cutEvery(all, length))).toEqual({ pieces, illegible: [] });
  });

  it('at any cut', () => {
    for (let cut = 0; cut <= all.length; cut += 1) expect(readAll([all.subarray(0, cut), all.subarray(cut)])).toEqual({ pieces, illegible: [] });
  });

  it('on after what is none', () => {
    const noise = Buffer.from([1, 2, 0x24, 0, 0xff, 0xff, 3, 0x24, 200, 0, 1, 0x80]);
    const [first, last] = [packet(0, 0x80, 1), packet(1, 0x81, 2)];
    expect(readAll([first, noise, last]).pieces).toEqual(['240000028001', '240100028102']);
    expect(readAll([Buffer.concat([first, noise, last, answer('x')])]).pieces).toEqual(['240000028001', '240100028102', 'x']);
  });

  it.each([
    ['words without a line', 'ERROR '],
    ['a line without end', `${'RTSP/'.repeat(500)} `],
    ['an answer that breaks off', 'RTSP/1.0 200 OK\r\nContent-Length: x\r\n'],
    ['an answer that breaks off in its length', 'RTSP/1.0 200 OK\r\nContent-Length: '],
    ['a request that breaks off', 'GET_PARAMETER rtsp://camera/ RTSP/1.0\r\nContent-Length: 99999999\r\n'],
  ])('on after %s, with every packet and answer behind it', (_what, garbage) => {
    const one = packet(0, 0x80, ...Array<number>(1000).fill(0x41));
    const few = [Buffer.from(garbage), one, one, one, answer('x'), one];
    const named = [...Array<string>(3).fill(one.toString('hex')), 'x', one.toString('hex')];
    for (const length of [100, 1460, 10_000]) expect(readAll(cutEvery(Buffer.concat([...few, ...few]), length)).pieces).toEqual([...named, ...named]);
    // Without an end of its line or head before 64 kB.
    expect(readAll([Buffer.concat([Buffer.from(garbage), ...Array<Buffer>(70).fill(one)])]).pieces).toHaveLength(70);
  });

  it('on after a packet whose length lies', () => {
    const short = packet(0, 0x80, 1, 2, 3, 4, 5, 6, 7);
    short[3] = 4;
    const next = packet(0, 0x80, 9);
    expect(readAll([Buffer.concat([short, next])])).toEqual({ pieces: ['2400000480010203', '240000028009'], illegible: ['is no RTSP'] });
  });
});

it.each([
  ['another protocol', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), 'is no RTSP'],
  ['what only begins like it', Buffer.from('RTSP/x\r\n\r\n'), 'is no RTSP'],
  ['a head without end', Buffer.from(`RTSP/1.0 200 OK\r\nX: ${'x'.repeat(70_000)}`), 'has no end within 65536 bytes'],
  ['a body of no length', Buffer.from('RTSP/1.0 200 OK\r\nContent-Length: x\r\n\r\n'), 'says that it has NaN bytes'],
  ['a body without end', Buffer.from('RTSP/1.0 200 OK\r\nContent-Length: 99999999\r\n\r\n'), 'says that it has 99999999 bytes'],
  ['noise', Buffer.from([0, 1, 2, 3]), 'is no RTSP'],
])('%s is none', (_what, bytes, why) => {
  expect(readAll([bytes]).illegible[0]).toBe(why);
});

it('what comes byte by byte takes no more time than it takes to come', () => {
  const began = performance.now();
  expect(readAll(cutEvery(Buffer.concat([packet(0, ...Array<number>(60_000).fill(0x80)), answer('x'.repeat(200_000))]), 1)).pieces).toHaveLength(2);
  expect(performance.now() - began).toBeLessThan(5000);
});

it.each([
  ['lines that are no RTSP', 'RTSP/\n'.repeat(35_000)],
  ['a line without end', 'RTSP/'.repeat(40_000)],
  ['heads without end', 'RTSP/1.0 200 OK\n'.repeat(15_000)],
  ['words before each packet', 'A $\0\0\u0001\u0080'.repeat(50_000)],
  ['heads whose length comes last', `${'RTSP/1.0 200 OK\n'.repeat(4000)}Content-Length: ${'x'.repeat(1000)}\n\n`.repeat(4)],
  ['heads of no length', `${'RTSP/1.0 200 OK\nContent-Length: x\n'.repeat(1900)}\n`.repeat(5)],
])('what begins in many places is not looked through from each: %s', (_what, garbage) => {
  const began = performance.now();
  expect(readAll(cutEvery(Buffer.from(garbage, 'latin1'), 16_384)).illegible).not.toEqual([]);
  expect(performance.now() - began).toBeLessThan(2500);
});

it.each(['a\nb', 'a\rb', 'a\r\nb: c', '\u010a'])('no line is written that would be two: %j', (line) => {
  expect(() => bytesOf({ start: 'OPTIONS * RTSP/1.0', headers: [`X: ${line}`] })).toThrow('line break');
  expect(() => bytesOf({ start: `OPTIONS ${line} RTSP/1.0`, headers: [] })).toThrow('line break');
});
