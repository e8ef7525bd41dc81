/** What an HTTP camera answers with: by its bytes wherever its label does not say. */
import type { IncomingMessage } from 'node:http';
import { LookoutError } from '../../errors.ts';
import { isPicture } from '../../lib/jpeg.ts';
import { shorten } from '../../lib/shorten.ts';

export type Kind =
  | { readonly kind: 'picture' }
  /** `boundary`: as the header has it; null: it does not say. */
  | { readonly kind: 'multipart'; readonly boundary: string | null }
  /** `format`: what ffmpeg calls it. */
  | { readonly kind: 'video'; readonly format: string }
  /** `isOver`: nothing comes after what it lists. */
  | { readonly kind: 'playlist'; readonly isOver: boolean };

/** Nothing that is known takes more to be told. */
const LONGEST_HEAD = 2048;
/** That is told. */
const LONGEST_TYPE = 100;
const LONGEST_PLAYLIST = 1024 * 1024;
const PLAYLIST = /^(application|audio)\/(x-|vnd\.apple\.)?mpegurl$/;

/** The kind of answer, of which nothing is lost. Throws `stream_codec`. */
export async function kindOf(answer: IncomingMessage): Promise<Kind> {
  const { 'content-type': label = '' } = answer.headers;
  const type = label.split(';')[0]?.trim().toLowerCase() ?? '';
  if (type.startsWith('multipart/')) return { kind: 'multipart', boundary: boundaryOf(label) };
  if (/^image\/(p?jpe?g|png)$/.test(type)) return { kind: 'picture' };
  const kind = PLAYLIST.test(type) ? 'playlist' : await firstSense(answer, kindOfBytes);
  if (kind === 'playlist') return { kind, isOver: await isOver(answer) };
  if (kind) return kind;
  throw new LookoutError('stream_codec', `the camera answers with ${shorten(type, LONGEST_TYPE) || 'something without a content type'}, which is no picture (JPEG, PNG), no MJPEG stream and no video that is known (MP4, MPEG-TS, FLV, Matroska, HLS)`);
}

/** The boundary that a content type names, without the dashes that some cameras write there; null: none. */
export function boundaryOf(contentType: string): string | null {
  const [, quoted, plain] = /;\s*boundary\s*=\s*(?:"([^"]+)"|([^\s;"]+))/i.exec(contentType) ?? [];
  return (quoted ?? plain ?? '').replace(/^-+/, '') || null;
}

const TS_PACKET = 188;
const TS_SYNC = 0x47;

/** null: unknown, or too short to say. */
function kindOfBytes(head: Buffer): Exclude<Kind, { kind: 'playlist' }> | 'playlist' | null {
  const text = head.toString('latin1');
  if (/^\uFEFF?#EXTM3U/.test(head.toString('utf8'))) return 'playlist';
  if (/^\s*--[^\r\n]{1,200}\r?\n([\w-]+:[^\n]*\n)*content-type: *image\//i.test(text)) return { kind: 'multipart', boundary: null };
  if (text.startsWith('ftyp', 4)) return { kind: 'video', format: 'mov' };
  if (text.startsWith('FLV')) return { kind: 'video', format: 'flv' };
  if (text.startsWith('\x1a\x45\xdf\xa3')) return { kind: 'video', format: 'matroska' };
  if (head[0] === TS_SYNC && head[TS_PACKET] === TS_SYNC) return { kind: 'video', format: 'mpegts' };
  return isPicture(head) ? { kind: 'picture' } : null;
}

async function isOver(playlist: AsyncIterable<Buffer>): Promise<boolean> {
  let text = '';
  for await (const piece of playlist) {
    text += piece.toString('latin1');
    if (text.length > LONGEST_PLAYLIST) break;
  }
  return text.includes('#EXT-X-ENDLIST');
}

/** What the first bytes of a body say, as soon as they do; they are put back. null: they never do. */
async function firstSense<Sense>(body: IncomingMessage, sense: (head: Buffer) => Sense | null): Promise<Sense | null> {
  let head = Buffer.alloc(0);
  for (;;) {
    const piece = body.read() as Buffer | null;
    if (piece !== null) {
      head = Buffer.concat([head, piece]);
      const found = sense(head);
      if (found === null && head.length < LONGEST_HEAD) continue;
      body.unshift(head);
      return found;
    }
    if (body.readableEnded || body.destroyed) return null;
    await moreOrEnd(body);
  }
}

function moreOrEnd(body: IncomingMessage): Promise<void> {
  const events = ['readable', 'end', 'close'];
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      for (const event of events) body.off(event, settle);
      body.off('error', settle);
      if (error) reject(new LookoutError('stream_ended', `the answer broke off: ${error.message}`, { cause: error }));
      else resolve();
    };
    for (const event of events) body.on(event, settle);
    body.on('error', settle);
  });
}
