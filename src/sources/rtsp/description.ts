/** What a camera says of its stream (SDP, RFC 8866): which video is meant, how it is coded, and what to ask for it. */
import { LookoutError } from '../../errors.ts';
import { shorten } from '../../lib/shorten.ts';
import { escaped } from '../../words/stream-place.ts';
import type { Size } from '../rtp/jpeg.ts';
import type { Codec } from '../rtp/unit.ts';
import { FEWER_VIDEOS, NO_VIDEO, Unsupported } from './refusals.ts';

export interface Description {
  readonly codec: Codec;
  readonly payloadType: number;
  /** Ticks of its time stamps in a second. */
  readonly clockRate: number;
  /** Whom to ask to set it up, and whom to play. */
  readonly control: string;
  readonly aggregate: string;
  readonly parameterSets: readonly Buffer[];
  /** null: the packets say it. */
  readonly size: Size | null;
}

const CODECS: Readonly<Record<string, Codec>> = { H264: 'h264', H265: 'h265', HEVC: 'h265', JPEG: 'jpeg' };
/** Without a line of its own (RFC 3551). */
const JPEG_PAYLOAD = 26;
const USUAL_RATE = 90_000;
/** Times by a faster clock, or by one of no whole number of ticks, are none. */
const FASTEST_RATE = 10_000_000;

/**
 * `text`: characters that are bytes; `base`: the address that others are relative to, likewise; `videoTrack`: the number of the
 * video, from 1. Throws `stream_codec`, as Unsupported where ffmpeg may know the way.
 */
export function readDescription(text: string, base: string, videoTrack: number): Description {
  const [session = [], ...media] = sectionsOf(text);
  const videos = media.filter(([first]) => /^m=video /i.test(first ?? ''));
  const video = videos[videoTrack - 1];
  if (!video) throw new LookoutError('stream_codec', videos.length === 0 ? NO_VIDEO : FEWER_VIDEOS);
  const [, protocol = '', ...payloadTypes] = (video[0] ?? '').trim().split(/ +/).slice(1);
  if (!/^RTP\/AVPF?(\/TCP)?$/i.test(protocol)) throw new Unsupported('stream_codec', `its video comes as ${shorten(protocol, 40)}, which is not known`);
  const codings = new Map(attributes(video, 'rtpmap').map((value) => [Number(value.split(' ', 1)[0]), value.replace(/^\d+ +/, '')]));
  const [found, ...others] = payloadTypes.flatMap((word) => codedAs(Number(word), codings));
  if (!found) {
    throw new Unsupported('stream_codec', `its video is coded as ${shorten([...codings.values()].join(', ') || `payload type ${payloadTypes.join(', ')}`, 60)}, which is not known`);
  }
  if (others.some(({ codec }) => codec !== found.codec)) throw new Unsupported('stream_codec', 'its video is coded in one way or another');
  const parameters = parametersOf(attributes(video, 'fmtp').find((value) => Number(value.split(' ')[0]) === found.payloadType) ?? '');
  // Pictures out of order within packets, which nobody sends who is not asked for it.
  if (parameters.get('packetization-mode') === '2' || Number(parameters.get('sprop-max-don-diff') ?? 0) > 0) throw new Unsupported('stream_codec', 'its packets are interleaved');
  const aggregate = resolved(attributes(session, 'control')[0] ?? '*', base);
  return {
    ...found, aggregate,
    control: resolved(attributes(video, 'control')[0] ?? '*', aggregate),
    parameterSets: ['sprop-vps', 'sprop-sps', 'sprop-pps', 'sprop-parameter-sets'].flatMap((name) => (parameters.get(name) ?? '').split(',')).map((set) => Buffer.from(set, 'base64')).filter(({ length }) => length > 0),
    size: sizeOf(video),
  };
}

/** The lines of the session, and those of each of its media. */
function sectionsOf(text: string): readonly (readonly string[])[] {
  const sections: string[][] = [[]];
  for (const line of text.split(/[\r\n]+/)) {
    if (line.startsWith('m=')) sections.push([]);
    sections.at(-1)?.push(line);
  }
  return sections;
}

function attributes(section: readonly string[], name: string): readonly string[] {
  return section.filter((line) => line.toLowerCase().startsWith(`a=${name}:`)).map((line) => line.slice(name.length + 3).trim());
}

/** `codings`: by payload type, `H264/90000`. */
function codedAs(payloadType: number, codings: ReadonlyMap<number, string>): readonly Pick<Description, 'codec' | 'payloadType' | 'clockRate'>[] {
  const [name = '', said] = (codings.get(payloadType) ?? (payloadType === JPEG_PAYLOAD ? 'JPEG' : '')).split('/');
  const codec = CODECS[name.trim().toUpperCase()];
  const rate = Number(said);
  return codec ? [{ codec, payloadType, clockRate: Number.isInteger(rate) && rate > 0 && rate <= FASTEST_RATE ? rate : USUAL_RATE }] : [];
}

/** `96 a=b; c=d` by name in small letters. */
function parametersOf(value: string): ReadonlyMap<string, string> {
  return new Map(value.replace(/^\d+ */, '').split(';').map((one) => {
    const [name = '', ...rest] = one.split('=');
    return [name.trim().toLowerCase(), rest.join('=').trim()];
  }));
}

/** Two ways to say it are about. */
function sizeOf(video: readonly string[]): Size | null {
  const [said = ''] = [...attributes(video, 'x-dimensions'), ...attributes(video, 'framesize').map((value) => value.replace(/^\d+ +/, ''))];
  const [, width, height] = /^(\d{1,5})[ ,x-]+(\d{1,5})$/i.exec(said) ?? [];
  return Number(width) > 0 && Number(height) > 0 ? { width: Number(width), height: Number(height) } : null;
}

/** As cameras mean it, whose addresses end with what they ask for: what is relative is put after the whole of it. */
function resolved(control: string, base: string): string {
  if (control === '*' || control === '') return escaped(base);
  const address = /^[a-z]+:\/\//i.test(control) ? control : `${base}${base.endsWith('/') ? '' : '/'}${control.replace(/^\//, '')}`;
  return escaped(address);
}
