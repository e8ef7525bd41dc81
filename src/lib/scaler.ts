/** Scales pictures by an ffmpeg for each size, which stays for the next ones: to start it costs many times what a picture does. */
import { PassThrough, Writable } from 'node:stream';
import { LookoutError } from '../errors.ts';
import { SCALE_INPUT, scaleOutput } from './ffmpeg.ts';
import { runFfmpeg } from './ffmpeg-process.ts';
import { linked } from './linked.ts';
import { createTurns } from './turns.ts';

/** Pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A JPEG in another size, as JPEG. Throws when it cannot be read as a picture; the others go on. */
export type ScaleJpeg = (jpeg: Uint8Array, size: Size) => Promise<Buffer>;

interface Scaling {
  /** null: it ended before this picture's turn. */
  scale(jpeg: Uint8Array): Promise<Buffer | null>;
  /** Once what it was given is done. */
  end(): void;
}

/** Cameras of one kind have one size; with more sizes than this an ffmpeg is started anew now and then. */
const MOST = 4;
/** Longer than usual batches are apart. */
const IDLE_MS = 90_000;
/** A picture takes a hundredth of a second, the first one a tenth. */
const LONGEST_MS = 10_000;

/** Its processes end with the signal. */
export function createScaler(signal: AbortSignal): ScaleJpeg {
  /** By size, the one that was used last at the end. */
  const running = new Map<string, Scaling>();

  function of(size: Size): Scaling {
    const key = `${size.width}x${size.height}`;
    const scaling = running.get(key) ?? startScaling(size, signal, () => { if (running.get(key) === scaling) running.delete(key); });
    running.delete(key);
    running.set(key, scaling);
    const [oldest] = running;
    if (running.size > MOST && oldest) {
      running.delete(oldest[0]);
      oldest[1].end();
    }
    return scaling;
  }

  return async (jpeg, size) => {
    // ffmpeg would wait for its bytes.
    if (jpeg.length === 0) throw new LookoutError('bad_frame', 'the picture is empty');
    for (;;) {
      signal.throwIfAborted();
      const scaled = await of(size).scale(jpeg);
      if (scaled) return scaled;
    }
  };
}

function startScaling(size: Size, signal: AbortSignal, ended: () => void): Scaling {
  const limit = linked(signal);
  const takeTurn = createTurns();
  const source = new PassThrough();
  let over = false;
  let waiting: { resolve(jpeg: Buffer): void; reject(error: Error): void } | null = null;
  const idle = setTimeout(() => {
    ended();
    source.end();
  }, IDLE_MS).unref();

  const target = parsePictures((jpeg) => {
    // One that nobody waits for would be taken for the next.
    if (waiting) waiting.resolve(jpeg);
    else limit.abort();
    waiting = null;
  });
  const finish = (failure: Error | null): void => {
    clearTimeout(idle);
    limit.release();
    over = true;
    ended();
    waiting?.reject(failure ?? new LookoutError('ffmpeg_failed', 'the ffmpeg that scales pictures has ended'));
  };
  runFfmpeg({ source, input: SCALE_INPUT, outputs: [{ target, options: scaleOutput(size) }] }, limit.signal).then(finish, finish);

  return {
    scale: (jpeg) => takeTurn(async () => {
      if (over) return null;
      idle.refresh();
      const late = setTimeout(() => { limit.abort(); }, LONGEST_MS);
      try {
        return await new Promise<Buffer>((resolve, reject) => {
          waiting = { resolve, reject };
          source.write(`--picture\r\nContent-Type: image/jpeg\r\nContent-Length: ${jpeg.length}\r\n\r\n`);
          source.write(jpeg);
          source.write('\r\n');
        });
      } finally {
        clearTimeout(late);
        waiting = null;
      }
    }),
    end: () => { void takeTurn(() => Promise.resolve(source.end())); },
  };
}

const HEADER = /Content-length: (\d+)\r\n\r\n/i;

/** Takes what ffmpeg's mpjpeg writes: each picture behind a line that says how long it is. */
function parsePictures(tell: (jpeg: Buffer) => void): Writable {
  let rest = Buffer.alloc(0);
  return new Writable({
    emitClose: false,
    write(chunk: Buffer, _encoding, done) {
      rest = Buffer.concat([rest, chunk]);
      for (let header = HEADER.exec(rest.toString('latin1', 0, 1024)); header; header = HEADER.exec(rest.toString('latin1', 0, 1024))) {
        const from = header.index + header[0].length;
        const to = from + Number(header[1]);
        if (to > rest.length) break;
        tell(Buffer.from(rest.subarray(from, to)));
        rest = rest.subarray(to);
      }
      done();
    },
  });
}
