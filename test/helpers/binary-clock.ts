/** Reads the binary clock of the demo camera back from a picture. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { CLOCK_FACE } from '../../src/demo/clock-face.ts';

const { bits, cells, height, ticks_per_second } = CLOCK_FACE;
const TICK_MS = 1000 / ticks_per_second;

/** The time in milliseconds drawn into a picture file (good to half a tick, 25 ms), the one nearest to `expectedMs`. */
export async function readBinaryClock(file: string, expectedMs: number): Promise<number> {
  const round = 2 ** bits * TICK_MS;
  const shown = (grayToNumber(await readBits(file)) + 0.5) * TICK_MS;
  return shown + Math.round((expectedMs - shown) / round) * round;
}

/** The mean brightness of each cell, by the middle of the strip, cut at the middle between the reference cells. */
async function readBits(file: string): Promise<readonly boolean[]> {
  const filters = `crop=iw:ih*${height}/2:0:ih*${height}/4,scale=${cells}:1:flags=area,format=gray`;
  const args = ['-v', 'error', '-nostdin', '-i', file, '-frames:v', '1', '-vf', filters, '-f', 'rawvideo', 'pipe:1'];
  const { stdout } = await promisify(execFile)('ffmpeg', args, { encoding: 'buffer' });
  const cell = (index: number): number => stdout.at(index) ?? Number.NaN;
  const white = Math.min(cell(0), cell(cells - 1));
  const black = Math.max(cell(1), cell(cells - 2));
  if (!(white - black > 100)) throw new Error(`${file} shows no binary clock: ${[...stdout].join(' ')}`);
  return Array.from({ length: bits }, (_, bit) => cell(bit + 2) > (white + black) / 2);
}

/** Gray code, lowest bit first: each bit of the number is the parity of the code's bits from there up. */
function grayToNumber(code: readonly boolean[]): number {
  return code.reduceRight(({ number, odd }, bit) => {
    const one = odd !== bit;
    return { number: number * 2 + Number(one), odd: one };
  }, { number: 0, odd: false }).number;
}
