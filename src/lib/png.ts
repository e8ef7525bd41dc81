/** A PNG without what its picture is not made of. */

const SIGNATURE_BYTES = 8;
/** Length, name and checksum. */
const AROUND_BYTES = 12;
const PIXELS: readonly string[] = ['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND'];

/**
 * Its texts, profiles and further pictures are left out: they are compressed, and a megabyte of one becomes gigabytes in
 * whoever reads it. Breaks off where the chunks do.
 */
export function plainPng(bytes: Uint8Array): Buffer {
  const png = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const kept = [png.subarray(0, SIGNATURE_BYTES)];
  let headers = 0;
  for (let at = SIGNATURE_BYTES; at + AROUND_BYTES <= png.length;) {
    const end = at + AROUND_BYTES + png.readUInt32BE(at);
    const name = png.toString('latin1', at + 4, at + 8);
    if (name === 'IHDR') headers += 1;
    if (PIXELS.includes(name) && headers === 1) kept.push(png.subarray(at, end));
    if (name === 'IEND') break;
    at = end;
  }
  return Buffer.concat(kept);
}
