/** The synthetic scene as ffmpeg's filter graph: a street that is drawn once, and a dog, a car and a van that move. */
import { clockFilters } from './clock-face.ts';

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  /** A binary clock shows the picture's own time, from 0. */
  readonly clock: boolean;
  /** Strength of the noise over it, 0 to 100. */
  readonly noise: number;
}

/** x, y, width and height on a sheet of 1280 x 720, and a colour. */
type Block = readonly [number, number, number, number, string];

interface Sprite {
  readonly width: number;
  readonly height: number;
  readonly blocks: readonly Block[];
  /** Left and top edge over time, in the overlay filter's words. */
  readonly x: string;
  readonly y: string;
  readonly enable: string;
}

/** The graph for ffmpeg's lavfi input. The street and the sprites are drawn once; each picture only puts them together. */
export function sceneGraph(picture: Picture): string {
  const { width, height, fps } = picture;
  const chains = [
    [
      `gradients=s=${width}x${height}:r=${fps}:n=2:c0=0x6fa8dc:c1=0xf6dfb8:x0=0:y0=0:x1=0:y1=${Math.round(height * 0.6)}`,
      'format=yuv420p',
      ...street().map((block) => drawbox(block, picture)),
      'trim=end_frame=1',
      'loop=-1:1:0',
      `setpts=N/(${fps}*TB)[street]`,
    ],
    ...SPRITES.map(({ blocks, ...sprite }, index) => [
      `color=black@0:s=${scale(sprite.width, width / 1280)}x${scale(sprite.height, height / 720)}:r=1`,
      'format=yuva420p',
      ...blocks.map((block) => `${drawbox(block, picture)}:replace=1`),
      `trim=end_frame=1[sprite${index}]`,
    ]),
    ...SPRITES.map(({ x, y, enable }, index) => [
      `[${index === 0 ? 'street' : `with${index - 1}`}][sprite${index}]overlay=x='${x}':y='${y}':enable='${enable}'[with${index}]`,
    ]),
    [`[with${SPRITES.length - 1}]noise=alls=${picture.noise}:allf=t`, ...(picture.clock ? clockFilters('t', width, height) : [])],
  ];
  return chains.map((chain) => chain.join(',')).join(';');
}

const DOG: readonly Block[] = [
  [0, 20, 10, 34, '0x8a5a2b'], [8, 38, 96, 36, '0x8a5a2b'], [96, 16, 40, 34, '0x8a5a2b'], [132, 30, 20, 16, '0x6f4520'],
  [100, 4, 14, 30, '0x5c3818'], [122, 22, 6, 6, 'black'], [90, 40, 10, 22, '0xc0392b'],
];

const dogWith = (blocks: readonly Block[], enable: string): Sprite => ({
  width: 152, height: 108, blocks: [...DOG, ...blocks], x: 'mod(t*W/11,W+w)-w', y: 'H*0.6', enable,
});

const wheel = (x: number, y: number): readonly Block[] => [[x, y, 40, 36, '0x1c1c1e'], [x + 12, y + 10, 16, 16, '0xb8b8b8']];

const SPRITES: readonly Sprite[] = [
  dogWith([[14, 70, 14, 38, '0x7a4e24'], [34, 70, 14, 34, '0x5c3818'], [70, 70, 14, 38, '0x7a4e24'], [90, 70, 14, 34, '0x5c3818']], 'lt(mod(t,0.6),0.3)'),
  dogWith([[6, 70, 14, 34, '0x5c3818'], [42, 70, 14, 38, '0x7a4e24'], [62, 70, 14, 34, '0x5c3818'], [98, 70, 14, 38, '0x7a4e24']], 'gte(mod(t,0.6),0.3)'),
  {
    width: 264, height: 110, x: 'mod(t*W/7+W/2,W+w)-w', y: 'H*0.735', enable: '1',
    blocks: [
      [60, 8, 130, 44, '0x8e1b22'], [72, 16, 50, 32, '0xbfe3f2'], [130, 16, 50, 32, '0xbfe3f2'], [4, 44, 256, 44, '0xc8232c'],
      [248, 52, 14, 14, '0xfff2b0'], [4, 52, 10, 14, '0xff6a4d'], ...wheel(40, 72), ...wheel(184, 72),
    ],
  },
  {
    width: 300, height: 150, x: 'W-mod(t*W/9+W/3,W+w)', y: 'H*0.79', enable: '1',
    blocks: [
      [70, 6, 228, 110, '0x2d6fb5'], [4, 56, 80, 60, '0x2d6fb5'], [20, 26, 56, 44, '0xbfe3f2'], [110, 40, 150, 34, '0xf4f6f8'],
      [0, 80, 12, 14, '0xfff2b0'], ...wheel(40, 106), ...wheel(210, 106),
    ],
  },
];

/** The sun, houses, a tree, pavement and road. */
function street(): readonly Block[] {
  return [
    [1050, 60, 64, 64, '0xfff0b3'], [0, 400, 1280, 60, '0x7fa66b'],
    ...house(50, 170, 230, 290, '0xb4614a', '0xf7e3a1'),
    ...house(310, 230, 190, 230, '0xd9c39a', '0x6d8796'),
    ...house(780, 140, 210, 320, '0x8d97a8', '0xf7e3a1'),
    ...house(1010, 220, 240, 240, '0xc98d5e', '0x5f7a88'),
    [626, 330, 24, 130, '0x6b4a2f'], [570, 220, 136, 120, '0x3f7d3a'], [594, 180, 88, 60, '0x4b8f45'],
    [0, 460, 1280, 66, '0xbcb7ac'], [0, 526, 1280, 8, '0x8c8983'], [0, 534, 1280, 186, '0x4a4d52'],
    ...Array.from({ length: 8 }, (_, index): Block => [30 + index * 160, 622, 90, 8, '0xe8e4d8']),
  ];
}

function house(x: number, y: number, wide: number, tall: number, wall: string, glass: string): readonly Block[] {
  const windows: Block[] = [];
  const columns = Math.floor((wide - 20) / 55);
  const margin = (wide - columns * 55 + 25) / 2;
  for (let top = y + 30; top < y + tall - 90; top += 60) {
    for (let column = 0; column < columns; column++) windows.push([x + margin + column * 55, top, 30, 36, glass]);
  }
  return [[x, y, wide, tall, wall], [x - 6, y - 10, wide + 12, 14, '0x5b4a42'], ...windows, [x + wide / 2 - 20, y + tall - 70, 40, 70, '0x4c3a31']];
}

function drawbox([x, y, wide, tall, colour]: Block, { width, height }: Picture): string {
  const across = width / 1280;
  const down = height / 720;
  return `drawbox=${scale(x, across)}:${scale(y, down)}:${scale(wide, across)}:${scale(tall, down)}:${colour}:fill`;
}

/** Even and at least two: colour has half the resolution, and drawbox takes zero for the whole picture. */
function scale(length: number, factor: number): number {
  return length === 0 ? 0 : Math.max(2, Math.round((length * factor) / 2) * 2);
}
