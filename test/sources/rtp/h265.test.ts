/** H.265 pictures out of RTP packets. */
import { expect, it } from 'vitest';
import { createH265 } from '../../../src/sources/rtp/h265.ts';
import { annexB, bytesOf, measured, picture, unitsOf } from './packets.ts';

const nal = (type: number, ...bytes: readonly number[]): Buffer => Buffer.from([type << 1, 1, ...bytes]);
const [VPS, SPS, PPS] = [nal(32, 1), nal(33, 2, 2), nal(34, 3)];
const IDR = nal(19, 0x80, ...Array.from({ length: 40 }, (_, index) => index));
const [REFERENCE, DROPPABLE] = [nal(1, 0x80, 5, 6), nal(0, 0x80, 7)];

function fragments(whole: Buffer, most: number): readonly Buffer[] {
  const type = (whole.readUInt8(0) >> 1) & 0x3f;
  const pieces: Buffer[] = [];
  for (let at = 2; at < whole.length; at += most) {
    pieces.push(Buffer.concat([Buffer.from([49 << 1, 1, (at === 2 ? 0x80 : 0) | (at + most >= whole.length ? 0x40 : 0) | type]), whole.subarray(at, at + most)]));
  }
  return pieces;
}

it('units are put together of NAL units whole, aggregated and in fragments', () => {
  const assembler = createH265([]);
  const aggregated = Buffer.concat([Buffer.from([48 << 1, 1]), measured(VPS, SPS, PPS)]);
  const units = unitsOf(assembler, [...picture(0, 0, [aggregated, ...fragments(IDR, 6)]), ...picture(8, 3600, [REFERENCE]), ...picture(9, 7200, [DROPPABLE])]);
  expect(units.map(bytesOf)).toEqual([annexB(VPS, SPS, PPS, IDR), annexB(REFERENCE), annexB(DROPPABLE)]);
  expect(units).toMatchObject([{ key: true, reference: true, damaged: false }, { key: false, reference: true, damaged: false }, { key: false, reference: false, damaged: false }]);
  expect(assembler.parameterSets()).toEqual(annexB(VPS, SPS, PPS));
});

it('parameter sets of the description are there before any picture', () => {
  expect(createH265([PPS, VPS, SPS]).parameterSets()).toEqual(annexB(VPS, SPS, PPS));
});

it('a lost fragment is told', () => {
  const packets = picture(0, 0, fragments(IDR, 6)).filter(({ sequence }) => sequence !== 2);
  expect(unitsOf(createH265([]), [...packets, ...picture(7, 3600, fragments(IDR, 6))]).map(({ damaged }) => damaged)).toEqual([true, false]);
});
