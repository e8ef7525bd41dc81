/** An MP4 file out of compressed pictures as they came. Its calls must come one after the other. */
import { LookoutError } from '../../../errors.ts';
import { loadBinding, must, type NativeIo, type NativeStream } from './binding.ts';
import { createDecodeTimes } from './decode-times.ts';
import type { Mark } from './mark.ts';

/** Pictures that go together: another size or other parameter sets need another file. */
export interface Track {
  readonly codec: 'h264' | 'h265';
  /** Annex B. */
  readonly parameterSets: Buffer;
  readonly width: number;
  readonly height: number;
  /** As `decode-times.ts` has it. */
  readonly reordering: number;
  /** Ticks from picture to picture, about. */
  readonly spacing: number;
}

export const TICKS_PER_SECOND = 90_000;

/** Where it goes: a file of this name, which libav may also read, or a function that is given what is written, in order, and must keep it. */
export type Sink = string | ((bytes: Buffer) => void);

export interface Mp4 {
  /** `bytes`: a unit, Annex B; `pts`: whole ticks of the camera's clock. */
  write(bytes: Buffer, pts: number, key: boolean): Promise<void>;
  /** Completes it. */
  end(): Promise<void>;
  /** Not while one of its promises is pending; whether it is complete or not. */
  free(): Promise<void>;
}

/** As libav numbers them, and as the file names them: players of Apple's take H.265 by this name only. */
const CODECS = { h264: { id: 27, tag: 0 }, h265: { id: 173, tag: Buffer.from('hvc1').readUInt32LE() } } as const;
const [VIDEO, BUFFER_BYTES] = [0, 64 * 1024];

/** `movflags`: of libav's muxer. */
export async function openMp4(track: Track, movflags: string, sink: Sink, mark: Mark): Promise<Mp4> {
  const { Dictionary, FormatContext, IOContext, Packet } = loadBinding();
  mark('open an MP4 muxer');
  const context = new FormatContext();
  let io: NativeIo | null = null;
  const isFile = typeof sink === 'string';
  let isOpen = false;

  async function free(): Promise<void> {
    mark('free an MP4 muxer');
    if (isOpen) await context.closeOutput();
    if (io) context.pb = null;
    context.freeContext();
    io?.freeContext();
  }

  const options = new Dictionary();
  options.alloc();
  try {
    must(context.allocOutputContext2(null, 'mp4', isFile ? `file:${sink}` : null), 'make an MP4 muxer');
    describe(context.newStream(null), track);
    if (isFile) {
      done(await context.openOutput());
      isOpen = true;
    } else {
      // Of each the add-on keeps 4 kB for good.
      io = new IOContext();
      io.allocContextWithCallbacks(BUFFER_BYTES, 1, null, (bytes) => {
        sink(Buffer.from(bytes));
        return bytes.length;
      }, null);
      context.pb = io;
    }
    must(options.set('movflags', movflags, 0), 'choose how an MP4 file is written');
    done(await context.writeHeader(options));
  } catch (error) {
    await free();
    throw error;
  } finally {
    options.free();
  }

  const times = createDecodeTimes(track.reordering, track.spacing);
  let zero: number | null = null;
  return {
    async write(bytes, pts, key) {
      mark('write into an MP4 file');
      const packet = new Packet();
      packet.alloc();
      try {
        const shown = times.next(pts);
        zero ??= shown.dts;
        Object.assign(packet, { data: bytes, streamIndex: 0, pts: BigInt(shown.pts - zero), dts: BigInt(shown.dts - zero), duration: BigInt(track.spacing), isKeyframe: key });
        done(await context.writeFrame(packet));
      } finally {
        packet.free();
      }
    },
    async end() {
      mark('complete an MP4 file');
      done(await context.writeTrailer());
    },
    free,
  };
}

function describe(stream: NativeStream, { codec, parameterSets, width, height }: Track): void {
  const { id, tag } = CODECS[codec];
  Object.assign(stream, { timeBase: { num: 1, den: TICKS_PER_SECOND } });
  Object.assign(stream.codecpar, { codecType: VIDEO, codecId: id, codecTag: tag, width, height, extradata: parameterSets });
}

const NO_SPACE = -28;

function done(code: number): void {
  if (code === NO_SPACE) throw new LookoutError('disk_full', 'there is no room for an MP4 file');
  if (code < 0) throw new LookoutError('disk_failed', `an MP4 file could not be written (libav: ${code})`);
}
