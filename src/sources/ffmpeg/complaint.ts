/** ffmpeg's last words as one of our errors. */
import { LookoutError, type ErrorCode } from '../../errors.ts';
import { diskErrorIn } from '../../lib/ffmpeg-log.ts';
import type { StreamOptions } from '../../types.ts';
import { ENDED_EARLY, FEWER_VIDEOS, NOT_REACHED, NO_VIDEO, REFUSALS } from '../rtsp/refusals.ts';

type Transport = StreamOptions['transport'];

type Meaning = readonly [RegExp, ErrorCode, string | ((transport: Transport) => string)];

const MEANINGS: readonly Meaning[] = [
  [/authorization failed|forbidden/i, 'stream_auth', 'the camera refused the user name or password'],
  // Newer versions name it in the line after.
  [/0:v:[1-9]\d*'? (?:matches no streams|for option 'map')/i, 'stream_codec', FEWER_VIDEOS],
  [/matches no streams|does not contain any stream/i, 'stream_codec', NO_VIDEO],
  ...REFUSALS.map(({ status, method, code, words }): Meaning => [new RegExp(`${method === undefined ? '\\b' : `method ${method} failed: `}(${status}) `), code, words]),
  [/connection refused|no route|unreachable|name or service|failed to resolve|timed out|connection reset|end of file/i, 'stream_connect', NOT_REACHED],
  [/operation not permitted|cannot determine format/i, 'stream_connect', ENDED_EARLY],
  [/invalid data|could not find codec|unsupported|unknown format|no such filter/i, 'stream_codec', 'the stream is nothing ffmpeg can decode'],
  [/no such file/i, 'stream_not_found', 'the file does not exist'],
];

/** Takes a stream's secrets out of what is said of it. */
export type Hide = (text: string) => string;

/** `connected`: pictures had come before it ended; `transport`: how they were asked for. */
export function complaintError(complaints: readonly string[], connected: boolean, transport: Transport, hide: Hide): LookoutError {
  const refused = complaints.findIndex((line) => /^slave muxer/i.test(line));
  // With the line before it and the one after, of which one says why.
  if (refused >= 0) return new LookoutError('ffmpeg_failed', `its pictures cannot be written: ${hide(complaints.slice(Math.max(0, refused - 1), refused + 2).join('; '))}`, { cause: diskErrorIn(complaints) });
  const words = hide(reasons(complaints).slice(-3).join('; '));
  // A port or a path may read like a code.
  const said = complaints.map((line) => line.replace(/\w+:\/\/\S+/g, ''));
  for (const [pattern, code, meaning] of MEANINGS) {
    if (said.some((line) => pattern.test(line)) && !connected) return new LookoutError(code, `${typeof meaning === 'string' ? meaning : meaning(transport)}${words && `: ${words}`}`);
  }
  return new LookoutError(connected ? 'stream_ended' : 'stream_connect', `the stream ended${words ? `: ${words}` : ''}`);
}

/** What ffmpeg says because it ends, or is ended. */
const AFTERMATH = /immediate exit requested|operation not permitted|error initializing output stream|cannot determine format|error marking filters|error closing file|could not write header|dimensions not set|failed to set value|error parsing options|error opening output files: invalid/i;

/** ffmpeg is given the address in a list, about which it says once more what it said before: that counts where it is all. */
function reasons(said: readonly string[]): readonly string[] {
  const complaints = said.filter((line) => !AFTERMATH.test(line));
  const own = complaints.filter((line) => !/^(?:Impossible to open |pipe:0: )/.test(line));
  if (own.length === 0) return complaints.filter((line) => line.startsWith('pipe:0: ')).map((line) => line.replace('pipe:0: ', ''));
  // How long it waits is its own affair.
  return own.map((line) => line.replace(/(\btcp:\/\/[^\s?]*)\?\S*/, '$1'));
}

/** A capture that fell silent, of which ffmpeg had something to say; `damaged`: pictures that came last, none of them whole. */
export function silenceError(silent: string, complaints: readonly string[], damaged: number, hide: Hide): LookoutError {
  if (complaints.some((line) => /picture size 0x0 is invalid/i.test(line))) {
    return new LookoutError('stream_codec', `${silent}: its pictures are more than 2040 pixels wide or high, for which RTP has no words when they are JPEGs: let the camera send H.264, or smaller pictures`);
  }
  if (damaged > 0) return new LookoutError('stream_stalled', `${silent}; ${damaged} came damaged: packets are lost on the way, or the camera sends more than it or the network can bear: let it send less`);
  // What it says of its input's end is our doing.
  const words = hide(reasons(complaints.filter((line) => !line.startsWith('pipe:0: '))).slice(-1).join('; '));
  return new LookoutError('stream_stalled', words ? `${silent}; ffmpeg says: ${words}` : silent);
}
