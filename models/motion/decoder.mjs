/** One ffmpeg that is kept warm and makes JPEGs into small grey pictures, one at a time: to start one costs as much as eight pictures. */
import { STRICT, grey, start } from './ffmpeg.mjs';
import { INPUT, OPENING, OUTPUT, createReader, heading } from './wire.mjs';

/** Longer than any picture takes, on a busy machine too; several must fit into a call's deadline. */
const PATIENCE_MS = 5000;
const SILENCE_MS = 500;
/** A grey JPEG of 16 x 16. */
const PROBE = Buffer.from('/9j/2wBDAAgEBAQEBAUFBQUFBQYGBgYGBgYGBgYGBgYHBwcICAgHBwcGBgcHCAgICAkJCQgICAgJCQoKCgwMCwsODg4RERT/xABKAAEAAAAAAAAAAAAAAAAAAAAAAQEAAAAAAAAAAAAAAAAAAAAAEAEAAAAAAAAAAAAAAAAAAAAAEQEAAAAAAAAAAAAAAAAAAAAA/8AAEQgAEAAQAwESAAISAAMSAP/aAAwDAQACEQMRAD8AAAAA/9k=', 'base64');

/** Null where this ffmpeg cannot answer so: it is asked for the probe first. */
export async function startDecoder(size) {
  const decoder = new Decoder(size);
  return (await decoder.ask(PROBE)) === null ? null : decoder;
}

class Decoder {
  /** It ended, whatever made it end: nothing is answered any more. */
  over = false;
  #child;
  #read;
  #number = 0;
  /** What is asked at the moment. */
  #open = null;

  constructor(size) {
    this.#read = createReader(size);
    // One thread: the filters are made anew where sizes differ, and their threads with them.
    this.#child = start([...STRICT, ...INPUT, '-filter_threads', '1', ...grey(size), ...OUTPUT], 'pipe');
    this.#child.once('error', this.end);
    this.#child.once('close', this.end);
    // When it died, its end tells.
    this.#child.stdin.on('error', () => undefined);
    this.#child.stdout.on('data', this.#hear);
    this.#child.stderr.on('data', this.#doubt);
    process.once('exit', this.end);
    this.#child.stdin.write(OPENING);
  }

  /** The pixels of a JPEG, or null when the decoder gives none; why, only a look at it alone can tell. */
  ask(picture) {
    if (this.over) return Promise.resolve(null);
    return new Promise((resolve) => {
      const timers = [setTimeout(this.#doubt, SILENCE_MS), setTimeout(this.end, PATIENCE_MS)];
      this.#open = { number: this.#send(picture), doubted: false, timers, resolve };
    });
  }

  end = () => {
    this.over = true;
    process.off('exit', this.end);
    this.#child.kill('SIGKILL');
    this.#settle(null);
  };

  #send(picture) {
    this.#number += 1;
    this.#child.stdin.write(heading(this.#number, picture));
    this.#child.stdin.write(picture);
    return this.#number;
  }

  /** It complains, or is silent: of a picture that gives nothing, perhaps. Then the probe's answer will be the next. */
  #doubt = () => {
    if (this.#open === null || this.#open.doubted) return;
    this.#open.doubted = true;
    this.#send(PROBE);
  };

  /** Answers come in order: a later number says that this picture has none, an earlier one is nobody's any more. */
  #hear = (bytes) => {
    try {
      for (const { number, pixels } of this.#read(bytes)) {
        if (this.#open !== null && number >= this.#open.number) this.#settle(number === this.#open.number ? pixels : null);
      }
    } catch (error) {
      console.error(`The decoder is started anew; it said ${error.message}`);
      this.end();
    }
  };

  #settle(pixels) {
    if (this.#open === null) return;
    this.#open.timers.forEach(clearTimeout);
    this.#open.resolve(pixels);
    this.#open = null;
  }
}
