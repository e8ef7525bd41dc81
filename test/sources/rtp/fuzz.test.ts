/** Packets changed at random, the same way each time: whatever comes, units are made of it or not, and memory is bounded. */
import { describe, expect, it } from 'vitest';
import { LookoutError } from '../../../src/errors.ts';
import { createReader } from '../../../src/lib/rtsp-messages.ts';
import { createH264 } from '../../../src/sources/rtp/h264.ts';
import { createH265 } from '../../../src/sources/rtp/h265.ts';
import { createJpeg } from '../../../src/sources/rtp/jpeg.ts';
import { createReception } from '../../../src/sources/rtp/reception.ts';
import { MOST_UNIT_BYTES, type Assembler, type Unit } from '../../../src/sources/rtp/unit.ts';
import { filler, mutated, random } from '../../helpers/mutations.ts';
import { fragments, measured, PAYLOAD_TYPE, picture, rtp } from './packets.ts';

const ROUNDS = 3000;

const nal264 = (first: number, length: number): Buffer => Buffer.concat([Buffer.from([first, 0x88]), filler(length)]);
const nal265 = (type: number, length: number): Buffer => Buffer.concat([Buffer.from([type << 1, 1, 0x88]), filler(length)]);
const CAMERAS: Readonly<Record<string, readonly [() => Assembler, readonly Buffer[]]>> = {
  h264: [() => createH264([nal264(0x67, 6)]), [nal264(0x67, 9), nal264(0x68, 3), Buffer.from([6, 6, 1, 0x84, 0x80]), Buffer.concat([Buffer.from([0x78]), measured(nal264(0x67, 4), nal264(0x68, 2))]), ...fragments(nal264(0x65, 700), 200), nal264(0x41, 80)]],
  h265: [() => createH265([]), [nal265(32, 4), Buffer.concat([Buffer.from([96, 1]), measured(nal265(33, 9), nal265(34, 2))]), Buffer.from([98, 1, 0x93, 0x80, 1, 2]), Buffer.from([98, 1, 0x53, 3, 4]), nal265(1, 60)]],
  jpeg: [() => createJpeg(null), [Buffer.concat([Buffer.from([0, 0, 0, 0, 1, 255, 8, 8, 0, 0, 0, 64]), filler(200)]), Buffer.concat([Buffer.from([0, 0, 0, 136, 65, 60, 8, 8, 0, 4, 255, 255]), filler(90)])]],
};
/** What comes before the packet of a camera. */
const framed = (channel: number, packet: Buffer): Buffer => Buffer.concat([Buffer.from([0x24, channel, packet.length >> 8, packet.length & 0xff]), packet]);
const REPORT = Buffer.from(`80c80006${'00'.repeat(24)}81cb0001${'00'.repeat(4)}`, 'hex');

describe.each(Object.entries(CAMERAS))('%s', (_codec, [assembler, payloads]) => {
  it.each([1, 2, 3])('that is changed at random ends in words, or makes units of it (seed %i)', (seed) => {
    const next = random(seed);
    const units: Unit[] = [];
    let most = 0;
    let illegible = 0;
    const start = (): (bytes: Buffer) => void => {
      const reception = createReception({ payloadType: PAYLOAD_TYPE, clockRate: 90_000, packets: 0, reports: 1 }, assembler(), (unit) => {
        units.push(unit);
        most = Math.max(most, unit.bytes);
        expect(unit.bytes).toBe(unit.parts.reduce((sum, { length }) => sum + length, 0));
        expect(Number.isFinite(unit.ptsSeconds)).toBe(true);
      }, () => undefined);
      return createReader({
        packet: (bytes, from, to) => { reception.packet(bytes.readUInt8(from + 1), bytes, from + 4, to); },
        message: () => undefined,
        illegible: () => {
          illegible += 1;
          reception.lose();
        },
      });
    };
    let read = start();
    for (let round = 0; round < ROUNDS; round += 1) {
      const sent = picture(round * payloads.length, round * 3600, payloads).map((one) => framed(0, mutated(rtp(one), next)));
      const bytes = Buffer.concat([...sent, framed(1, mutated(REPORT, next))]);
      try {
        read(next() < 0.2 ? mutated(bytes, next) : bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(LookoutError);
        read = start();
      }
    }
    expect(units.length).toBeGreaterThan(ROUNDS / 4);
    expect(units.some(({ damaged }) => damaged)).toBe(true);
    expect(units.some(({ damaged }) => !damaged)).toBe(true);
    expect(illegible).toBeGreaterThan(0);
    expect(most).toBeLessThan(MOST_UNIT_BYTES);
  });
});
