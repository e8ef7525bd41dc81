/** Follows the packets that a broker sends by the lengths that their heads say: the library collects each, however long it is to be. */

/** Told each piece as it comes, in order; calls `onPacket` with the bytes that follow a packet's head before they have come. */
export function followPackets(onPacket: (bytes: number) => void): (piece: Uint8Array) => void {
  /** Of the packet that has begun, still to come. */
  let left = 0;
  let length = 0;
  /** Of the next digit of its length; 0: none has begun. */
  let factor = 0;

  function readHead(byte: number): void {
    if (factor === 0) {
      // What kind it is.
      [length, factor] = [0, 1];
      return;
    }
    length += (byte & 0x7f) * factor;
    factor = byte < 0x80 ? 0 : 128 * factor;
    if (factor > 0) return;
    left = length;
    onPacket(length);
  }

  return (piece) => {
    for (let at = 0; at < piece.length;) {
      const passed = Math.min(left, piece.length - at);
      left -= passed;
      at += passed;
      const byte = piece[at];
      if (byte === undefined) return;
      readHead(byte);
      at += 1;
    }
  };
}
