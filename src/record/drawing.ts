/** What a model found, as a sheet to be laid over the picture: boxes, and what is in them. Pure. */
import { GLYPH_HEIGHT, GLYPH_WIDTH, hasPoint, legible } from '../lib/glyphs.ts';
import type { Detection } from '../types.ts';

interface Size {
  readonly width: number;
  readonly height: number;
}

const RED = pixel(220, 0, 0);
const WHITE = pixel(255, 255, 255);
const MOST_LETTERS = 40;

/** RGBA, a byte each, transparent where nothing is drawn. Findings without a box are named at the upper left. */
export function drawFindings(findings: readonly Detection[], size: Size): Uint8Array {
  const sheet = new Uint32Array(size.width * size.height);
  // Legible on a picture of any size.
  const scale = Math.max(1, Math.round(size.height / 360));
  const line = scale + 1;
  const lineHeight = (GLYPH_HEIGHT + 2) * scale;
  let lines = 0;

  const fill = (left: number, top: number, right: number, bottom: number, colour: number): void => {
    const [from, to] = [Math.max(0, Math.round(left)), Math.min(size.width, Math.round(right))];
    if (from >= to) return;
    for (let y = Math.max(0, Math.round(top)); y < Math.min(size.height, Math.round(bottom)); y += 1) {
      sheet.fill(colour, y * size.width + from, y * size.width + to);
    }
  };
  /** As near to the place as it is seen as a whole. */
  const write = (text: string, x1: number, y1: number): void => {
    const letters = legible(text).split('');
    const width = (letters.length * (GLYPH_WIDTH + 1) + 1) * scale;
    const [left, top] = [Math.max(0, Math.min(x1, size.width - width)), Math.max(0, Math.min(y1, size.height - lineHeight))];
    fill(left, top, left + width, top + lineHeight, RED);
    for (const [place, letter] of letters.entries()) {
      for (let column = 0; column < GLYPH_WIDTH; column += 1) {
        for (let row = 0; row < GLYPH_HEIGHT; row += 1) {
          const x = left + (place * (GLYPH_WIDTH + 1) + 1 + column) * scale;
          const y = top + (1 + row) * scale;
          if (hasPoint(letter, column, row)) fill(x, y, x + scale, y + scale, WHITE);
        }
      }
    }
  };

  const frames = findings.flatMap(({ box }) => (box === undefined ? [] : [box]));
  for (const [x1, y1, x2, y2] of frames) {
    fill(x1, y1, x2, y1 + line, RED);
    fill(x1, y2 - line, x2, y2, RED);
    fill(x1, y1, x1 + line, y2, RED);
    fill(x2 - line, y1, x2, y2, RED);
  }
  // Over all the boxes, so that none hides a name.
  for (const { class: name, confidence, box } of findings) {
    const text = `${name.slice(0, MOST_LETTERS)} ${confidence.toFixed(2)}`;
    const [left, top] = box ?? [0, lines * lineHeight];
    if (box === undefined) lines += 1;
    // Above its box, or within where there is no room.
    write(text, left, box === undefined || top < lineHeight ? top : top - lineHeight);
  }
  return new Uint8Array(sheet.buffer);
}

/** Four bytes as one number, in this machine's order of them. */
function pixel(red: number, green: number, blue: number): number {
  return new Uint32Array(Uint8Array.of(red, green, blue, 255).buffer)[0] ?? 0;
}
