/** What a JPEG file has before its data: quantisers, size, the usual Huffman tables (RFC 2435, appendices A and B). */

/** Those of the JPEG standard (Annex K) for luma and chroma, in zigzag order. */
const STANDARD = [
  '100b0c0e0c0a100e0d0e1211101318281a181616183123251d283a333d3c3933383740485c4e404457453738506d51575f626768673e4d71797064785c656763',
  '1112121815182f1a1a2f634238426363636363636363636363636363636363636363636363636363636363636363636363636363636363636363636363636363',
].map((hex) => Buffer.from(hex, 'hex'));

/** Of all cameras that send JPEGs over RTP: DC and AC of luma, then of chroma, as segments of a file have them. */
const HUFFMAN = Buffer.from(
  'ffc401a20000010501010101010100000000000000000102030405060708090a0b'
  + '100002010303020403050504040000017d01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a3435363738393a434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa'
  + '0100030101010101010101010000000000000102030405060708090a0b'
  + '1100020102040403040705040400010277000102031104052131061241510761711322328108144291a1b1c109233352f0156272d10a162434e125f11718191a262728292a35363738393a434445464748494a535455565758595a636465666768696a737475767778797a82838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa',
  'hex',
);

const TABLE_BYTES = 64;

/** Both tables for a quality from 1 to 99, as the standard's are scaled for it; undefined: there is none such. */
export function tablesOf(quality: number): Buffer | undefined {
  if (quality < 1 || quality > 99) return undefined;
  const percent = quality < 50 ? Math.floor(5000 / quality) : 200 - 2 * quality;
  return Buffer.concat(STANDARD).map((value) => Math.min(255, Math.max(1, Math.floor((value * percent + 50) / 100)))) as Buffer;
}

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Colours at half the size both ways; otherwise in width alone. */
  readonly isHalvedBothWays: boolean;
  /** One table for all, or one for luma and one for chroma. */
  readonly quantisers: Buffer;
  /** Units between restarts; 0: there are none. */
  readonly restartInterval: number;
}

export function jpegHead({ width, height, isHalvedBothWays, quantisers, restartInterval }: Picture): Buffer {
  const luma = quantisers.subarray(0, TABLE_BYTES);
  const chroma = quantisers.length > TABLE_BYTES ? quantisers.subarray(TABLE_BYTES) : luma;
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    segment(0xe0, Buffer.from('4a46494600010100000100010000', 'hex')),
    segment(0xdb, Buffer.concat([Buffer.from([0]), luma, Buffer.from([1]), chroma])),
    segment(0xc0, Buffer.from([8, height >> 8, height & 0xff, width >> 8, width & 0xff, 3, 1, isHalvedBothWays ? 0x22 : 0x21, 0, 2, 0x11, 1, 3, 0x11, 1])),
    HUFFMAN,
    ...(restartInterval > 0 ? [segment(0xdd, Buffer.from([restartInterval >> 8, restartInterval & 0xff]))] : []),
    segment(0xda, Buffer.from([3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0])),
  ]);
}

function segment(marker: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0xff, marker, (bytes.length + 2) >> 8, (bytes.length + 2) & 0xff]), bytes]);
}
