/**
 * Records in a gzip file, each in a member of its own, so that one can be read without what stands before it. A member says
 * in its header how long it is (as those of BGZF do), so that the next is found without unpacking this one; `zcat` reads
 * all of it as the text that it was.
 */
import type { FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { crc32, deflateRaw, gunzip } from 'node:zlib';
import { readAt } from '../lib/files.ts';

const deflate = promisify(deflateRaw);
/** The text of a member, or of several. Throws where one is damaged. */
export const unpack = promisify<Buffer, Buffer>(gunzip);

/** Deflated, with an extra field, without name and time, of no system in particular. */
const MAGIC = Buffer.from([0x1f, 0x8b, 0x08, 0x04, 0, 0, 0, 0, 0, 0xff]);
/** Eight bytes: the field `LO` of four, which hold the length of the member. */
const EXTRA = Buffer.from([8, 0, 0x4c, 0x4f, 4, 0]);
const HEADER_BYTES = MAGIC.length + EXTRA.length + 4;
const TRAILER_BYTES = 8;

export async function packMember(text: Buffer): Promise<Buffer> {
  const packed = await deflate(text);
  const numbers = Buffer.alloc(4 + TRAILER_BYTES);
  numbers.writeUInt32LE(HEADER_BYTES + packed.length + TRAILER_BYTES, 0);
  numbers.writeUInt32LE(crc32(text), 4);
  numbers.writeUInt32LE(text.length % 2 ** 32, 8);
  return Buffer.concat([MAGIC, EXTRA, numbers.subarray(0, 4), packed, numbers.subarray(4)]);
}

/** The record in a member, without what stands around it in the file. Throws where it is damaged. */
export async function unpackRecord(member: Buffer): Promise<string> {
  const text = (await unpack(member)).toString('utf8');
  return text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1);
}

/** Where the members of a file are, up to the first thing that is none. */
export async function* membersOf(handle: FileHandle): AsyncGenerator<{ readonly offset: number; readonly length: number }, void, void> {
  const { size } = await handle.stat();
  for (let offset = 0; offset < size; ) {
    const header = await readAt(handle, offset, HEADER_BYTES);
    if (header.length < HEADER_BYTES || !header.subarray(0, HEADER_BYTES - 4).equals(Buffer.concat([MAGIC, EXTRA]))) return;
    const length = header.readUInt32LE(HEADER_BYTES - 4);
    if (length <= HEADER_BYTES || offset + length > size) return;
    yield { offset, length };
    offset += length;
  }
}

/** Of the text in all members together; null: it does not end with a member, so it is unfinished or of another program. */
export async function textBytesIn(handle: FileHandle): Promise<number | null> {
  let [end, bytes] = [0, 0];
  for await (const { offset, length } of membersOf(handle)) {
    end = offset + length;
    bytes += (await readAt(handle, end - 4, 4)).readUInt32LE(0);
  }
  return end > 0 && end === (await handle.stat()).size ? bytes : null;
}
