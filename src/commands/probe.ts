/** `lookout probe`: what a camera sends, what it would cost, and a picture, without a server. */
import { writeFile } from 'node:fs/promises';
import { probeStream } from '../capture/probe.ts';
import { LookoutError } from '../errors.ts';
import { createSources } from '../parts.ts';
import type { Probe } from '../types.ts';
import { isStreamUrl, STREAM_URL_IN_WORDS } from '../words/stream-url.ts';
import { prepareCommand, print, printJson, type CommandContext } from './context.ts';

export interface ProbeOptions {
  /** One JSON document instead of words. */
  readonly json: boolean;
  /** Where the picture goes; null: nowhere. */
  readonly picture: string | null;
}

/** Resolves with the exit code. Throws why nothing is to be seen. */
export async function probe(context: CommandContext, url: string, { json, picture }: ProbeOptions): Promise<number> {
  const { config, log } = await prepareCommand(context);
  if (!isStreamUrl(url)) throw new LookoutError('bad_request', `the address ${STREAM_URL_IN_WORDS}`);
  const sources = await createSources(config, log);
  try {
    const { jpeg, ...facts } = await probeStream({ url }, true, { config, sources }, context.signal);
    if (json) printJson(facts);
    else for (const line of inWords(facts, config.interval_seconds)) print(line);
    if (picture !== null && jpeg) {
      await writeFile(picture, jpeg);
      if (!json) print(`picture        in ${picture}`);
    }
    return 0;
  } finally {
    await Promise.all([...new Set(sources.values())].map((source) => source.close()));
  }
}

const CODECS: Readonly<Record<string, string>> = { h264: 'H.264', h265: 'H.265', jpeg: 'MJPEG' };

/** What is not known is not told. */
function inWords(facts: Omit<Probe, 'jpeg'>, interval: number): readonly string[] {
  const { engine, codec, width, height, frames_per_second, bits_per_second, key_frame_seconds, b_frames, damaged, clock_offset_seconds, capture_mode, picture_ms, first_picture_seconds } = facts;
  const told = (...parts: readonly (string | null | false)[]): string => parts.filter(Boolean).join(', ');
  return [
    ['video', told(codec !== null && (CODECS[codec] ?? codec), width !== null && height !== null && `${width} x ${height} pixels`, frames_per_second !== null && `${frames_per_second.toFixed(1)} pictures/s`, bits_per_second !== null && `${(bits_per_second / 1e6).toFixed(2)} Mbit/s`)],
    ['key frames', told(key_frame_seconds !== null && `every ${key_frame_seconds.toFixed(1)} s`, b_frames !== null && (b_frames ? 'with B-frames' : 'no B-frames'))],
    ['lost', damaged === null || damaged === 0 ? '' : `something of ${damaged} pictures`],
    ['clock', clock_offset_seconds === null ? '' : clockInWords(clock_offset_seconds)],
    ['captured', told(capture_mode, engine !== null && `by ${engine}`, picture_ms !== null && costInWords(capture_mode, picture_ms, interval))],
    ['first picture', `after ${first_picture_seconds.toFixed(1)} s`],
  ].filter(([, what]) => what !== '').map(([name = '', what = '']) => `${name.padEnd(14)} ${what}`);
}

function clockInWords(seconds: number): string {
  const by = Math.abs(seconds).toFixed(1);
  return by === '0.0' ? 'as this machine\'s' : `${by} s ${seconds < 0 ? 'behind' : 'ahead of'} this machine's`;
}

function costInWords(mode: string, ms: number, interval: number): string {
  const one = `${ms.toFixed(0)} ms of a processor for a key frame`;
  return mode === 'keyframes' ? `${one}: ${(ms / interval / 10).toFixed(1)} % of it at one every ${interval} s` : `${one}, and those between are decoded too`;
}
