/** RTCP (RFC 3550, 6): what the sender reports, and what is reported to it so that it knows that somebody is there. */

export interface SenderReport {
  /** The camera's wall clock when it was sent, in milliseconds since 1970. */
  readonly sentMs: number;
  /** The middle of its NTP time, by which a report is answered. */
  readonly mark: number;
}

export interface Reports {
  /** Newest last; null: none was. */
  readonly sent: SenderReport | null;
  /** The sender says goodbye. */
  readonly bye: boolean;
}

const [SENDER_REPORT, RECEIVER_REPORT, DESCRIPTION, GOODBYE, CANONICAL_NAME] = [200, 201, 202, 203, 1];
/** Seconds from 1900, when NTP's time begins, to 1970. */
const NTP_EPOCH = 2_208_988_800;
/** Of a report without blocks, of the sender's part of one, and of a block. */
const [HEAD, SENT, BLOCK] = [8, 28, 24];

/** Those of a compound packet, `bytes` from `start` to `end`; what is none is passed over. */
export function readReports(bytes: Buffer, start: number, end: number): Reports {
  let sent: SenderReport | null = null;
  let bye = false;
  for (let at = start; at + 4 <= end && bytes.readUInt8(at) >> 6 === 2;) {
    const next = at + 4 + 4 * bytes.readUInt16BE(at + 2);
    if (next > end) break;
    const type = bytes.readUInt8(at + 1);
    if (type === SENDER_REPORT && next - at >= SENT) sent = senderReport(bytes, at) ?? sent;
    else if (type === GOODBYE) bye = true;
    at = next;
  }
  return { sent, bye };
}

/** null: cameras that do not know the time say 0. */
function senderReport(bytes: Buffer, at: number): SenderReport | null {
  const [seconds, fraction] = [bytes.readUInt32BE(at + 8), bytes.readUInt32BE(at + 12)];
  return seconds === 0 ? null : { sentMs: (seconds - NTP_EPOCH + fraction / 2 ** 32) * 1000, mark: bytes.readUInt32BE(at + 10) };
}

export interface Reception {
  /** Who reports, and about whom. */
  readonly receiver: number;
  readonly sender: number;
  readonly highest: number;
  readonly lost: number;
  /** The sender's last report, and how long ago it came. */
  readonly last: { readonly mark: number; readonly agoMs: number } | null;
}

/** A receiver report and the name of who sends it. */
export function receiverReport({ receiver, sender, highest, lost, last }: Reception): Buffer {
  const bytes = Buffer.alloc(HEAD + BLOCK + 16);
  bytes.writeUInt8(0x81, 0);
  bytes.writeUInt8(RECEIVER_REPORT, 1);
  bytes.writeUInt16BE((HEAD + BLOCK) / 4 - 1, 2);
  bytes.writeUInt32BE(receiver, 4);
  bytes.writeUInt32BE(sender, 8);
  bytes.writeUIntBE(Math.min(lost, 0x7fffff), 13, 3);
  bytes.writeUInt32BE(highest % 2 ** 32, 16);
  if (last) {
    bytes.writeUInt32BE(last.mark, 24);
    bytes.writeUInt32BE(Math.round((last.agoMs / 1000) * 65_536) % 2 ** 32, 28);
  }
  const name = HEAD + BLOCK;
  bytes.writeUInt8(0x81, name);
  bytes.writeUInt8(DESCRIPTION, name + 1);
  bytes.writeUInt16BE(3, name + 2);
  bytes.writeUInt32BE(receiver, name + 4);
  bytes.writeUInt8(CANONICAL_NAME, name + 8);
  // The rest is the end of the list.
  bytes.writeUInt8(4, name + 9);
  bytes.write('look', name + 10, 'latin1');
  return bytes;
}

const REMEMBERED = 10;

/** By how many milliseconds the camera's clock is ahead: a report that was on its way for long makes it seem less, so the most of the last ten counts. */
export function createClockOffset(): { came(sentMs: number, nowMs: number): void; readonly milliseconds: () => number | null } {
  let offsets: readonly number[] = [];
  return {
    came(sentMs, nowMs) {
      offsets = [...offsets.slice(1 - REMEMBERED), sentMs - nowMs];
    },
    milliseconds: () => (offsets.length === 0 ? null : Math.max(...offsets)),
  };
}
