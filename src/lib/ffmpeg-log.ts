/** What ffmpeg says in its log and through framecrc, as data: pictures decoded, packets and pictures written, complaints. */

export type LogLine =
  /** A picture left the decoder. */
  | ({ readonly kind: 'decoded' } & DecodedPicture)
  /** A picture was picked, of all pictures the one of this index. */
  | ({ readonly kind: 'picked'; readonly index: number } & Decoded)
  | { readonly kind: 'complaint'; readonly text: string };

export interface Decoded {
  readonly ptsSeconds: number;
  readonly width: number;
  readonly height: number;
}

export interface DecodedPicture extends Decoded {
  readonly key: boolean;
  /** Blocks of 16 x 16 that the decoder made up, because what held them was lost. */
  readonly madeUp: number;
}

/** What framecrc says of a packet: one that arrived, or a picture that was written. */
export interface Packet extends Decoded {
  readonly key: boolean;
  readonly bytes: number;
  /** ffmpeg puts it together from pieces, and tells of it when the first piece of the next one has come. */
  readonly pieced: boolean;
}

/** The names given to the filters that see every decoded and every picked picture; ffmpeg prints them before each of their lines. */
export const DECODED_FILTER = 'showinfo@decoded';
export const PICKED_FILTER = 'showinfo@picked';

const SHOWINFO = /^\[showinfo@(decoded|picked) @ \w+\] (?:\[info\] )?n: *(\d+) pts: *(-?\d+) .* s:(\d+)x(\d+) (?:i:\w iskey:(\d))?/;
const SHOWINFO_BASE = /^\[showinfo@(decoded|picked) @ \w+\] (?:\[info\] )?config in time_base: (\d+)\/(\d+)/;
/** framecrc: stream, dts, pts, duration, size, checksum, and flags where they are not just that of a key frame. */
const PACKET = /^0, *-?\d+, *(-?\d+), *\d+, *(\d+), 0x[0-9a-f]+(?:, F=(0x[0-9a-f]+))?/i;
const KEY_FLAG = 1;
/** How ffmpeg prints a packet time that it does not know. */
const NO_TIME = '-9223372036854775808';
const TIME_BASE = /^#tb 0: (\d+)\/(\d+)/;
const SIZE = /^#dimensions 0: (\d+)x(\d+)/;
const PIECED = /^#codec_id 0: (?:h264|hevc)$/;
const MADE_UP = /\bconcealing (\d+) DC, /;
/** It comes to nothing; from ffmpeg 6.1 on in other words. */
export const UNDECODED = /^Error (?:while decoding stream|submitting packet to decoder)/;
const COMPLAINT = /\[(?:error|fatal|panic)\] (.*)$/;

/** A parser for one log: it remembers the time bases that come first. The seconds that ffmpeg prints have six digits in all, too few after a day. */
export function logParser(): (line: string) => LogLine | null {
  const secondsPerTick = new Map<string, number>();
  let madeUp = 0;
  return (line) => {
    const [, filter = '', over = '', under = ''] = SHOWINFO_BASE.exec(line) ?? [];
    if (filter !== '') secondsPerTick.set(filter, Number(over) / Number(under));
    const [, kind = '', index, pts, width, height, key] = SHOWINFO.exec(line) ?? [];
    if (kind !== '') {
      const picture = { ptsSeconds: Number(pts) * (secondsPerTick.get(kind) ?? NaN), width: Number(width), height: Number(height) };
      if (kind === 'picked') return { kind, index: Number(index), ...picture };
      const decoded = { kind: 'decoded', ...picture, key: key === '1', madeUp } as const;
      madeUp = 0;
      return decoded;
    }
    madeUp += Number(MADE_UP.exec(line)?.[1] ?? 0);
    const complaint = COMPLAINT.exec(line);
    if (UNDECODED.test(complaint?.[1] ?? '')) madeUp = 0;
    return complaint?.[1] ? { kind: 'complaint', text: complaint[1] } : null;
  };
}

/** A parser for what one framecrc says: it remembers the time base, the size and the codec that come first. */
export function packetParser(): (line: string) => Packet | null {
  let secondsPerTick = 1 / 90_000;
  let [width, height] = [0, 0];
  let pieced = false;
  return (line) => {
    const base = TIME_BASE.exec(line);
    if (base) secondsPerTick = Number(base[1]) / Number(base[2]);
    const size = SIZE.exec(line);
    if (size) [width, height] = [Number(size[1]), Number(size[2])];
    pieced ||= PIECED.test(line);
    const packet = PACKET.exec(line);
    if (!packet || packet[1] === NO_TIME) return null;
    const key = (Number(packet[3] ?? KEY_FLAG) & KEY_FLAG) !== 0;
    return { ptsSeconds: Number(packet[1]) * secondsPerTick, width, height, key, bytes: Number(packet[2]), pieced };
  };
}

const MOST_COMPLAINTS = 20;

/** Of many the last are kept: ffmpeg may complain for as long as it runs. */
export function keepComplaint(complaints: string[], text: string): void {
  complaints.push(text);
  if (complaints.length > MOST_COMPLAINTS) complaints.shift();
}

const DISK: readonly (readonly [string, string])[] = [['No space left on device', 'ENOSPC'], ['Disk quota exceeded', 'EDQUOT'], ['Read-only file system', 'EROFS'], ['Input/output error', 'EIO']];

/** What the disk had against it, as the system would say it to us. */
export function diskErrorIn(complaints: readonly string[]): Error | undefined {
  const [words, code] = DISK.find(([one]) => complaints.some((line) => line.includes(one))) ?? [];
  return code === undefined ? undefined : Object.assign(new Error(words), { code });
}
