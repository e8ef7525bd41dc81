/** Small clips as cameras send them, unit by unit, and what ffmpeg makes of the same ones. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer, text } from 'node:stream/consumers';
import { ffmpegProgram } from '../../../../src/lib/ffmpeg-program.ts';
import { loadBinding } from '../../../../src/sources/feeds/native/binding.ts';
import type { Codec } from '../../../../src/sources/feeds/native/decoder.ts';

export const hasLibav = ((): boolean => {
  try {
    loadBinding();
    return true;
  } catch {
    return false;
  }
})();

export interface Unit {
  readonly bytes: Buffer;
  /** As its first slice says: IDR or IRAP. */
  readonly key: boolean;
  /** H.264: it has a recovery point. */
  readonly recovers: boolean;
  /** Others refer to it (H.264). */
  readonly reference: boolean;
}

export interface Clip {
  readonly codec: Codec;
  readonly bytes: Buffer;
  readonly parameterSets: Buffer;
  readonly units: readonly Unit[];
}

export async function ffmpeg(args: readonly string[], input?: Buffer): Promise<Buffer> {
  const child = spawn(ffmpegProgram(), ['-v', 'error', '-threads', '1', ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  // It may have what it needs before it has read all.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [out, complaints] = await Promise.all([buffer(child.stdout), text(child.stderr), child.exitCode ?? once(child, 'close')]);
  if (child.exitCode !== 0) throw new Error(`ffmpeg ${args.join(' ')}: ${complaints}`);
  return out;
}

const FORMATS = { h264: 'h264', h265: 'hevc', jpeg: 'mjpeg' } as const;

const made = new Map<string, Promise<Clip>>();

/** `picture`: a source of ffmpeg's and filters; `encoder`: options. Each is made once: its bytes are not to be changed. */
export function makeClip(codec: Codec, picture: string, pictures: number, encoder: readonly string[]): Promise<Clip> {
  const name = JSON.stringify([codec, picture, pictures, encoder]);
  const clip = made.get(name) ?? encode(codec, picture, pictures, encoder);
  made.set(name, clip);
  return clip;
}

async function encode(codec: Codec, picture: string, pictures: number, encoder: readonly string[]): Promise<Clip> {
  const library = { h264: ['libx264', '-preset', 'veryfast'], h265: ['libx265', '-preset', 'superfast'], jpeg: ['mjpeg'] }[codec];
  return clipOf(codec, await ffmpeg(['-f', 'lavfi', '-i', picture, '-frames:v', String(pictures), '-c:v', ...library, ...encoder, '-f', FORMATS[codec], '-']));
}

export function clipOf(codec: Codec, bytes: Buffer): Clip {
  const units: { parts: Buffer[]; types: number[]; isPicture: boolean; reference: boolean }[] = [];
  const sets = new Map<number, Buffer>();
  for (const nal of nalUnits(bytes)) {
    const header = nal.indexOf(1) + 1;
    const type = codec === 'h264' ? nal.readUInt8(header) & 0x1f : nal.readUInt8(header) >> 1 & 0x3f;
    const isSlice = codec === 'h264' ? type >= 1 && type <= 5 : type < 32;
    const isFirst = isSlice && (nal.readUInt8(header + (codec === 'h264' ? 1 : 2)) & 0x80) !== 0;
    let unit = units.at(-1);
    if (!unit || (unit.isPicture && (isFirst || !isSlice))) units.push(unit = { parts: [], types: [], isPicture: false, reference: false });
    unit.parts.push(nal);
    unit.types.push(type === 6 && codec === 'h264' && nal.readUInt8(header + 1) === 6 ? RECOVERY : type);
    unit.isPicture ||= isSlice;
    unit.reference ||= isSlice && (nal.readUInt8(header) & 0x60) !== 0;
    if (codec === 'h264' ? type === 7 || type === 8 : type >= 32 && type <= 34) sets.set(type, nal);
  }
  return {
    codec, bytes, parameterSets: Buffer.concat([...sets.values()]),
    units: units.map(({ parts, types, reference }) => ({
      bytes: Buffer.concat(parts), reference,
      key: types.some((type) => (codec === 'h264' ? type === 5 : type >= 16 && type <= 23)), recovers: types.includes(RECOVERY),
    })),
  };
}

const RECOVERY = -1;
const START = Buffer.from([0, 0, 1]);

/** With their start codes. */
function nalUnits(bytes: Buffer): readonly Buffer[] {
  const starts: number[] = [];
  for (let at = bytes.indexOf(START); at >= 0; at = bytes.indexOf(START, at + 3)) starts.push(at > 0 && bytes[at - 1] === 0 ? at - 1 : at);
  return starts.map((start, i) => bytes.subarray(start, starts[i + 1]));
}

/** One after the other, as three planes of 8 bits in the full range, colours halved both ways. */
export async function pixelsOf({ codec, bytes }: { readonly codec: Codec; readonly bytes: Buffer }, ...options: readonly string[]): Promise<Buffer> {
  return await ffmpeg([...options, '-f', FORMATS[codec], '-i', '-', '-fps_mode', 'passthrough', '-pix_fmt', 'yuvj420p', '-f', 'rawvideo', '-'], bytes);
}

/** The mean over all values; NaN for pictures of different sizes. */
export function difference(a: Buffer, b: Buffer): number {
  if (a.length !== b.length) return NaN;
  let sum = 0;
  for (let at = 0; at < a.length; at += 1) sum += Math.abs(a.readUInt8(at) - b.readUInt8(at));
  return sum / a.length;
}
