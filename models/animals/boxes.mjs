/** Boxes, pure: where a frame lies inside a detector's input, the way back to the frame's pixels, and which boxes say the same. */

/**
 * Where a frame goes in an input of the given size. `squash` fills it and bends the proportions; `corner` and `centre`
 * keep them and leave an edge, on the right and below or all around.
 */
export function place(frame, input, how) {
  if (how === 'squash') return { left: 0, top: 0, width: input.width, height: input.height };
  const scale = Math.min(input.width / frame.width, input.height / frame.height);
  const width = Math.max(1, Math.round(frame.width * scale));
  const height = Math.max(1, Math.round(frame.height * scale));
  if (how === 'corner') return { left: 0, top: 0, width, height };
  return { left: Math.floor((input.width - width) / 2), top: Math.floor((input.height - height) / 2), width, height };
}

/** A box of the input as one of the frame: pixels to a tenth, inside the picture. */
export function toFrame([x1, y1, x2, y2], placed, frame) {
  const x = (value) => tenth(clamp((value - placed.left) / placed.width) * frame.width);
  const y = (value) => tenth(clamp((value - placed.top) / placed.height) * frame.height);
  return [x(x1), y(y1), x(x2), y(y2)];
}

const clamp = (share) => Math.min(1, Math.max(0, share));
const tenth = (value) => Math.round(value * 10) / 10;

/** Non-maximum suppression: the surest finding of each place, surest first; class does not matter, one animal is one finding. */
export function surest(findings, limit = 0.45) {
  const kept = [];
  for (const finding of [...findings].sort((a, b) => b.confidence - a.confidence)) {
    if (kept.every((other) => overlap(other.box, finding.box) <= limit)) kept.push(finding);
  }
  return kept;
}

/** Intersection over union, 0 to 1. */
export function overlap(a, b) {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  return (width * height) / (area(a) + area(b) - width * height);
}

const area = ([x1, y1, x2, y2]) => (x2 - x1) * (y2 - y1);
