/** Reads the binary clock of the demo camera back from a picture. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { CLOCK_FACE } from '../../src/demo/clock-face.ts';

const { bits, cells, height, ticks_per_second } = CLOCK_FACE;
const TICK_MS = 1000 / ticks_per_second;

/** The time in milliseconds drawn into a picture file (good to half a tick, 25 ms), the one nearest to `expectedMs`. */
export async function readBinaryClock(file: string, expectedMs: number): Promise<number> {
  const [drawnMs = NaN] = await readBinaryClocks([{ jpeg: await readFile(file), expectedMs }]);
  return drawnMs;
}

/** Of many pictures at once, of any sizes: a process costs more than it does with them. */
export async function readBinaryClocks(pictures: readonly { readonly jpeg: Uint8Array; readonly expectedMs: number }[]): Promise<readonly number[]> {
  if (pictures.length === 0) return [];
  const round = 2 ** bits * TICK_MS;
  const all = await readCells(pictures.map(({ jpeg }) => jpeg));
  return pictures.map(({ expectedMs }, index) => {
    const shown = (grayToNumber(bitsOf(all.subarray(index * cells, (index + 1) * cells))) + 0.5) * TICK_MS;
    return shown + Math.round((expectedMs - shown) / round) * round;
  });
}

/** The mean brightness of each cell, by the middle of the strip, one picture after the other. */
async function readCells(jpegs: readonly Uint8Array[]): Promise<Buffer> {
  const filters = `crop=iw:ih*${height}/2:0:ih*${height}/4,scale=${cells}:1:flags=area,format=gray`;
  const args = ['-v', 'error', '-f', 'image2pipe', '-c:v', 'mjpeg', '-i', 'pipe:0', '-vf', filters, '-fps_mode', 'passthrough', '-f', 'rawvideo', 'pipe:1'];
  const running = promisify(execFile)('ffmpeg', args, { encoding: 'buffer' });
  running.child.stdin?.end(Buffer.concat(jpegs));
  return (await running).stdout;
}

/** Cut at the middle between the reference cells. */
function bitsOf(gray: Buffer): readonly boolean[] {
  const cell = (index: number): number => gray.at(index) ?? Number.NaN;
  const white = Math.min(cell(0), cell(cells - 1));
  const black = Math.max(cell(1), cell(cells - 2));
  if (!(white - black > 100)) throw new Error(`the picture shows no binary clock: ${[...gray].join(' ')}`);
  return Array.from({ length: bits }, (_, bit) => cell(bit + 2) > (white + black) / 2);
}

/** Gray code, lowest bit first: each bit of the number is the parity of the code's bits from there up. */
function grayToNumber(code: readonly boolean[]): number {
  return code.reduceRight(({ number, odd }, bit) => {
    const one = odd !== bit;
    return { number: number * 2 + Number(one), odd: one };
  }, { number: 0, odd: false }).number;
}
