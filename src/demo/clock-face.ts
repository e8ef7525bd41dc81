/** A clock drawn into the picture as black and white squares, so that a receiver can tell when a picture was made. */

/**
 * A strip across the top of the picture, cut into equal cells: white, black, the bits with the lowest first, black,
 * white. The bits are the Gray code of the ticks, of which only one changes from tick to tick, because ffmpeg looks at
 * its clock once per cell and the tick may end between two looks.
 */
export const CLOCK_FACE = {
  bits: 16,
  cells: 20,
  ticks_per_second: 20,
  /** Of the picture's height. */
  height: 1 / 24,
} as const;

/** The filters that draw the clock. `seconds` is what it shows, in ffmpeg's words: `time(0)` (wall clock) or `t`. */
export function clockFilters(seconds: 'time(0)' | 't', width: number, height: number): readonly string[] {
  const { bits, cells, ticks_per_second } = CLOCK_FACE;
  const edge = (cell: number): number => Math.round((width * cell) / cells);
  const tall = Math.round(height * CLOCK_FACE.height);
  const white = (cell: number): string => `drawbox=${edge(cell)}:0:${edge(cell + 1) - edge(cell)}:${tall}:white:fill`;
  const lit = (bit: number): string => {
    const ticks = `${seconds}*${ticks_per_second}`;
    // Bit k of the Gray code is bit k + 1 of (ticks + 2^k); the highest is that of the ticks themselves.
    return `enable='mod(floor(${bit === bits - 1 ? `${ticks}/${2 ** bit}` : `${ticks}/${2 ** (bit + 1)}+0.5`}),2)'`;
  };
  return [
    `drawbox=0:0:${width}:${tall}:black:fill`,
    white(0),
    ...Array.from({ length: bits }, (_, bit) => `${white(bit + 2)}:${lit(bit)}`),
    white(cells - 1),
  ];
}
