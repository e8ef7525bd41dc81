/** Pictures made by ffmpeg for the tests of the built-in models. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ffmpegProgram } from '../../src/lib/ffmpeg-program.ts';
import type { RunnerFrame } from '../../src/types.ts';

export interface Scene {
  readonly size?: string;
  /** Left edge of a white square of 100 pixels, in a picture 1280 wide. */
  readonly squareAt?: number;
  readonly brightness?: number;
  readonly format?: 'jpg' | 'png';
}

/** A noisy picture of a quiet scene, with what the scene says in it. */
export function paint(folder: string, name: string, { size = '1280x720', squareAt, brightness = 0, format = 'jpg' }: Scene = {}): string {
  const file = join(folder, `${name}.${format}`);
  const square = squareAt === undefined ? [] : [`drawbox=x=${squareAt}:y=300:w=100:h=100:color=white:t=fill`];
  const filters = ['vignette', ...square, `eq=brightness=${brightness}`, `scale=${size.replace('x', ':')}`, `noise=alls=8:all_seed=${name.length * 7919}`];
  execFileSync(ffmpegProgram(), ['-v', 'error', '-f', 'lavfi', '-i', 'color=0x707070:s=1280x720', '-vf', filters.join(','), '-frames:v', '1', '-q:v', '3', '-pix_fmt', format === 'jpg' ? 'yuvj420p' : 'rgb24', file]);
  return file;
}

export function framesOf(files: readonly string[], { stream = 'CAM_0', from = 0, width = 1280, height = 720 } = {}): readonly RunnerFrame[] {
  return files.map((file, index) => ({ index, stream, sequence: from + index, file, captured_at: new Date(Date.UTC(2025, 0, 1) + (from + index) * 3000).toISOString(), width, height }));
}
