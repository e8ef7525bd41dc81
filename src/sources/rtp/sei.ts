/** Supplemental information of H.264 (Annex D) that makes a key frame of a picture which is no IDR. */

/** It comes early, if at all. */
const MOST_BYTES = 1024;
const RECOVERY_POINT = 6;
/** What keeps three bytes of the data from reading like a start code. */
const ESCAPE = Buffer.from([0, 0, 3]);

/** Whether decoding may begin with this picture, and shows it whole at once: not only after some more, as where a stream refreshes itself bit by bit. */
export function isRecoveryPoint(bytes: Buffer, start: number, end: number): boolean {
  const payload = unescaped(bytes.subarray(start, Math.min(end, start + MOST_BYTES)));
  let at = 0;
  const number = (): number => {
    let sum = 0;
    while (payload[at] === 0xff) {
      sum += 0xff;
      at += 1;
    }
    sum += payload[at] ?? 0;
    at += 1;
    return sum;
  };
  while (at + 2 < payload.length) {
    const [type, size] = [number(), number()];
    // Its first number is how many pictures later; a bit that is set is the whole of a 0.
    if (type === RECOVERY_POINT) return size > 0 && ((payload[at] ?? 0) & 0x80) !== 0;
    at += size;
  }
  return false;
}

function unescaped(bytes: Buffer): Buffer {
  if (!bytes.includes(ESCAPE)) return bytes;
  const plain: number[] = [];
  let zeros = 0;
  for (const byte of bytes) {
    if (zeros < 2 || byte !== 3) plain.push(byte);
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return Buffer.from(plain);
}
