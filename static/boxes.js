/** What was found, drawn over its picture. */
import { svgElement } from './dom.js';

/** `boxes`: `{box, class, confidence}`, in pixels of a picture of this size, whatever the size is in which it is shown. */
export function overlay({ width, height }, boxes) {
  const letter = width / 28;
  /** Where labels are. */
  const taken = [];
  return svgElement('svg', { viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' }, ...boxes.map(({ box: [x1, y1, x2, y2], class: name, confidence }) => {
    const text = `${name} ${Math.round(confidence * 100)} %`;
    // Bold letters are at most 0.7 as wide as high: a label that could end beyond the picture is set from its right edge.
    const length = text.length * letter * 0.7;
    const fits = x1 + length < width;
    const [from, to] = fits ? [Math.max(x1, letter * 0.2), x1 + length] : [width - length, width];
    const isFree = (y) => taken.every((other) => Math.abs(other.y - y) > letter || other.to < from || other.from > to);
    // Above its box, else in it, below it, or at its foot; over another label only where there is no room.
    const places = [y1 - letter * 0.4, y1 + letter * 1.1, y2 + letter * 1.1, y2 - letter * 0.4].filter((y) => y >= letter && y <= height - 2);
    const y = places.find(isFree) ?? places[0] ?? height - 2;
    taken.push({ y, from, to });
    const label = svgElement('text', { x: fits ? from : width - letter * 0.2, 'text-anchor': fits ? 'start' : 'end', y, 'font-size': letter, 'stroke-width': letter / 5 }, text);
    return svgElement('g', {}, svgElement('rect', { x: x1, y: y1, width: Math.max(0, x2 - x1), height: Math.max(0, y2 - y1) }), label);
  }));
}
