/** What was found, drawn over its picture. */
import { svgElement } from './dom.js';

/** `boxes`: `{box, class, confidence}`, in pixels of a picture of this size, whatever the size is in which it is shown. */
export function overlay({ width, height }, boxes) {
  const letter = width / 28;
  return svgElement('svg', { viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' }, ...boxes.map(({ box: [x1, y1, x2, y2], class: name, confidence }) => {
    const text = `${name} ${Math.round(confidence * 100)} %`;
    // Bold letters are at most 0.7 as wide as high: a label that could end beyond the picture is set from its right edge.
    const fits = x1 + text.length * letter * 0.7 < width;
    const label = svgElement('text', {
      x: fits ? Math.max(x1, letter * 0.2) : width - letter * 0.2, 'text-anchor': fits ? 'start' : 'end',
      y: y1 > letter * 1.4 ? y1 - letter * 0.4 : Math.min(y1 + letter * 1.1, height - 2),
      'font-size': letter, 'stroke-width': letter / 5,
    }, text);
    return svgElement('g', {}, svgElement('rect', { x: x1, y: y1, width: Math.max(0, x2 - x1), height: Math.max(0, y2 - y1) }), label);
  }));
}
