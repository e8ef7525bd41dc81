/** JPEGs out of RTP packets: files that decode to what was sent. */
import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from 'vitest';
import { measure } from '../../../src/lib/jpeg.ts';
import { tablesOf } from '../../../src/sources/rtp/jpeg-head.ts';
import { createJpeg } from '../../../src/sources/rtp/jpeg.ts';
import { hasPeer } from '../../helpers/shared.ts';
import { bytesOf, picture, unitsOf, type Sent } from './packets.ts';

const ffmpeg = (args: readonly string[], input?: Buffer): Buffer => execFileSync('ffmpeg', ['-loglevel', 'error', ...args], { input, maxBuffer: 1e9 });
const encoded = (...more: readonly string[]): Buffer => ffmpeg([
  '-f', 'lavfi', '-i', 'testsrc2=s=640x360', '-frames:v', '1', '-c:v', 'mjpeg', '-huffman', 'default', '-pix_fmt', 'yuvj420p', '-q:v', '3', ...more, '-f', 'image2pipe', 'pipe:1',
]);
const pixelsOf = (jpeg: Buffer): string => ffmpeg(['-f', 'mjpeg', '-i', 'pipe:0', '-f', 'md5', 'pipe:1'], jpeg).toString();

/** The first segment of this kind, without its marker and length. */
function segment(jpeg: Buffer, kind: number): Buffer | null {
  for (let at = 2; at + 4 < jpeg.length && jpeg[at + 1] !== 0xda; at += 2 + jpeg.readUInt16BE(at + 2)) {
    if (jpeg[at + 1] === kind) return jpeg.subarray(at + 4, at + 2 + jpeg.readUInt16BE(at + 2));
  }
  return null;
}

interface Ways {
  readonly quality: number;
  /** null: they came before. */
  readonly tables: Buffer | null;
  readonly most?: number;
  readonly size?: readonly [number, number];
}

/** As a camera sends it. */
function payloadsOf(jpeg: Buffer, { quality, tables, most = 1400, size = [640 / 8, 360 / 8] }: Ways): readonly Buffer[] {
  const scan = jpeg.indexOf(Buffer.from([0xff, 0xda]));
  const data = jpeg.subarray(scan + 2 + jpeg.readUInt16BE(scan + 2), jpeg.length - 2);
  const restart = segment(jpeg, 0xdd);
  const kind = (segment(jpeg, 0xc0)?.[7] === 0x22 ? 1 : 0) + (restart ? 64 : 0);
  const payloads: Buffer[] = [];
  for (let at = 0; at < data.length; at += most) {
    payloads.push(Buffer.concat([
      Buffer.from([0, at >> 16, (at >> 8) & 0xff, at & 0xff, kind, quality, ...size]),
      restart ? Buffer.concat([restart, Buffer.from([0xff, 0xff])]) : Buffer.alloc(0),
      at === 0 && quality >= 128 ? Buffer.concat([Buffer.from([0, 0, 0, tables?.length ?? 0]), tables ?? Buffer.alloc(0)]) : Buffer.alloc(0),
      data.subarray(at, at + most),
    ]));
  }
  return payloads;
}

/** The only table, for both. */
const tableOf = (jpeg: Buffer): Buffer => (segment(jpeg, 0xdb) ?? Buffer.alloc(65)).subarray(1, 65);

/** GStreamer's, to its output: each packet with its length before it. */
const SENDER = `
import gi, sys
gi.require_version("Gst", "1.0")
from gi.repository import Gst
Gst.init(None)
line = Gst.parse_launch(f"videotestsrc num-buffers=2 ! video/x-raw,format={sys.argv[1]},width=320,height=240 ! jpegenc ! rtpjpegpay pt=96 ! rtpstreampay ! fdsink fd=1")
line.set_state(Gst.State.PLAYING)
line.get_bus().timed_pop_filtered(10 * Gst.SECOND, Gst.MessageType.EOS)
line.set_state(Gst.State.NULL)`;

let plain: Buffer;
beforeAll(() => { plain = encoded(); });

describe('a JPEG', () => {
  it.each([
    ['without restarts', []],
    ['with restarts', ['-slices', '8', '-threads', '4', '-thread_type', 'slice']],
  ])('%s decodes to the pixels that were sent', (what, more) => {
    const jpeg = more.length > 0 ? encoded(...more) : plain;
    expect(segment(jpeg, 0xdd) !== null).toBe(what === 'with restarts');
    const units = unitsOf(createJpeg(null), picture(0, 0, payloadsOf(jpeg, { quality: 255, tables: tableOf(jpeg) })));
    expect(units).toMatchObject([{ key: true, reference: true, damaged: false }]);
    const [file] = units.map(bytesOf);
    if (!file) throw new Error('no unit');
    expect(measure(file)).toMatchObject({ type: 'jpg', width: 640, height: 360 });
    expect(pixelsOf(file)).toBe(pixelsOf(jpeg));
  });

  it('of a quality has the tables that the standard has for it', () => {
    expect(tablesOf(50)?.subarray(0, 8)).toEqual(Buffer.from([16, 11, 12, 14, 12, 10, 16, 14]));
    expect(tablesOf(75)?.subarray(0, 8)).toEqual(Buffer.from([8, 6, 6, 7, 6, 5, 8, 7]));
    expect(tablesOf(75)?.subarray(64, 72)).toEqual(Buffer.from([9, 9, 9, 12, 11, 12, 24, 13]));
    expect(tablesOf(10)?.subarray(0, 4)).toEqual(Buffer.from([80, 55, 60, 70]));
    expect([tablesOf(0), tablesOf(100)]).toEqual([undefined, undefined]);
    expect([...tablesOf(1) ?? []].every((value) => value <= 255 && value > 0)).toBe(true);
    const jpeg = plain;
    const [file] = unitsOf(createJpeg(null), picture(0, 0, payloadsOf(jpeg, { quality: 75, tables: null }))).map(bytesOf);
    expect(segment(file ?? Buffer.alloc(0), 0xdb)?.subarray(1, 65)).toEqual(tablesOf(75)?.subarray(0, 64));
  });

  it('may have the tables of one before it', () => {
    const jpeg = plain;
    const first = payloadsOf(jpeg, { quality: 200, tables: tableOf(jpeg) });
    const units = unitsOf(createJpeg(null), [...picture(0, 0, first), ...picture(first.length, 3600, payloadsOf(jpeg, { quality: 200, tables: null }))]);
    expect(units.map(({ damaged }) => damaged)).toEqual([false, false]);
    expect(units.map(bytesOf)[1]).toEqual(units.map(bytesOf)[0]);
    // Nobody knows them.
    expect(unitsOf(createJpeg(null), picture(0, 0, payloadsOf(jpeg, { quality: 200, tables: null })))).toEqual([]);
    expect(unitsOf(createJpeg(null), [...picture(0, 0, first), ...picture(first.length, 3600, payloadsOf(jpeg, { quality: 255, tables: null }))])).toHaveLength(1);
  });

  it('that is too large for its packets has the size of the description, or ends the stream', () => {
    const jpeg = plain;
    const packets = picture(0, 0, payloadsOf(jpeg, { quality: 75, tables: null, size: [0, 0] }));
    const [file] = unitsOf(createJpeg({ width: 2560, height: 1440 }), packets).map(bytesOf);
    expect(measure(file ?? Buffer.alloc(0))).toMatchObject({ width: 2560, height: 1440 });
    expect(() => unitsOf(createJpeg(null), packets)).toThrow(/more than 2040 pixels wide or high/);
  });

  it('of which something was lost is damaged', () => {
    const jpeg = plain;
    const payloads = payloadsOf(jpeg, { quality: 75, tables: null });
    const next = picture(payloads.length, 3600, payloads);
    const damaged = (lost: number): readonly boolean[] => unitsOf(createJpeg(null), [...picture(0, 0, payloads).filter(({ sequence }) => sequence !== lost), ...next]).map((unit) => unit.damaged);
    expect(damaged(3)).toEqual([true, false]);
    expect(damaged(payloads.length - 1)).toEqual([true, false]);
    // What has no beginning is none.
    expect(damaged(0)).toEqual([false]);
  });

  it.skipIf(!hasPeer).each(['I420', 'Y42B'])('of another sender, whose colours are %s, decodes', (colours) => {
    const stream = execFileSync('/usr/bin/python3', ['-c', SENDER, colours]);
    const packets: Buffer[] = [];
    for (let at = 0; at < stream.length; at += 2 + stream.readUInt16BE(at)) packets.push(stream.subarray(at + 2, at + 2 + stream.readUInt16BE(at)));
    const units = unitsOf(createJpeg(null), packets);
    expect(units.map(({ damaged }) => damaged)).toEqual([false, false]);
    for (const file of units.map(bytesOf)) expect(measure(file)).toMatchObject({ width: 320, height: 240 });
    // It says so where it has to guess.
    expect(ffmpeg(['-xerror', '-f', 'mjpeg', '-i', 'pipe:0', '-f', 'null', 'pipe:1'], Buffer.concat(units.map(bytesOf)))).toHaveLength(0);
  });

  it('of garbage is none, or damaged', () => {
    const noise = (seed: number, length: number): Buffer => Buffer.from(Array.from({ length }, (_, index) => (seed * (index + 7) * 2_654_435_761) >>> 13));
    for (let seed = 1; seed < 300; seed += 1) {
      const packets: readonly Sent[] = [0, 1].map((index) => ({ sequence: index, marker: true, payload: noise(seed + index, seed % 60) }));
      unitsOf(createJpeg({ width: 8, height: 8 }), packets);
    }
  });
});
