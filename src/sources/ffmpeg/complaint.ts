/** ffmpeg's last words as one of our errors. */
import { LookoutError, type ErrorCode } from '../../errors.ts';
import { redact } from '../../lib/log.ts';

const MEANINGS: readonly (readonly [RegExp, ErrorCode, string])[] = [
  [/401|403|authorization failed|forbidden/i, 'stream_auth', 'the camera refused the user name or password'],
  [/404|not found|454/i, 'stream_not_found', 'the camera does not know this path'],
  [/connection refused|no route|unreachable|name or service|failed to resolve|timed out|connection reset|end of file|5\d\d /i, 'stream_connect', 'the camera could not be reached'],
  [/invalid data|could not find codec|unsupported|unknown format|no such filter|does not contain any stream|matches no streams/i, 'stream_codec', 'the stream is nothing ffmpeg can decode'],
  [/no such file/i, 'stream_not_found', 'the file does not exist'],
];

/** `connected`: pictures had come before it ended. */
export function complaintError(complaints: readonly string[], connected: boolean): LookoutError {
  const words = redact(complaints.slice(-3).join('; '));
  for (const [pattern, code, meaning] of MEANINGS) {
    if (complaints.some((line) => pattern.test(line)) && !connected) return new LookoutError(code, `${meaning}: ${words}`);
  }
  return new LookoutError(connected ? 'stream_ended' : 'stream_connect', `the stream ended${words ? `: ${words}` : ''}`);
}
