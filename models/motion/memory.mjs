/** The last picture of every stream, bounded: the stream not seen for longest is forgotten first. */

export function createMemory(most) {
  const last = new Map();
  return {
    /** Only what was captured earlier: a batch that is tried again is not compared with its own end. */
    before({ stream, captured_at }) {
      const known = last.get(stream);
      return known !== undefined && known.captured_at < captured_at ? known.pixels : null;
    },
    keep({ stream, captured_at }, pixels) {
      last.delete(stream);
      // A copy: the pixels are part of a longer buffer.
      last.set(stream, { captured_at, pixels: Uint8Array.from(pixels) });
      if (last.size > most) last.delete(last.keys().next().value);
    },
  };
}
