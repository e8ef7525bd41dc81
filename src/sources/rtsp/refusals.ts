/** What it means that an RTSP camera refuses, in our codes and words: by status for our own client, by ffmpeg's words for ffmpeg. */
import { LookoutError, type ErrorCode } from '../../errors.ts';
import { shorten } from '../../lib/shorten.ts';
import type { StreamOptions } from '../../types.ts';

type Transport = StreamOptions['transport'];

export interface Refusal {
  /** Of the answer, as a pattern. */
  readonly status: string;
  /** To this request alone. */
  readonly method?: string;
  readonly code: ErrorCode;
  /** By how pictures were asked for. */
  readonly words: (transport: Transport) => string;
}

export const NOT_REACHED = 'the camera could not be reached';
export const ENDED_EARLY = 'the camera ended the connection before its first picture: it may be starting, or have too many viewers';
export const NO_VIDEO = 'there is no video in it';
export const FEWER_VIDEOS = 'it has fewer videos than video_track says';
const REFUSED_TRANSPORT = '461';

/** The first that fits. */
export const REFUSALS: readonly Refusal[] = [
  { status: '401', code: 'stream_auth', words: () => 'the camera refused the user name or password' },
  { status: '403', code: 'stream_auth', words: () => 'the camera forbids it: its address may need a user name and password, or another one than it has' },
  { status: REFUSED_TRANSPORT, code: 'stream_connect', words: (transport) => `the camera does not offer ${transport.toUpperCase()}: set "transport": "${transport === 'tcp' ? 'udp' : 'tcp'}" in its options` },
  // Nothing was set up that could be played, or not any more.
  { status: '45[45]', method: 'PLAY', code: 'stream_codec', words: () => `the camera has nothing to play: ${NO_VIDEO}, or it has lost the session, as when it restarts` },
  { status: '453', code: 'stream_connect', words: () => 'the camera has no bandwidth for one more viewer: end another one, or let it send less' },
  { status: '503', code: 'stream_connect', words: () => 'the camera is too busy, or still starting: it may have too many viewers' },
  { status: '404|454', code: 'stream_not_found', words: () => 'the camera does not know this path' },
  { status: '5\\d\\d', code: 'stream_connect', words: () => NOT_REACHED },
];

/** What our own client does not do; ffmpeg may. */
export class Unsupported extends LookoutError {}

/** `answer`: the first line of it. */
export function refusalError(method: string, status: number, answer: string, hide: (text: string) => string): LookoutError {
  const refusal = REFUSALS.find((one) => new RegExp(`^(${one.status})$`).test(String(status)) && (one.method ?? method) === method);
  const said = `it answered ${method} with ${shorten(hide(answer.replace(/^\S+ +/, '').replace(/\p{Cc}/gu, ' ').trim()), 100)}`;
  const [code, message] = refusal ? [refusal.code, `${refusal.words('tcp')}: ${said}`] as const : ['stream_connect', `the camera refuses: ${said}`] as const;
  return refusal?.status === REFUSED_TRANSPORT ? new Unsupported(code, message) : new LookoutError(code, message);
}
