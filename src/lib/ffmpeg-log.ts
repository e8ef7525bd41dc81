/** What ffmpeg says in its log and through framecrc, as data: pictures decoded, packets and pictures written, complaints. */

export type LogLine =
  /** A picture left the decoder. */
  | ({ readonly kind: 'decoded' } & Decoded)
  | { readonly kind: 'complaint'; readonly text: string };

export interface Decoded {
  readonly ptsSeconds: number;
  readonly width: number;
  readonly height: number;
}

/** What framecrc says of a packet: one that arrived, or a picture that was written. */
export interface Packet extends Decoded {
  readonly key: boolean;
  readonly bytes: number;
  /** ffmpeg puts it together from pieces, and tells of it when the first piece of the next one has come. */
  readonly pieced: boolean;
}

/** The name given to the filter that sees every decoded picture; ffmpeg prints it before each of its lines. */
export const DECODED_FILTER = 'showinfo@decoded';

const SHOWINFO = /^\[showinfo@decoded @ \w+\] (?:\[info\] )?n: *\d+ pts: *\S+ +pts_time: *(\S+) .* s:(\d+)x(\d+) /;
/** framecrc: stream, dts, pts, duration, size, checksum, and flags where they are not just that of a key frame. */
const PACKET = /^0, *-?\d+, *(-?\d+), *\d+, *(\d+), 0x[0-9a-f]+(?:, F=(0x[0-9a-f]+))?/i;
const KEY_FLAG = 1;
/** How ffmpeg prints a packet time that it does not know. */
const NO_TIME = '-9223372036854775808';
const TIME_BASE = /^#tb 0: (\d+)\/(\d+)/;
const SIZE = /^#dimensions 0: (\d+)x(\d+)/;
const PIECED = /^#codec_id 0: (?:h264|hevc)$/;
const COMPLAINT = /\[(?:error|fatal|panic)\] (.*)$/;

export function parseLog(line: string): LogLine | null {
  const shown = SHOWINFO.exec(line);
  if (shown) return { kind: 'decoded', ptsSeconds: Number(shown[1]), width: Number(shown[2]), height: Number(shown[3]) };
  const complaint = COMPLAINT.exec(line);
  return complaint?.[1] ? { kind: 'complaint', text: complaint[1] } : null;
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
