/** What ffmpeg says in its log and through framecrc, as data: pictures decoded, picked and written, packets, complaints. */

export type LogLine =
  /** A picture left the decoder. */
  | { readonly kind: 'decoded'; readonly ptsSeconds: number }
  /** A picture, the `index`th from 0, passed the schedule and is about to be encoded. */
  | { readonly kind: 'picked'; readonly index: number; readonly ptsSeconds: number; readonly width: number; readonly height: number }
  | { readonly kind: 'complaint'; readonly text: string };

/** A packet that arrived. */
export interface Packet {
  readonly ptsSeconds: number;
  readonly key: boolean;
}

/** The names given to the two showinfo filters; ffmpeg prints them before each of their lines. */
export const DECODED_FILTER = 'showinfo@decoded';
export const PICKED_FILTER = 'showinfo@picked';

const SHOWINFO = /^\[(showinfo@\w+) @ \w+\] (?:\[info\] )?n: *(\d+) pts: *\S+ +pts_time: *(\S+) .* s:(\d+)x(\d+) /;
/** framecrc: stream, dts, pts, duration, size, checksum, and flags where they are not just that of a key frame. */
const PACKET = /^0, *-?\d+, *(-?\d+), *\d+, *(\d+), 0x[0-9a-f]+(?:, F=(0x[0-9a-f]+))?/i;
const KEY_FLAG = 1;
/** How ffmpeg prints a packet time that it does not know. */
const NO_TIME = '-9223372036854775808';
const TIME_BASE = /^#tb 0: (\d+)\/(\d+)/;
const COMPLAINT = /\[(?:error|fatal|panic)\] (.*)$/;

export function parseLog(line: string): LogLine | null {
  const shown = SHOWINFO.exec(line);
  if (shown) {
    const ptsSeconds = Number(shown[3]);
    if (shown[1] === DECODED_FILTER) return { kind: 'decoded', ptsSeconds };
    return { kind: 'picked', index: Number(shown[2]), ptsSeconds, width: Number(shown[4]), height: Number(shown[5]) };
  }
  const complaint = COMPLAINT.exec(line);
  return complaint?.[1] ? { kind: 'complaint', text: complaint[1] } : null;
}

/** A parser for the packets of one run: it remembers the time base that comes first. */
export function packetParser(): (line: string) => Packet | null {
  let secondsPerTick = 1 / 90_000;
  return (line) => {
    const base = TIME_BASE.exec(line);
    if (base) secondsPerTick = Number(base[1]) / Number(base[2]);
    const packet = PACKET.exec(line);
    if (!packet || packet[1] === NO_TIME) return null;
    return { ptsSeconds: Number(packet[1]) * secondsPerTick, key: (Number(packet[3] ?? KEY_FLAG) & KEY_FLAG) !== 0 };
  };
}

/** The number and size of a picture that was written; its time is its number. */
export function parseWritten(line: string): { readonly index: number; readonly bytes: number } | null {
  const written = PACKET.exec(line);
  return written && { index: Number(written[1]), bytes: Number(written[2]) };
}
