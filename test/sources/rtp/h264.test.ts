/** H.264 pictures out of RTP packets: whole, cut, lost, late. */
import { describe, expect, it } from 'vitest';
import { createH264 } from '../../../src/sources/rtp/h264.ts';
import { MOST_UNIT_BYTES, MOST_UNIT_PARTS } from '../../../src/sources/rtp/unit.ts';
import { annexB, bytesOf, fragments, measured, picture, rtp, unitsOf, type Sent } from './packets.ts';

const SPS = Buffer.from([0x67, 0x42, 0, 0x1f, 1]);
const PPS = Buffer.from([0x68, 0xce, 1]);
/** A first slice of a picture begins with a bit that is set. */
const slice = (header: number, length: number, first = 0x88): Buffer => Buffer.from([header, first, ...Array.from({ length }, (_, index) => index & 0xff)]);
const IDR = slice(0x65, 50);
const P = slice(0x41, 20);
const B = slice(0x01, 9);
const SECOND_SLICE = slice(0x41, 20, 0x48);

describe('a unit of H.264', () => {
  it('is put together of NAL units whole, aggregated and in fragments', () => {
    const stap = Buffer.concat([Buffer.from([0x78]), measured(SPS, PPS)]);
    const units = unitsOf(createH264([]), [...picture(0, 0, [stap, ...fragments(IDR, 7)]), ...picture(9, 3600, [P]), ...picture(10, 7200, [B])]);
    expect(units.map(bytesOf)).toEqual([annexB(SPS, PPS, IDR), annexB(P), annexB(B)]);
    expect(units).toMatchObject([
      { ptsSeconds: 0, key: true, reference: true, damaged: false, bytes: annexB(SPS, PPS, IDR).length },
      { ptsSeconds: 0.04, key: false, reference: true, damaged: false },
      { ptsSeconds: 0.08, key: false, reference: false, damaged: false },
    ]);
  });

  it('ends with its mark, or else where the next time begins', () => {
    const assembler = createH264([]);
    expect(unitsOf(assembler, picture(0, 0, [IDR]))).toHaveLength(1);
    const unmarked = [IDR, P, P].map((payload, index): Sent => ({ sequence: index, timestamp: index * 3600, payload }));
    expect(unitsOf(createH264([]), unmarked).map(bytesOf)).toEqual([annexB(IDR), annexB(P)]);
  });

  it('has what was sent before it as if it were a picture of its own', () => {
    const units = unitsOf(createH264([]), [...picture(0, 0, [SPS]), ...picture(1, 0, [PPS]), ...picture(2, 3600, [IDR]), ...picture(3, 7200, [P])]);
    expect(units.map(bytesOf)).toEqual([annexB(SPS, PPS, IDR), annexB(P)]);
    expect(units[0]).toMatchObject({ ptsSeconds: 0.04, damaged: false });
  });

  it('has all slices of a camera that marks each, once that is known', () => {
    const packets = [0, 1, 2].flatMap((index) => [
      ...picture(2 * index, index * 3600, [P]), ...picture(2 * index + 1, index * 3600, [SECOND_SLICE]),
    ]);
    expect(unitsOf(createH264([]), packets).map(bytesOf)).toEqual([annexB(P), annexB(SECOND_SLICE), annexB(P, SECOND_SLICE)]);
  });

  it('of two fields of one time is two units where both are marked', () => {
    expect(unitsOf(createH264([]), [...picture(0, 0, [IDR]), ...picture(1, 0, [P]), ...picture(2, 0, [P])])).toHaveLength(3);
  });

  it.each([
    ['a recovery point that is one at once', [0x06, 0x06, 0x01, 0xc4, 0x80], true],
    ['one after other information', [0x06, 0x05, 0x05, 0, 0, 3, 1, 2, 3, 0x06, 0x01, 0x80, 0x80], true],
    ['a recovery point after some pictures', [0x06, 0x06, 0x01, 0x2c, 0x80], false],
    ['other information', [0x06, 0x01, 0x02, 0x80, 0x80, 0x80], false],
    ['information cut short', [0x06, 0x06], false],
    ['information without end', [0x06, ...Array<number>(300).fill(0xff)], false],
  ])('with %s: key', (_what, sei, key) => {
    expect(unitsOf(createH264([]), picture(0, 0, [Buffer.from(sei), P]))).toMatchObject([{ key, damaged: false }]);
  });
});

describe('what was lost', () => {
  const pictures = [...picture(0, 0, [SPS, PPS, ...fragments(IDR, 10)]), ...picture(8, 3600, fragments(P, 10)), ...picture(11, 7200, [P]), ...picture(12, 10_800, [SPS, PPS, ...fragments(IDR, 10)])];
  const without = (...lost: readonly number[]): readonly Sent[] => pictures.filter(({ sequence }) => !lost.includes(sequence));
  const damaged = (packets: readonly Sent[]): readonly boolean[] => unitsOf(createH264([]), packets).map((unit) => unit.damaged);

  it('is nothing of what is whole', () => {
    expect(damaged(pictures)).toEqual([false, false, false, false]);
  });

  it.each([
    ['a fragment in the middle', [4], [true, true, false, false]],
    ['the last packet, with the mark', [7], [true, true, false, false]],
    ['the first packet of a picture, of which nothing is left, and what refers to it', [8], [false, true, false]],
    ['the first packet of a picture, and all before a key frame', [8, 11], [false, false]],
    ['the middle of a picture, and what refers to it', [9], [false, true, true, false]],
    ['a whole picture, which others refer to', [8, 9, 10], [false, true, false]],
    ['all before a key frame', [11], [false, false, false]],
    ['the beginning of a key frame', [14], [false, false, false]],
  ])('%s', (_what, lost, expected) => {
    expect(damaged(without(...lost))).toEqual(expected);
  });

  it('comes too late, and is let go', () => {
    const [a, b, c, ...rest] = pictures;
    if (!a || !b || !c) throw new Error('too few');
    const units = unitsOf(createH264([]), [a, c, b, ...rest]);
    expect(units.map((unit) => unit.damaged)).toEqual([true, true, false, false]);
    expect(units.map(bytesOf)[0]).toEqual(annexB(SPS, IDR));
  });

  it('comes twice, and is taken once', () => {
    const units = unitsOf(createH264([]), pictures.flatMap((one) => [one, one]));
    expect(units.map(bytesOf)).toEqual([annexB(SPS, PPS, IDR), annexB(P), annexB(P), annexB(SPS, PPS, IDR)]);
    expect(units.every((unit) => !unit.damaged)).toBe(true);
  });

  it.each([
    ['lengths that lie', Buffer.concat([Buffer.from([0x78]), measured(P), Buffer.from([0xff, 0xff, 1])]), true],
    ['nothing in it', Buffer.from([0x78]), false],
    ['a kind that nobody knows', Buffer.from([0x1e, 1, 2]), false],
  ])('is seen by %s', (_what, payload, expected) => {
    expect(unitsOf(createH264([]), [...picture(0, 0, [P, payload, P]), ...picture(3, 3600, [P])]).map((unit) => unit.damaged)).toEqual([expected, false]);
  });
});

describe('what is packed a little wrong, and nothing of it lost,', () => {
  const CODE = Buffer.from([0, 0, 0, 1]);
  const joined = Buffer.concat([SPS, CODE, PPS, CODE.subarray(1), IDR]);
  const coded = (nal: Buffer): Buffer => Buffer.concat([CODE, nal]);
  const endless = (nal: Buffer): readonly Buffer[] => fragments(nal, 7).map((piece) => Buffer.concat([piece.subarray(0, 1), Buffer.from([piece.readUInt8(1) & ~0x40]), piece.subarray(2)]));
  const padded = (...filling: readonly number[]): Buffer => Buffer.concat([Buffer.from([0x78]), measured(SPS, PPS), Buffer.from(filling)]);

  it.each<[string, readonly Buffer[]]>([
    ['all in one NAL unit', [joined]],
    ['all in one NAL unit, in fragments', fragments(joined, 40)],
    ['with start codes', [SPS, PPS, IDR].map(coded)],
    ['with start codes, in fragments', [coded(SPS), coded(PPS), ...fragments(coded(IDR), 7)]],
    ['with no fragment that is the last', [SPS, PPS, ...endless(IDR)]],
    ['aggregated, with a byte behind', [padded(7), IDR]],
    ['aggregated, with zeros behind', [padded(0, 0, 0, 0, 0), IDR]],
  ])('is put together: %s', (_what, payloads) => {
    const units = unitsOf(createH264([]), [...picture(0, 0, payloads), ...picture(payloads.length, 3600, [P]), ...picture(payloads.length + 1, 7200, endless(P)), ...picture(payloads.length + 4, 10_800, [P]), ...picture(payloads.length + 5, 14_400, [P])]);
    expect(units.slice(0, 4).map(bytesOf)).toEqual([annexB(SPS, PPS, IDR), annexB(P), annexB(P), annexB(P)]);
    expect(units.map(({ key, damaged }) => ({ key, damaged })).slice(0, 2)).toEqual([{ key: true, damaged: false }, { key: false, damaged: false }]);
    expect(units.every(({ damaged }) => !damaged)).toBe(true);
  });

  it('is known for a key picture that begins in a later fragment of what came before', () => {
    const units = unitsOf(createH264([]), [...picture(0, 0, fragments(Buffer.concat([Buffer.from([0x06, 0x05, 0x01, 7, 0x80]), CODE, joined]), 10)), ...picture(20, 3600, [P])]);
    expect(units).toMatchObject([{ key: true, damaged: false }, { key: false }]);
  });

  it('is put together where every packet is marked', () => {
    const marked = [...picture(0, 0, [SPS, PPS, ...fragments(IDR, 10)]), ...picture(8, 3600, fragments(P, 10)), ...picture(11, 7200, [P])].map((one) => ({ ...one, marker: true }));
    const units = unitsOf(createH264([]), marked);
    expect(units.map(bytesOf)).toEqual([annexB(SPS, PPS, IDR), annexB(P), annexB(P)]);
    expect(units.every(({ damaged }) => !damaged)).toBe(true);
  });

  it('is damaged as any other where something of it was lost', () => {
    const lost = (at: number): readonly boolean[] => unitsOf(createH264([]), [...picture(0, 0, endless(IDR)).filter(({ sequence }) => sequence !== at), ...picture(8, 3600, [P]), ...picture(9, 7200, [P])]).map(({ damaged }) => damaged);
    for (const at of [0, 3, 7]) expect(lost(at)[0], `packet ${at}`).toBe(true);
  });
});

describe('times and numbers', () => {
  it('go on over the end of their bits, and back where pictures are shown in another order', () => {
    const last = 2 ** 32;
    const packets = [-7200, -3600, 0, 3600, 0].map((time, index): Sent => ({ sequence: 0xfffe + index, timestamp: (last + time) % last, marker: true, payload: P }));
    const units = unitsOf(createH264([]), packets);
    expect(units.map(({ ptsSeconds }) => Math.round(ptsSeconds * 1000))).toEqual([0, 40, 80, 120, 80]);
    expect(units.every(({ damaged }) => !damaged)).toBe(true);
  });

  it('begin anew with a sender that does', () => {
    const units = unitsOf(createH264([]), [60_000, 60_001, 40_000, 40_001, 40_002].map((sequence, index): Sent => ({ sequence, timestamp: index * 3600, marker: true, payload: P })));
    expect(units.map(({ damaged }) => damaged)).toEqual([false, false, true, false]);
  });

  it('are read behind contributors, an extension and before filling', () => {
    const plain = rtp({ sequence: 0, marker: true, payload: P });
    const full = Buffer.concat([plain.subarray(0, 12), Buffer.alloc(8), Buffer.from([0xbe, 0xde, 0, 1, 1, 2, 3, 4]), P, Buffer.from([0, 0, 3])]);
    full[0] = 0x80 | 0x20 | 0x10 | 2;
    expect(unitsOf(createH264([]), [full]).map(bytesOf)).toEqual([annexB(P)]);
    for (let length = 0; length < full.length; length += 1) unitsOf(createH264([]), [full.subarray(0, length)]);
  });
});

describe('parameter sets', () => {
  it('are those of the description until the stream brings its own', () => {
    const assembler = createH264([SPS, PPS]);
    expect(assembler.parameterSets()).toEqual(annexB(SPS, PPS));
    const [other, second] = [Buffer.from([0x67, 0x4d, 0, 0x1f, 2]), Buffer.from([0x68, 0xee, 2])];
    unitsOf(assembler, [...picture(0, 0, [other, PPS, second, IDR]), ...picture(4, 3600, [P])]);
    expect(assembler.parameterSets()).toEqual(annexB(other, PPS, second));
    unitsOf(assembler, picture(0, 0, [other, PPS, IDR]));
    expect(assembler.parameterSets()).toEqual(annexB(other, PPS));
  });
});

describe('memory', () => {
  it.each([
    ['a picture that is too large', Buffer.alloc(65_000, 1), Math.ceil(MOST_UNIT_BYTES / 65_000)],
    ['a picture of too many pieces', Buffer.alloc(3, 1), MOST_UNIT_PARTS],
  ])('ends with %s', (_what, payload, packets) => {
    payload[0] = 0x7c;
    payload[1] = 0x01;
    const all = Array.from({ length: packets + 1 }, (_, sequence): Sent => ({ sequence, payload: sequence === 0 ? Buffer.from([0x7c, 0x81, 0x88]) : payload }));
    expect(() => unitsOf(createH264([]), all)).toThrow(expect.objectContaining({ code: 'stream_codec', message: 'it sends pictures of more than 16 MB, or such as never end' }) as Error);
  });
});
