/** What is asked of ffmpeg: the one place that builds its arguments. */
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { LookoutError } from '../errors.ts';
import { DECODED_FILTER, diskErrorIn, keepComplaint, PICKED_FILTER, logParser, packetParser, type Decoded, type DecodedPicture, type Packet } from './ffmpeg-log.ts';
import { runFfmpeg, type FfmpegRun } from './ffmpeg-process.ts';
import { ffmpegProgram, OLDEST_FFMPEG } from './ffmpeg-program.ts';
import { namesIn, removeIfPresent } from './files.ts';
import { MOST_PIXELS, type Measured } from './jpeg.ts';
import { jpegEncoder } from './jpeg-encoder.ts';
import { plainPng } from './png.ts';
import { ask } from './program.ts';

export interface CaptureOptions {
  readonly url: string;
  /** What an RTMP server is told that was opened; undefined: `url`. */
  readonly tcUrl?: string | undefined;
  readonly transport: 'tcp' | 'udp';
  /** Whether a certificate must be trusted. */
  readonly verify: boolean;
  /** Of the videos that come, counted from 1. */
  readonly track: number;
  /** Look longer at what comes before anything is made of it. */
  readonly probe: boolean;
  /** Pictures that could be decoded but in part come too. */
  readonly tolerant: boolean;
  /** What the decoder leaves out: everything but key frames, pictures that no other is made from, nothing. */
  readonly skip: 'nokey' | 'noref' | 'none';
  readonly intervalSeconds: number;
  /** Which packets are reported, at no decoding cost; the first are enough to see two key frames that are an interval apart. */
  readonly packets: 'none' | 'first' | 'all';
  /** 1 to 100, as libjpeg and OpenCV count it. */
  readonly jpegQuality: number;
  readonly maxWidth: number | null;
  /** Play a file at its own speed. */
  readonly realTime: boolean;
  /** What it is, as ffmpeg calls it; undefined: ffmpeg finds out. */
  readonly format?: string | undefined;
}

export interface CaptureEvents {
  /** A picture left the decoder. */
  onDecoded(decoded: DecodedPicture): void;
  onComplaint?(words: string): void;
  onPacket(packet: Packet): void;
  /** A picked picture is there, after it was told to be decoded; where the disk had room for it, the file has so many bytes. */
  onPicture(picture: { readonly file: string; readonly bytes: number }, facts: Decoded): void;
}

/** A picture while it is nobody's yet, in the folder in which ffmpeg runs. */
const PICTURE_FILE = /^picture-\d+\.tmp$/;
/**
 * ffmpeg writes each picture to a file of its own, and only then a line about it to its standard output: a picture that
 * came through a pipe would cost this process more than everything else it does for it.
 */
const PICTURES = '[f=image2:start_number=0:onfail=abort]picture-%d.tmp|[f=framecrc:flush_packets=1]pipe:1';

/** In which picked pictures are counted. */
const TICKS_PER_SECOND = 1000;

/**
 * 1 from the first key frame on: before it, H.265 decoders hand out grey pictures. Streams that refresh themselves bit by
 * bit have none, and are whole by that time too (seconds).
 */
const GOOD = String.raw`st(0\,max(ld(0)\,key+gt(t\,12)))`;

/**
 * The words of one capture. The URL goes through standard input so that credentials stay off the process list:
 * `script` is what ffmpeg's concat demuxer reads there.
 */
export function captureArguments(options: CaptureOptions): { script: string; input: string[]; picture: string[]; packets: string[] | null } {
  const { url } = options;
  // A second line would be a second instruction to ffmpeg.
  if (/[\r\n]/.test(url)) throw new LookoutError('bad_request', 'the address holds a line break; write it in one line');
  const { protocols, inner, outer } = openingOf(options);
  const video = `0:v:${options.track - 1}`;
  const script = [
    'ffconcat version 1.0',
    // ffmpeg knows schemes in small letters alone.
    `file ${quoted(url.replace(/^[a-z]+:/i, (scheme) => scheme.toLowerCase()))}`,
    ...Object.entries(inner).map(([key, value]) => `option ${key} ${quoted(value)}`),
    '',
  ].join('\n');
  const tick = `floor(t/${options.intervalSeconds})`;
  const lastTick = `floor(prev_selected_t/${options.intervalSeconds})`;
  const filters = [
    `${DECODED_FILTER}=checksum=0`,
    // The first picture at or after each tick of a fixed schedule; `fps=` would repeat pictures after a stall.
    String.raw`select='${GOOD}*(isnan(prev_selected_t)+gt(${tick}\,${lastTick})+lt(t\,prev_selected_t-1))'`,
    ...narrowed(options.maxWidth),
    // Encoders refuse times that go back, as those of a file may that was put together from several: they count, and the
    // pictures' own times are told before.
    `${PICKED_FILTER}=checksum=0`, `settb=1/${TICKS_PER_SECOND}`, 'setpts=N',
  ];
  return {
    script,
    input: [
      '-hide_banner', '-nostats', '-loglevel', 'level+info',
      ...(options.realTime ? ['-re'] : []),
      ...Object.entries(outer).flatMap(([key, value]) => [`-${key}`, value]),
      '-max_pixels', String(MOST_PIXELS), '-threads', '1',
      ...(options.skip === 'none' ? [] : ['-skip_frame', options.skip]),
      // No picture rather than one that is half made up, where packets get lost: over TCP too, by cameras that are too slow
      // for what they send.
      ...(options.tolerant ? [] : ['-err_detect', 'explode']),
      '-f', 'concat', '-safe', '0',
      '-protocol_whitelist', protocols,
    ],
    picture: [
      '-map', video, '-an', '-filter_threads', '1', '-vf', filters.join(','),
      // Every picked picture exactly once, with its own time: the encoder would count in the camera's frames.
      '-fps_mode', 'passthrough', '-enc_time_base', `1:${TICKS_PER_SECOND}`,
      // One thread also because a frame-threaded encoder gives each picture only when the next one comes.
      '-threads', '1', ...jpegEncoder(options.jpegQuality), '-f', 'tee',
    ],
    packets: options.packets === 'none' ? null : [
      // Those before the first key frame too: they say that the camera lives, and in which order its pictures come.
      '-map', video, '-c', 'copy', '-copyinkf',
      // Of the first ffmpeg guesses the time, and would hold back that of others to come after it.
      '-bsf:v', String.raw`noise=drop=eq(n\,0)`,
      // Counted, because `-t` would stop at a time of the stream's own clock, which begins where the camera likes.
      ...(options.packets === 'first' ? ['-frames:v', String(firstPackets(options.intervalSeconds))] : []),
      '-f', 'framecrc',
    ],
  };
}

type Opening = { readonly protocols: string; readonly inner: Readonly<Record<string, string>>; readonly outer: Readonly<Record<string, string>> };

/** For what describes itself in its SDP or first packets: long probing only makes the first picture stale. */
const NO_PROBE = { fpsprobesize: '0', analyzeduration: '1', probesize: '32' };
/** Everything else shows within this what it holds (microseconds, bytes). */
const SHORT_PROBE = { fpsprobesize: '0', analyzeduration: '1000000', probesize: '1000000' };
/** What says nothing of its pictures before a key frame, or has several tracks, of which any may come first. */
const LONG_PROBE = { fpsprobesize: '0', analyzeduration: '5000000', probesize: '5000000' };
/** Formats that one in a playlist may be of. */
const IN_PLAYLISTS = 'hls,mpegts,mov,aac';
/** Microseconds; captures that are watched give up before, and can say what happened. */
const [LONGEST_WAIT, WATCHED] = ['15000000', '120000000'];

/** By scheme: which protocols may be opened on the way, so that nobody leads ffmpeg to files of this machine, and how. */
function openingOf({ url, tcUrl, transport, verify, realTime, format, probe }: CaptureOptions): Opening {
  const scheme = /^[a-z]+/i.exec(url)?.[0].toLowerCase() ?? '';
  if (scheme === 'file') return { protocols: 'pipe,file', inner: {}, outer: {} };
  if (/^rtsps?$/.test(scheme)) {
    // With sound or events beside the pictures, their times would follow the camera's reports and step.
    const outer = probe ? LONG_PROBE : NO_PROBE;
    const inner = { ...outer, rtsp_transport: transport, allowed_media_types: 'video', timeout: WATCHED };
    return { protocols: 'pipe,rtsp,rtp,udp,tcp', inner, outer };
  }
  const outer = realTime ? {} : probe ? LONG_PROBE : SHORT_PROBE;
  const whitelist = format === undefined ? {} : { format_whitelist: format === 'hls' ? IN_PLAYLISTS : format };
  const inner = {
    ...outer, ...whitelist, rw_timeout: realTime ? LONGEST_WAIT : WATCHED,
    ...(verify && scheme === 'https' ? verified() : {}),
    ...(tcUrl === undefined ? {} : { rtmp_tcurl: tcUrl }),
    // The newest there is, not three segments before it.
    ...(format === 'hls' ? { live_start_index: '-1' } : {}),
  };
  return { protocols: PROTOCOLS[scheme] ?? `pipe,${scheme}`, inner, outer };
}

const PROTOCOLS: Readonly<Record<string, string>> = {
  http: 'pipe,http,https,tcp,tls,crypto', https: 'pipe,http,https,tcp,tls,crypto', rtmp: 'pipe,rtmp,tcp',
};

/** ffmpeg takes any certificate unless it is told. */
function verified(): Readonly<Record<string, string>> {
  const more = process.env['NODE_EXTRA_CA_CERTS'];
  return { tls_verify: '1', ...(more ? { ca_file: more } : {}) };
}

/** A word of ffmpeg's scripts. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** As many as come in the time that it may take, also from a fast camera, to see two key frames that are no rarer than pictures are due. */
function firstPackets(intervalSeconds: number): number {
  return Math.ceil(60 * (2 * Math.min(10, intervalSeconds) + 2));
}

/**
 * Runs one capture until it is aborted or ends. Resolves with ffmpeg's last complaints when it ended by itself and
 * rejects only when it could not be run. Its pictures go to `folder`.
 */
export async function runCapture(options: CaptureOptions, folder: string, events: CaptureEvents, signal: AbortSignal): Promise<string[]> {
  if (signal.aborted) return [];
  const { script, input, picture, packets } = captureArguments(options);
  const parseLog = logParser();
  const parsePacket = packetParser();
  const parsePicture = packetParser();
  const complaints: string[] = [];
  const picked = new Map<number, Decoded>();
  const written = new Map<number, Packet>();

  /** Told by two pipes, of which any may come first. */
  function tellPicture(index: number): void {
    const [before, after] = [picked.get(index), written.get(index)];
    if (!before || !after) return;
    picked.delete(index);
    written.delete(index);
    const { width, height, bytes } = after;
    if (!signal.aborted) events.onPicture({ file: join(folder, `picture-${index}.tmp`), bytes }, { ptsSeconds: before.ptsSeconds, width, height });
  }

  await runFfmpeg({
    source: Readable.from([script]), input, folder,
    outputs: [
      { target: PICTURES, options: picture },
      ...(packets ? [{ target: 'pipe:3', options: packets }] : []),
    ],
    onLine: {
      1(text) {
        const picture = parsePicture(text);
        if (!picture) return;
        const index = Math.round(picture.ptsSeconds * TICKS_PER_SECOND);
        written.set(index, picture);
        tellPicture(index);
      },
      2(text) {
        const line = parseLog(text);
        if (line?.kind === 'complaint') {
          keepComplaint(complaints, line.text);
          events.onComplaint?.(line.text);
        } else if (line?.kind === 'picked') {
          picked.set(line.index, line);
          tellPicture(line.index);
        } else if (line && !signal.aborted) {
          events.onDecoded(line);
        }
      },
      3(text) {
        const packet = parsePacket(text);
        if (packet && !signal.aborted) events.onPacket(packet);
      },
    },
  }, signal);
  if (complaints.some((words) => words.includes('fps_mode'))) throw await tooOld();
  return complaints;
}

/** Removes the pictures that nobody took, also one that is not whole. No capture may be using the folder. */
export async function removePictures(folder: string): Promise<void> {
  for (const name of await namesIn(folder)) {
    if (PICTURE_FILE.test(name)) await removeIfPresent(join(folder, name));
  }
}

async function tooOld(): Promise<LookoutError> {
  const version = await ask(ffmpegProgram(), ['-version']) ?? 'this ffmpeg';
  return new LookoutError('ffmpeg_missing', `${version.replace(/ Copyright.*/, '')} is too old: install ${OLDEST_FFMPEG} or later`);
}

/**
 * Pictures one after the other, each behind a header with its length: ffmpeg gives each at once, where of bare pictures
 * it would wait for the next one to begin. One that it cannot read at all ends it.
 */
export const SCALE_INPUT: readonly string[] = [
  '-xerror', '-fpsprobesize', '0', '-analyzeduration', '0', '-probesize', '32', '-threads', '1', '-noautorotate', ...bounded('mpjpeg'),
];

/** Pictures of this size in pixels, each behind a header with its length. One format, whatever comes: the encoder takes no other later on. */
export function scaleOutput({ width, height }: { readonly width: number; readonly height: number }): readonly string[] {
  return [
    '-filter_threads', '1', '-vf', `scale=${width}:${height},format=yuvj420p`, '-fps_mode', 'passthrough',
    '-threads', '1', '-q:v', '3', '-c:v', 'mjpeg', '-flush_packets', '1', '-f', 'mpjpeg',
  ];
}

/** What makes a picture upright, by its orientation as EXIF has it. */
const UPRIGHT: readonly string[] = ['null', 'null', 'hflip', 'hflip,vflip', 'vflip', 'transpose=0', 'transpose=1', 'transpose=3', 'transpose=2'];

/** What comes through the standard input is what it was measured as, leads nowhere, and is no larger than it may be. */
function bounded(demuxer: string): readonly string[] {
  return ['-max_pixels', String(MOST_PIXELS), '-f', demuxer, '-protocol_whitelist', 'pipe'];
}

/** By the names that `image-size` has for them. */
const DEMUXERS: Readonly<Record<string, string>> = { jpg: 'jpeg_pipe', png: 'png_pipe', webp: 'webp_pipe', bmp: 'bmp_pipe', gif: 'gif', tiff: 'tiff_pipe' };

/** The bytes of a picture of this type as JPEG, turned upright, no wider than `maxWidth` pixels. Throws when it has more than `MOST_PIXELS`. */
export async function toJpeg(
  picture: Uint8Array, { type, orientation, jpegQuality, maxWidth }: Pick<CaptureOptions, 'jpegQuality' | 'maxWidth'> & Pick<Measured, 'orientation'> & { readonly type: string }, signal: AbortSignal,
): Promise<Buffer> {
  const demuxer = DEMUXERS[type];
  if (demuxer === undefined) throw new LookoutError('bad_frame', `a picture of the type ${type} cannot be read`);
  const filters = [UPRIGHT[orientation] ?? 'null', ...narrowed(maxWidth)].join(',');
  return oneJpeg({
    source: Readable.from([type === 'png' ? plainPng(picture) : picture]),
    // Pictures are turned by us alone: some versions of ffmpeg do it by themselves.
    input: ['-noautorotate', ...bounded(demuxer)],
  }, ['-vf', filters, ...jpegEncoder(jpegQuality)], signal);
}

async function oneJpeg(run: Pick<FfmpegRun, 'source' | 'input'>, options: readonly string[], signal: AbortSignal): Promise<Buffer> {
  signal.throwIfAborted();
  const chunks: Buffer[] = [];
  const target = new Writable({ emitClose: false, write(chunk: Buffer, _encoding, done) { chunks.push(chunk); done(); } });
  const failure = await runFfmpeg({ ...run, outputs: [{ target, options: [...options, '-frames:v', '1', '-f', 'mjpeg'] }] }, signal);
  signal.throwIfAborted();
  if (failure) throw failure;
  return Buffer.concat(chunks);
}

/** The filter that makes wider pictures this wide; none for null. */
function narrowed(maxWidth: number | null): string[] {
  return maxWidth === null ? [] : [String.raw`scale=w='min(iw\,${maxWidth})':h=-2`];
}

/** The picture, as JPEG, under a sheet of its own size: RGBA, a byte each. */
export async function layOver(file: string, { rgba, width, height }: { rgba: Uint8Array; width: number; height: number }, signal: AbortSignal): Promise<Buffer> {
  return oneJpeg({
    // The one source that the library knows is the sheet.
    source: Readable.from([rgba]),
    input: ['-noautorotate', '-i', file, '-f', 'rawvideo', '-pixel_format', 'rgba', '-video_size', `${width}x${height}`],
  }, ['-filter_complex', '[0:v][1:v]overlay', '-q:v', '2'], signal);
}

/** Copies the first seconds of a video, or as much as there is, into an MP4 whose index stands first. */
export async function copyVideo(video: string, seconds: number, target: string, signal: AbortSignal): Promise<void> {
  await write({ source: video, outputs: [{ target, options: ['-map', '0:v:0', '-t', seconds.toFixed(3), '-c', 'copy', '-movflags', '+faststart', '-f', 'mp4'] }] }, signal);
}

/** Makes an MP4, whose index stands first, that shows each picture (a JPEG) for so long; all have one size, in pixels. */
export async function showPictures(
  pictures: readonly { readonly file: string; readonly seconds: number }[], { width, height }: { readonly width: number; readonly height: number }, target: string, signal: AbortSignal,
): Promise<void> {
  // Of the last one in the list no length is heard: it is there twice, the second time for a moment.
  const list = [...pictures, ...pictures.slice(-1)].map(({ file, seconds }, index) => [
    `file ${quoted(`file:${file}`)}`, `option framerate ${TICKS_PER_SECOND}`, `duration ${(seconds - (index === pictures.length - 1 ? 1 / TICKS_PER_SECOND : 0)).toFixed(3)}`,
  ]);
  await write({
    source: Readable.from([['ffconcat version 1.0', ...list.flat(), ''].join('\n')]),
    input: ['-max_pixels', String(MOST_PIXELS), '-noautorotate', '-f', 'concat', '-safe', '0', '-protocol_whitelist', 'pipe,file'],
    outputs: [{
      target,
      options: [
        // Encoders of H.264 take even sizes.
        '-vf', `scale=${width - width % 2}:${height - height % 2}:out_range=tv,format=yuv420p`, '-fps_mode', 'vfr',
        '-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '25', '-threads', '2', '-movflags', '+faststart', '-f', 'mp4',
      ],
    }],
  }, signal);
}

/** Throws its failure, whose cause is what the disk had against it. */
async function write(run: FfmpegRun, signal: AbortSignal): Promise<void> {
  const failure = await runFfmpeg(run, signal);
  signal.throwIfAborted();
  if (failure) throw Object.assign(failure, { cause: diskErrorIn([failure.message]) });
}

/** The first picture of a video file and one every so many seconds after it, as JPEG files in the empty `folder`, in order. */
export async function picturesOf(
  video: string, { everySeconds, jpegQuality }: { readonly everySeconds: number; readonly jpegQuality: number }, folder: string, signal: AbortSignal,
): Promise<readonly string[]> {
  const options = [
    '-map', '0:v:0', '-vf', String.raw`select=isnan(prev_selected_t)+gte(t-prev_selected_t\,${everySeconds}-0.001)`, '-fps_mode', 'passthrough',
    ...jpegEncoder(jpegQuality), '-f', 'image2',
  ];
  const failure = await runFfmpeg({ source: video, outputs: [{ target: join(folder.replaceAll('%', '%%'), '%08d.jpg'), options }] }, signal);
  signal.throwIfAborted();
  const files = (await namesIn(folder)).filter((name) => name.endsWith('.jpg')).sort().map((name) => join(folder, name));
  // A file that breaks off has shown what it has.
  if (failure && files.length === 0) throw failure;
  return files;
}
