/** What cameras do wrong, by name. */
import { randomFillSync } from 'node:crypto';
import { LookoutError } from '../errors.ts';
import { challenge } from './digest.ts';
import type { Response } from './message.ts';
import type { PacketRule, Rules } from './relay.ts';
import { filled, numbered, onRtp, type Rtp, stamped } from './rtp.ts';

export interface Fault extends Rules {
  /** In words, after the camera's name. */
  readonly summary: string;
}

const SECOND = 90_000;
/** Of so many packets one is not as it should be. */
const SELDOM = 37;

export const FAULTS = {
  refuse: { summary: 'takes no connection', refuses: true },
  mute: { summary: 'takes connections and says nothing', answers: () => 'nothing' },
  401: refusal('DESCRIBE', { status: 401, headers: { 'WWW-Authenticate': challenge('0') } }, 'refuses the user name and password'),
  404: refusal('DESCRIBE', { status: 404 }, 'does not know its path'),
  453: refusal('SETUP', { status: 453 }, 'has no bandwidth for one more viewer'),
  454: refusal('PLAY', { status: 454 }, 'has forgotten the session when it is to play'),
  461: refusal('SETUP', { status: 461 }, 'does not offer the transport'),
  503: refusal('DESCRIBE', { status: 503 }, 'is too busy to describe its stream'),
  'redirect-port': redirect('sends its viewers to another port', ({ port, pathname }) => `rtsp://127.0.0.1:${port}${pathname}`),
  'redirect-host': redirect('sends its viewers to another host', ({ port, pathname }) => `rtsp://127.0.0.2:${port}${pathname}`),
  'reset-on-play': { summary: 'resets the connection when it is to play', answers: ({ method }) => (method === 'PLAY' ? 'reset' : undefined) },
  'play-unanswered': { summary: 'describes its stream and does not answer when it is to play', answers: ({ method }) => (method === 'PLAY' ? 'nothing' : undefined) },
  'play-empty': { summary: 'says that it plays and sends nothing', restarts: true, packets: () => () => [] },
  ends: { summary: 'ends each connection after 3 s', packets: () => (packet, sinceMs) => (sinceMs > 3000 ? 'cut' : [packet.bytes]) },
  'ends-at-once': { summary: 'ends each connection with its first packet', packets: () => () => 'cut' },
  stall: { summary: 'stops in mid-picture, with its connections open', limit: { bytes: 700, perSecond: 0 } },
  trickle: { summary: 'sends 200 bytes a second', limit: { bytes: 0, perSecond: 200 } },
  garbage: { summary: 'sends noise instead of pictures', packets: () => onRtp((rtp) => [filled(rtp, randomFillSync)]) },
  'half-key-frames': { summary: 'sends but the beginning of each key frame', packets: () => onRtp((rtp) => (rtp.continuesKeyFrame ? [] : [rtp.bytes])) },
  lost: { summary: 'loses packets', packets: () => seldom(() => []) },
  late: { summary: 'sends packets late', packets: () => late(30) },
  swapped: { summary: 'sends packets in the wrong order', packets: () => late(1) },
  'other-codec': { summary: 'goes over from H.264 to H.265', scene: { codec: 'h265' } },
  'other-size': { summary: 'goes over to pictures of another size', scene: { width: 480, height: 272 } },
  'other-rate': { summary: 'goes over to 5 pictures a second', scene: { fps: 5 } },
  'rare-key-frames': { summary: 'goes over to a key frame every 60 s', scene: { keyframe_seconds: 60 } },
  flood: {
    summary: 'says that it sends 10 pictures a second, and sends 60', restarts: true, scene: { fps: 60 },
    changes: (head, body) => [head, body === '' ? body : body.replace(/^a=framerate:.*\r\n/m, '').concat('a=framerate:10\r\n')],
  },
  'time-ahead': { summary: 'sets its clock an hour ahead', packets: () => shifted(3600) },
  'time-back': { summary: 'sets its clock back by 30 s', packets: () => shifted(-30) },
  'time-stands': { summary: 'sends time stamps that stand still', packets: () => onRtp((rtp) => [stamped(rtp, 12_345)]) },
  'time-wraps': { summary: 'sends time stamps and sequence numbers that begin anew at 0', restarts: true, packets: wrapped, changes: withoutPosition },
} as const satisfies Record<string, Fault>;

export type FaultName = `${keyof typeof FAULTS}`;

/** Throws `bad_request`, with all that there are. */
export function faultOf(name: string): Fault {
  if (Object.hasOwn(FAULTS, name)) return FAULTS[name as keyof typeof FAULTS];
  const list = Object.entries(FAULTS).map(([one, { summary }]) => `  ${one.padEnd(17)}${summary}\n`);
  throw new LookoutError('bad_request', `the demo camera has no fault '${name}'. It can be a camera that …\n${list.join('')}`);
}

function refusal(method: string, response: Response, summary: string): Fault {
  return { summary: `${summary} (${response.status})`, answers: (asked) => (asked.method === method ? response : undefined) };
}

function redirect(summary: string, location: (camera: URL) => string): Fault {
  return { summary, answers: ({ method, camera }) => (method === 'DESCRIBE' ? { status: 302, headers: { Location: location(camera) } } : undefined) };
}

function seldom(rule: (rtp: Rtp) => readonly Buffer[]): PacketRule {
  let packets = 0;
  return onRtp((rtp) => {
    packets += 1;
    return packets % SELDOM === 0 ? rule(rtp) : [rtp.bytes];
  });
}

/** Some come when that many others have come. */
function late(after: number): PacketRule {
  let kept: Buffer | null = null;
  let packets = 0;
  return onRtp(({ bytes }) => {
    packets += 1;
    if (packets % SELDOM === 0) {
      kept = bytes;
      return [];
    }
    if (kept === null || packets % SELDOM < after) return [bytes];
    const both = [bytes, kept];
    kept = null;
    return both;
  });
}

function shifted(seconds: number): PacketRule {
  return onRtp((rtp) => [stamped(rtp, rtp.timestamp + seconds * SECOND)]);
}

/** Soon after the client has begun to play. */
function wrapped(): PacketRule {
  let ahead: { readonly time: number; readonly packets: number } | null = null;
  return onRtp((rtp) => {
    ahead ??= { time: -5 * SECOND - rtp.timestamp, packets: -50 - rtp.sequence };
    return [numbered(stamped(rtp, rtp.timestamp + ahead.time), rtp.sequence + ahead.packets)];
  });
}

/** What a camera says of its first packet would give away that it was renumbered. */
function withoutPosition(head: string, body: string): readonly [string, string] {
  return [head.replace(/^rtp-info:.*\r\n/im, ''), body];
}
