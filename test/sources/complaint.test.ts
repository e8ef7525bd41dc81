import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/errors.ts';
import { hideCredentials } from '../../src/lib/secrets.ts';
import { complaintError, silenceError } from '../../src/sources/ffmpeg/complaint.ts';

/** ffmpeg 5.1's last words, each from a real run. */
const RUNS: readonly (readonly [code: ErrorCode, ...words: string[]])[] = [
  ['stream_auth', 'method DESCRIBE failed: 401 Unauthorized', "Impossible to open 'rtsp://a:b@127.0.0.1:4040/x'", 'pipe:0: Server returned 401 Unauthorized (authorization failed)'],
  ['stream_auth', 'pipe:0: Server returned 403 Forbidden (access denied)'],
  ['stream_not_found', 'method DESCRIBE failed: 404 Not Found', "Impossible to open 'rtsp://a:b@127.0.0.1:4010/x'", 'pipe:0: Server returned 404 Not Found'],
  ['stream_not_found', 'method SETUP failed: 454 Session Not Found'],
  ['stream_connect', 'Connection to tcp://127.0.0.1:4010?timeout=20000000 failed: Connection refused', "Impossible to open 'rtsp://a:b@127.0.0.1:4010/404'", 'pipe:0: Connection refused'],
  ['stream_connect', 'Failed to resolve hostname camera.invalid: Name or service not known', 'pipe:0: Input/output error'],
  ['stream_connect', 'method DESCRIBE failed: 503 Service Unavailable'],
  ['stream_connect', 'Port missing in uri', 'pipe:0: Invalid argument'],
  ['stream_connect'],
  ['stream_codec', "Impossible to open 'rtsp://127.0.0.1:40100/x'", 'pipe:0: Invalid data found when processing input'],
  ['stream_codec', "Stream map '0:v:0' matches no streams."],
  ['stream_connect', 'method SETUP failed: 461 Unsupported transport', 'pipe:0: Invalid data found when processing input'],
  ['stream_codec', 'moov atom not found', 'pipe:0: Invalid data found when processing input'],
  ['stream_not_found', 'pipe:0: No such file or directory'],
];

describe('the error made of ffmpeg\'s last words', () => {
  it.each(RUNS)('is %s for "%s"', (code, ...words) => {
    expect(complaintError(words, false, 'tcp', hideCredentials)).toMatchObject({ code, message: expect.not.stringContaining('a:b@') as string });
    expect(complaintError(words, false, 'tcp', hideCredentials).message).toContain((words.find((line) => !line.startsWith('Impossible')) ?? '').replace('pipe:0: ', '').replace('?timeout=20000000', ''));
  });

  it('is the same before and after pictures had come when they cannot be written', () => {
    for (const connected of [false, true]) {
      expect(complaintError(['Slave muxer #0 failed, aborting.', 'av_interleaved_write_frame(): No space left on device'], connected, 'tcp', hideCredentials)).toMatchObject({
        code: 'ffmpeg_failed', message: expect.stringMatching(/^its pictures cannot be written: .*No space left on device$/) as string, cause: { code: 'ENOSPC' },
      });
    }
  });

  it.each([
    ['method SETUP failed: 461 Unsupported transport', 'the camera does not offer TCP: set "transport": "udp" in its options'],
    ["Stream map '0:v:0' matches no streams.", 'there is no video in it'],
    ["Stream map '0:v:1' matches no streams.", 'it has fewer videos than video_track says'],
    ['method PLAY failed: 454 Session Not Found', 'the camera has nothing to play: there is no video in it, or it has lost the session, as when it restarts'],
    ['method SETUP failed: 453 Not Enough Bandwidth', 'the camera has no bandwidth for one more viewer: end another one, or let it send less'],
    ['method DESCRIBE failed: 503 Service Unavailable', 'the camera is too busy, or still starting: it may have too many viewers'],
  ])('says of "%s" what to do', (words, said) => {
    expect(complaintError([words], false, 'tcp', hideCredentials).message).toBe(`${said}: ${words}`);
  });

  it('names the transport that is left', () => {
    expect(complaintError(['method SETUP failed: 461 Unsupported transport'], false, 'udp', hideCredentials).message).toContain('does not offer UDP: set "transport": "tcp"');
  });

  it.each([
    ['once', ['method DESCRIBE failed: 404 Not Found', "Impossible to open 'rtsp://127.0.0.1/x'", 'pipe:0: Server returned 404 Not Found'], 'the camera does not know this path: method DESCRIBE failed: 404 Not Found'],
    ['at all', ["Impossible to open 'rtsp://127.0.0.1/x'", 'pipe:0: Invalid data found when processing input'], 'the stream is nothing ffmpeg can decode: Invalid data found when processing input'],
    ['in nothing but the address', ["Impossible to open 'rtsp://127.0.0.1/x'"], 'the stream ended'],
  ])('says what was said %s', (_how, words, message) => {
    expect(complaintError(words, false, 'tcp', hideCredentials).message).toBe(message);
  });

  it.each(RUNS)('is stream_ended once pictures had come, not %s', (_code, ...words) => {
    expect(complaintError(words, true, 'tcp', hideCredentials).code).toBe('stream_ended');
  });
});

describe('the error of a capture that fell silent', () => {
  const SILENT = 'no picture came: nothing for 15 s';

  it.each([
    [[], 'stream_stalled', SILENT],
    [['non-existing PPS 0 referenced', 'no frame!'], 'stream_stalled', `${SILENT}; ffmpeg says: no frame!`],
    [['[IMGUTILS @ 0x7ffd] Picture size 0x0 is invalid', 'Error while decoding stream #0:0: Invalid data found when processing input'], 'stream_codec', 'more than 2040 pixels wide or high'],
  ])('says what ffmpeg said: %j', (complaints, code, words) => {
    expect(silenceError(SILENT, complaints, 0, hideCredentials)).toMatchObject({ code, message: expect.stringContaining(words) as string });
  });
});
