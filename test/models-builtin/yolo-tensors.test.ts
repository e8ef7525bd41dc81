/** The tensors of models/animals: bytes to planes, YOLOX and YOLOv8 output to findings. */
import { describe, expect, it } from 'vitest';
import type { Box } from '../../src/types.ts';

interface Finding {
  readonly box: Box;
  readonly confidence: number;
  readonly label: number;
}
const { planes, yoloxDecoder, decodeYolov8 } = (await import(new URL('../../models/animals/yolo-tensors.mjs', import.meta.url).href)) as {
  readonly planes: (pixels: Uint8Array, layout: { order: 'rgb' | 'bgr'; scale: number }) => Float32Array;
  readonly yoloxDecoder: (input: { width: number; height: number }) => (values: Float32Array, atLeast: number) => readonly Finding[];
  readonly decodeYolov8: (values: Float32Array, rows: number, atLeast: number) => readonly Finding[];
};

describe('planes', () => {
  const twoPixels = Uint8Array.from([10, 20, 30, 40, 50, 255]);

  it('puts each colour into a plane of its own', () => {
    expect([...planes(twoPixels, { order: 'rgb', scale: 1 })]).toEqual([10, 40, 20, 50, 30, 255]);
  });

  it('turns the order around and scales', () => {
    expect([...planes(twoPixels, { order: 'bgr', scale: 1 / 255 })].map((value) => Math.round(value * 255))).toEqual([30, 255, 20, 50, 10, 40]);
    expect(planes(twoPixels, { order: 'bgr', scale: 1 / 255 })[1]).toBe(1);
  });
});

describe('YOLOX output', () => {
  const decode = yoloxDecoder({ width: 64, height: 32 });
  // Strides 8, 16 and 32: 8 x 4, 4 x 2 and 2 x 1 cells.
  const cells = 32 + 8 + 2;
  const classes = 3;
  const row = 5 + classes;

  function output(rows: Readonly<Record<number, readonly number[]>>): Float32Array {
    const values = new Float32Array(cells * row);
    for (const [cell, numbers] of Object.entries(rows)) values.set(numbers, Number(cell) * row);
    return values;
  }

  it('is read per cell: offset in cells, size as logarithm, objectness times class score', () => {
    const [found, ...others] = decode(output({ 10: [0.5, 0.25, Math.log(2), Math.log(3), 0.8, 0.1, 0.2, 0.9] }), 0.45);
    expect(others).toEqual([]);
    // Cell 10 of the first grid: column 2, line 1, stride 8.
    expect(found?.box.map((value) => Math.round(value * 100) / 100)).toEqual([20 - 8, 10 - 12, 20 + 8, 10 + 12]);
    expect(found?.label).toBe(2);
    expect(found?.confidence).toBeCloseTo(0.72);
  });

  it('has coarser grids after the first', () => {
    const [middle, coarse] = decode(output({ 37: [0, 0, 0, 0, 1, 1, 0, 0], 41: [0, 0, 0, 0, 1, 0, 1, 0] }), 0.45);
    expect(middle?.box).toEqual([8, 8, 24, 24]);
    expect(coarse?.box).toEqual([16, -16, 48, 16]);
  });

  it('gives nothing where objectness or the product is too small', () => {
    expect(decode(output({ 0: [0, 0, 0, 0, 0.4, 1, 0, 0], 1: [0, 0, 0, 0, 0.6, 0.6, 0, 0] }), 0.45)).toEqual([]);
  });

  it('is refused when it cannot belong to the input', () => {
    expect(() => decode(new Float32Array(cells * row + 1), 0.45)).toThrow('no YOLOX output for 64 x 32');
  });
});

describe('YOLOv8 output', () => {
  it('is read per column, and a column counts for its best class alone', () => {
    // Two boxes, three classes.
    const values = Float32Array.from([
      100, 300,
      50, 60,
      20, 10,
      40, 30,
      0.5, 0.1,
      0.875, 0.2,
      0.1, 0.3,
    ]);
    expect(decodeYolov8(values, 7, 0.45)).toEqual([{ box: [90, 30, 110, 70], confidence: 0.875, label: 1 }]);
    expect(decodeYolov8(values, 7, 0.25).map(({ label }) => label)).toEqual([1, 2]);
  });
});
