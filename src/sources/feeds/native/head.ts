/** What stands before fragments of MP4, for whoever plays them. */
import type { Mark } from './mark.ts';
import { openMp4, type Track } from './mp4.ts';

export async function headOf(track: Track, mark: Mark): Promise<Buffer> {
  const written: Buffer[] = [];
  const file = await openMp4(track, 'empty_moov+default_base_moof', (bytes) => { written.push(bytes); }, mark);
  const head = Buffer.concat(written);
  await file.free();
  return head;
}
