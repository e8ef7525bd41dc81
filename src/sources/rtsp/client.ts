/** Plays a camera's video over one RTSP connection, and makes units of its packets. */
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { LookoutError } from '../../errors.ts';
import { untilAborted } from '../../lib/abort.ts';
import { linked } from '../../lib/linked.ts';
import type { Bounds } from '../../lib/reach.ts';
import { headerOf, type Message } from '../../lib/rtsp-messages.ts';
import { hiderOf } from '../../lib/secrets.ts';
import { shorten } from '../../lib/shorten.ts';
import { expectPlace, uriOf, type StreamPlace } from '../../words/stream-place.ts';
import { dialInWords, type Caution } from '../network/dial.ts';
import { createIntake } from '../network/intake.ts';
import { FIRST_PICTURE_MS } from '../pictures/patience.ts';
import { createH264 } from '../rtp/h264.ts';
import { createH265 } from '../rtp/h265.ts';
import { createJpeg } from '../rtp/jpeg.ts';
import { createReception } from '../rtp/reception.ts';
import { MOST_UNIT_BYTES, type Assembler, type Codec, type Unit } from '../rtp/unit.ts';
import { converse, Redirected, type Conversation } from './conversation.ts';
import { readDescription, type Description } from './description.ts';
import { keepAlive, readSession } from './keep-alive.ts';
import { createLogin } from './login.ts';
import { createRedirects } from './redirects.ts';
import { ENDED_EARLY, NOT_REACHED, Unsupported } from './refusals.ts';

export { Unsupported };

export interface Camera {
  readonly url: string;
  readonly tls: string;
  /** The number of the video, from 1. */
  readonly videoTrack: number;
}

export type OnUnit = (unit: Unit, cameMs: number) => void;

export interface Playing {
  readonly codec: Codec;
  /** Annex B: the newest SPS/PPS (VPS) from the description or from the stream, for a unit that does not hold them; empty for jpeg. Changes in mid-stream are followed. */
  parameterSets(): Buffer;
  /** By which the camera's clock is ahead of this machine's, from sender reports; null: none came. */
  clockOffsetSeconds(): number | null;
  /** Resolves when the stream ended in order (goodbye, end of connection, the signal); rejects with a LookoutError that says why it did not. */
  readonly ended: Promise<void>;
}

/** The camera's answer to the goodbye may still be on its way. */
export const GOODBYE_MS = 300;
const TRANSPORT = 'RTP/AVP/TCP;unicast;interleaved=0-1';

/**
 * Resolves once the camera has said that it plays. `onUnit` is called after that, in order of arrival, with performance.now() of
 * the arrival of the unit's first packet. Everything ends with the signal. Throws what keeps it from playing; Unsupported where
 * ffmpeg may do what we do not.
 */
export async function play(camera: Camera, bounds: Bounds | null, onUnit: OnUnit, signal: AbortSignal): Promise<Playing> {
  const hide = hiderOf(camera.url);
  const first = expectPlace(camera.url);
  const login = createLogin(first, hide);
  const redirected = createRedirects(hide);
  for (let place = first; ;) {
    const intake = createIntake();
    const socket = await reached(place, { bounds, tls: camera.tls, onread: intake.onread }, hide, signal);
    const conversation = converse(socket, intake, place, login, hide);
    try {
      return await untilAborted(begin(conversation, place, camera.videoTrack, onUnit, signal), signal);
    } catch (error) {
      conversation.close();
      if (!(error instanceof Redirected)) throw error;
      place = redirected(error.location, place);
    }
  }
}

async function reached(place: StreamPlace, caution: Caution, hide: (text: string) => string, signal: AbortSignal): Promise<Socket> {
  const patience = linked(signal);
  const timer = setTimeout(() => {
    patience.abort(new LookoutError('stream_connect', `${NOT_REACHED}: ${place.hostname}:${place.port} took no connection for ${FIRST_PICTURE_MS / 1000} s`));
  }, FIRST_PICTURE_MS);
  try {
    return await dialInWords(place, caution, hide, patience.signal);
  } finally {
    clearTimeout(timer);
    patience.release();
  }
}

async function begin(conversation: Conversation, place: StreamPlace, videoTrack: number, onUnit: OnUnit, signal: AbortSignal): Promise<Playing> {
  const uri = uriOf(place);
  const described = await conversation.ask('DESCRIBE', uri, { Accept: 'application/sdp' });
  const description = readDescription(described.body.toString('latin1'), baseOf(described) ?? uri, videoTrack);
  const setUp = await conversation.ask('SETUP', description.control, { Transport: TRANSPORT });
  const channels = channelsOf(headerOf(setUp, 'transport') ?? TRANSPORT);
  const session = readSession(headerOf(setUp, 'session') ?? '');
  const assembler = assemblerFor(description);
  const held = createHeld(onUnit);
  const reception = createReception({ ...description, ...channels }, assembler, held.unit, conversation.close);
  conversation.listen(reception);
  // Some send their first packets before they answer.
  await conversation.ask('PLAY', description.aggregate, { ...session.headers, Range: 'npt=0.000-' });
  held.release();
  const rest = keepAlive(conversation, description.aggregate, session, () => {
    const report = reception.report();
    if (report) conversation.tell(channels.reports, report);
  });
  const goodbye = (): void => {
    held.stop();
    // Whether it answers or not.
    const answered = conversation.ask('TEARDOWN', description.aggregate, session.headers).catch(() => undefined);
    void Promise.race([answered, sleep(GOODBYE_MS)]).then(conversation.close);
  };
  signal.addEventListener('abort', goodbye);
  const ended = conversation.ended.then((error) => {
    rest();
    held.stop();
    signal.removeEventListener('abort', goodbye);
    if (signal.aborted) return;
    if (error instanceof LookoutError) throw error;
    if (!held.isUsed) throw new LookoutError('stream_connect', ENDED_EARLY);
    if (error) throw new LookoutError('stream_ended', `the stream ended: ${error.message}`, { cause: error });
  });
  // It may end before anybody listens.
  ended.catch(() => undefined);
  return { codec: description.codec, parameterSets: assembler.parameterSets, clockOffsetSeconds: () => inTenths(reception.clockOffsetMs()), ended };
}

/** Reports are late by more than that, and by other times. */
function inTenths(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms / 100) / 10;
}

/** What addresses of a description are relative to; null: the address that was asked. */
function baseOf(described: Message): string | null {
  return [headerOf(described, 'content-base'), headerOf(described, 'content-location')].find((one) => one !== undefined && /^rtsps?:\/\/\S+$/i.test(one)) ?? null;
}

function channelsOf(transport: string): { readonly packets: number; readonly reports: number } {
  const [, packets, reports] = /interleaved=(\d{1,3})(?:-(\d{1,3}))?/i.exec(transport) ?? [];
  if (packets === undefined) throw new Unsupported('stream_connect', `the camera was asked to send over TCP, and would send by ${shorten(transport, 60)}`);
  return { packets: Number(packets), reports: Number(reports ?? Number(packets) + 1) };
}

function assemblerFor({ codec, parameterSets, size }: Description): Assembler {
  switch (codec) {
    case 'h264': return createH264(parameterSets);
    case 'h265': return createH265(parameterSets);
    case 'jpeg': return createJpeg(size);
  }
}

interface Held {
  readonly unit: OnUnit;
  /** Those that came go on, and those that come: after whoever waits for the beginning has heard of it. */
  release(): void;
  /** Nothing more goes on. */
  stop(): void;
  /** Whether any came. */
  readonly isUsed: boolean;
}

function createHeld(onUnit: OnUnit): Held {
  let waiting: (readonly [Unit, number])[] | null = [];
  let bytes = 0;
  let isUsed = false;
  let next = onUnit;
  return {
    get isUsed() {
      return isUsed;
    },
    unit(unit, cameMs) {
      isUsed = true;
      if (!waiting) next(unit, cameMs);
      else if (bytes + unit.bytes <= MOST_UNIT_BYTES) {
        bytes += unit.bytes;
        waiting.push([unit, cameMs]);
      }
    },
    release() {
      setImmediate(() => {
        const held = waiting ?? [];
        waiting = null;
        for (const [unit, cameMs] of held) next(unit, cameMs);
      });
    },
    stop() {
      next = () => undefined;
    },
  };
}
