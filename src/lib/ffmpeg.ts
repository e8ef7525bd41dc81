/** The one place that builds ffmpeg's arguments and runs it, through fluent-ffmpeg. */
import ffmpeg from 'fluent-ffmpeg';
import { Readable, Writable } from 'node:stream';
import { DECODED_FILTER, logParser, PICKED_FILTER, type LogLine } from './ffmpeg-log.ts';
import { leashedFfmpeg } from './leash.ts';
import { mpjpegSplitter } from './mpjpeg.ts';

export interface CaptureOptions {
  readonly url: string;
  readonly transport: 'tcp' | 'udp';
  /** What the decoder leaves out: everything but key frames, B-frames, nothing. */
  readonly skip: 'nokey' | 'bidir' | 'none';
  readonly intervalSeconds: number;
  /** Report every packet for this long, at no decoding cost; 0: not at all. */
  readonly learnSeconds: number;
  /** 1 to 100, as libjpeg and OpenCV count it. */
  readonly jpegQuality: number;
  readonly maxWidth: number | null;
  /** Play a file at its own speed. */
  readonly realTime: boolean;
}

export interface CaptureEvents {
  onLine(line: LogLine): void;
  onPicture(jpeg: Buffer): void;
}

/**
 * The words of one capture. The URL goes through standard input so that credentials stay off the process list:
 * `script` is what ffmpeg's concat demuxer reads there.
 */
export function captureArguments(options: CaptureOptions): { script: string; input: string[]; picture: string[]; learn: string[] | null } {
  // Streams describe themselves in their SDP or first packets: long probing only makes the first picture stale.
  const probe = { fpsprobesize: '0', analyzeduration: '1', probesize: '32' };
  const inner: Record<string, string> = options.realTime ? {} : { ...probe };
  if (/^rtsps?:/i.test(options.url)) Object.assign(inner, { rtsp_transport: options.transport, timeout: '10000000' });
  const script = [
    'ffconcat version 1.0',
    `file '${options.url.replaceAll("'", String.raw`'\''`)}'`,
    ...Object.entries(inner).map(([key, value]) => `option ${key} ${value}`),
    '',
  ].join('\n');
  const tick = `floor(t/${options.intervalSeconds})`;
  const lastTick = `floor(prev_selected_t/${options.intervalSeconds})`;
  const filters = [
    `${DECODED_FILTER}=checksum=0`,
    // The first picture at or after each tick of a fixed schedule; `fps=` would repeat pictures after a stall.
    String.raw`select='isnan(prev_selected_t)+gt(${tick}\,${lastTick})+lt(t\,prev_selected_t-1)'`,
    ...(options.maxWidth === null ? [] : [String.raw`scale=w='min(iw\,${options.maxWidth})':h=-2`]),
    `${PICKED_FILTER}=checksum=0`,
    // Encoders refuse times that go back, as they may when a stream begins or its clock is set; from here only order matters.
    'settb=1', 'setpts=N',
  ];
  return {
    script,
    input: [
      '-hide_banner', '-nostats', '-loglevel', 'level+info',
      ...(options.realTime ? ['-re'] : Object.entries(probe).flatMap(([key, value]) => [`-${key}`, value])),
      '-threads', '1',
      ...(options.skip === 'none' ? [] : ['-skip_frame', options.skip]),
      '-f', 'concat', '-safe', '0',
      '-protocol_whitelist', 'pipe,file,rtsp,rtsps,rtp,udp,tcp,tls,crypto,http,https',
    ],
    picture: [
      '-map', '0:v:0', '-an', '-filter_threads', '1', '-vf', filters.join(','),
      // Every picked picture exactly once: the pictures and their log lines are matched by order.
      '-fps_mode', 'passthrough',
      // One thread also because a frame-threaded encoder gives each picture only when the next one comes.
      '-threads', '1', '-q:v', String(jpegQscale(options.jpegQuality)), '-qmin', '1', '-flush_packets', '1', '-f', 'mpjpeg',
    ],
    learn: options.learnSeconds > 0 ? ['-map', '0:v:0', '-c', 'copy', '-t', String(options.learnSeconds), '-f', 'framecrc'] : null,
  };
}

/**
 * ffmpeg's quantiser scale for a libjpeg quality: the scale whose quantisation table has about the same mean
 * (libjpeg's luminance table has a mean of 57.6 at quality 50, ffmpeg's one of about 4 per step). 95 gives 2.
 */
export function jpegQscale(quality: number): number {
  const mean = quality >= 50 ? 57.6 * (2 - quality / 50) : (57.6 * 50) / quality;
  return Math.min(31, Math.max(1, Math.ceil(mean / 4)));
}

/**
 * Runs one capture until it is aborted or ends. Resolves with ffmpeg's last complaints when it ended by itself and
 * rejects only when it could not be run. The pipe is always drained: a slow consumer must not look like a bad camera.
 */
export async function runCapture(options: CaptureOptions, events: CaptureEvents, signal: AbortSignal): Promise<string[]> {
  if (signal.aborted) return [];
  const { script, input, picture, learn } = captureArguments(options);
  const parse = logParser();
  const complaints: string[] = [];
  return new Promise((resolve, reject) => {
    const command = ffmpeg({ source: Readable.from([script]), stdoutLines: 1 });
    command.setFfmpegPath(leashedFfmpeg);
    command.inputOptions(input);
    command.output(mpjpegSplitter((jpeg) => { events.onPicture(jpeg); })).outputOptions(picture);
    if (learn) command.output('pipe:2').outputOptions(learn);
    const abort = (): void => { command.kill('SIGKILL'); };
    const finish = (then: () => void): void => {
      signal.removeEventListener('abort', abort);
      then();
    };
    command.on('start', () => {
      if (signal.aborted) abort();
    });
    command.on('stderr', (text: string) => {
      const line = parse(text);
      if (!line) return;
      if (line.kind === 'complaint') {
        complaints.push(line.text);
        if (complaints.length > 20) complaints.shift();
      }
      events.onLine(line);
    });
    command.on('end', () => { finish(() => { resolve(complaints); }); });
    command.on('error', (error: Error) => {
      finish(() => {
        if (signal.aborted || /exited with code|killed with signal/.test(error.message)) resolve(complaints);
        else reject(error);
      });
    });
    signal.addEventListener('abort', abort, { once: true });
    command.run();
  });
}

/** A picture file in another size (pixels), as JPEG. */
export async function scaleJpeg(file: string, { width, height }: { width: number; height: number }): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await new Promise<void>((resolve, reject) => {
    const command = ffmpeg(file);
    command.setFfmpegPath(leashedFfmpeg);
    command.outputOptions(['-vf', `scale=${width}:${height}`, '-frames:v', '1', '-q:v', '3', '-f', 'mjpeg']);
    command.output(new Writable({ write(chunk: Buffer, _encoding, done) { chunks.push(chunk); done(); } }));
    command.on('end', () => { resolve(); }).on('error', reject).run();
  });
  return Buffer.concat(chunks);
}

/** Writes the picture with boxes (x1, y1, x2, y2 in pixels) drawn on it. */
export async function drawBoxes(file: string, boxes: readonly (readonly [number, number, number, number])[], target: string): Promise<void> {
  const drawn = boxes.map(([x1, y1, x2, y2]) => `drawbox=x=${x1}:y=${y1}:w=${x2 - x1}:h=${y2 - y1}:color=red:t=3`);
  await new Promise<void>((resolve, reject) => {
    const command = ffmpeg(file);
    command.setFfmpegPath(leashedFfmpeg);
    command.outputOptions(['-vf', ['null', ...drawn].join(','), '-frames:v', '1', '-update', '1', '-q:v', '2']).output(target);
    command.on('end', () => { resolve(); }).on('error', reject).run();
  });
}
