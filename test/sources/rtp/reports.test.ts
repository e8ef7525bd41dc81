/** Reports of senders, and those that are sent to them. */
import { expect, it } from 'vitest';
import { createH264 } from '../../../src/sources/rtp/h264.ts';
import { createReception } from '../../../src/sources/rtp/reception.ts';
import { createClockOffset, readReports, receiverReport } from '../../../src/sources/rtp/reports.ts';
import { rtp } from './packets.ts';

const MS = Date.UTC(2026, 0, 2, 3, 4, 5, 500);

function senderReport(ms: number): Buffer {
  const bytes = Buffer.alloc(28);
  bytes.set([0x80, 200, 0, 6]);
  bytes.writeUInt32BE(Math.floor(ms / 1000) + 2_208_988_800, 8);
  bytes.writeUInt32BE(((ms % 1000) / 1000) * 2 ** 32, 12);
  return bytes;
}
const goodbye = Buffer.from([0x81, 203, 0, 1, 0, 0, 0, 7]);
const read = (bytes: Buffer): ReturnType<typeof readReports> => readReports(bytes, 0, bytes.length);

it('the camera\'s time and its goodbye are read in one packet', () => {
  const { sent, bye } = read(Buffer.concat([senderReport(MS), goodbye]));
  expect(sent?.sentMs).toBeCloseTo(MS, 3);
  expect(bye).toBe(true);
  expect(read(senderReport(MS))).toMatchObject({ bye: false });
});

it('one that does not know the time says none', () => {
  expect(read(senderReport(-2_208_988_800_000))).toEqual({ sent: null, bye: false });
});

it('garbage is nothing', () => {
  const whole = Buffer.concat([senderReport(MS), goodbye]);
  for (let length = 0; length < 28; length += 1) expect(read(whole.subarray(0, length))).toEqual({ sent: null, bye: false });
  expect(read(Buffer.alloc(40, 0xff))).toEqual({ sent: null, bye: false });
});

it('the clock is as far ahead as the report that was quickest says, of the last ten', () => {
  const offset = createClockOffset();
  expect(offset.milliseconds()).toBeNull();
  const late = [900, 30, ...Array<number>(8).fill(200)];
  for (const ms of late) offset.came(MS + 5000, MS + ms);
  expect(offset.milliseconds()).toBe(4970);
  offset.came(MS + 5000, MS + 200);
  offset.came(MS + 5000, MS + 200);
  expect(offset.milliseconds()).toBe(4800);
});

it('what is received on the channel of reports says how far ahead the camera is, and that it ends', () => {
  let goodbyes = 0;
  const reception = createReception({ payloadType: 96, clockRate: 90_000, packets: 4, reports: 5 }, createH264([]), () => undefined, () => { goodbyes += 1; });
  const came = (channel: number, bytes: Buffer): void => { reception.packet(channel, bytes, 0, bytes.length); };
  came(4, senderReport(Date.now() + 9000));
  expect(reception.clockOffsetMs()).toBeNull();
  expect(reception.report()).toBeNull();
  came(4, rtp({ sequence: 3, payload: Buffer.from([0x41, 0x88, 1]) }));
  came(5, senderReport(Date.now() + 9000));
  expect(Math.abs((reception.clockOffsetMs() ?? NaN) - 9000)).toBeLessThan(500);
  expect(reception.report()?.readUInt32BE(8)).toBe(7);
  came(5, goodbye);
  expect(goodbyes).toBe(1);
});

it('what is reported has who, about whom, what came, and the sender\'s last report', () => {
  const bytes = receiverReport({ receiver: 1, sender: 2, highest: 65_536 + 3, lost: 4, last: { mark: 0x01020304, agoMs: 1500 } });
  expect(bytes.toString('hex')).toBe('81c90007' + '00000001' + '00000002' + '00000004' + '00010003' + '00000000' + '01020304' + '00018000' + '81ca0003' + '00000001' + '01046c6f6f6b0000');
});
