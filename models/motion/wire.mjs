/**
 * What is said to a warm decoder and what it answers.
 *
 * To it: SMJPEG, which tells each picture's length before it, so that none waits for the next to begin, and its number.
 * From it: a line of ffmpeg's framecrc, which has the number again, and the picture as PGM. By the number an answer is
 * known to be this picture's, whatever the decoder left out or said twice.
 */
export const INPUT = ['-noautorotate', '-probesize', '32', '-analyzeduration', '0', '-f', 'smjpeg', '-c:v', 'mjpeg', '-i', 'pipe:0'];
/** A number is a time in milliseconds there, which nothing on the way may round. Raw video would come a picture late. */
export const OUTPUT = ['-map', '0:v', '-copyts', '-enc_time_base', '1:1000', '-c:v', 'pgm', '-f', 'tee', '[f=framecrc]pipe:1|[f=image2pipe]pipe:1'];

/** What goes before all pictures. */
export const OPENING = Buffer.from('\0\nSMJPEG\0\0\0\0\0\0\0\0_VID\0\0\0\x0c\0\0\0\0\0\x10\0\x10JFIFHEND', 'latin1');

/** What goes before a picture. */
export function heading(number, picture) {
  const bytes = Buffer.from('vidD........', 'latin1');
  bytes.writeUInt32BE(number, 4);
  bytes.writeUInt32BE(picture.length, 8);
  return bytes;
}

/** Takes the output as it comes; returns the answers that are whole by now: `{number, pixels}`. Throws when it is none of it. */
export function createReader({ width, height }) {
  const top = `P5\n${width} ${height}\n255\n`;
  const length = top.length + width * height;
  let rest = Buffer.alloc(0);

  return function read(bytes) {
    rest = Buffer.concat([rest, bytes]);
    const answers = [];
    for (let end = rest.indexOf('\n'); end !== -1; end = rest.indexOf('\n')) {
      const line = rest.toString('latin1', 0, end);
      let next = end + 1;
      if (!line.startsWith('#')) {
        const [, number, , , size] = line.split(',').map(Number);
        if (!Number.isInteger(number) || size !== length) throw new Error(`no line of a picture: ${line.slice(0, 200)}`);
        if (rest.length < next + length) break;
        const start = next + top.length;
        if (rest.toString('latin1', next, start) !== top) throw new Error('a picture of another size or kind');
        next += length;
        answers.push({ number, pixels: rest.subarray(start, next) });
      }
      rest = rest.subarray(next);
    }
    return answers;
  };
}
