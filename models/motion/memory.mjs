/** The last picture of every stream, bounded: the stream not seen for longest is forgotten first. */

export function createMemory(most) {
  const last = new Map();
  return {
    /** Only what came earlier: a batch that is tried again is not compared with its own end. */
    before(frame) {
      const known = last.get(frame.stream);
      return known !== undefined && isEarlier(known, frame) ? known.pixels : null;
    },
    keep({ stream, sequence, captured_at }, pixels) {
      last.delete(stream);
      // A copy: the pixels are part of a longer buffer.
      last.set(stream, { sequence, captured_at, pixels: Uint8Array.from(pixels) });
      if (last.size > most) last.delete(last.keys().next().value);
    },
  };
}

/** A clock may be set back, a sequence only rises; an older Lookout gives none. */
function isEarlier(known, frame) {
  const bySequence = known.sequence !== undefined && frame.sequence !== undefined;
  return bySequence ? known.sequence < frame.sequence : known.captured_at < frame.captured_at;
}
