/** Makes units of a track's RTP packets. A unit ends with its marked packet, or where the next time stamp begins, whichever comes first. */
import { createOrder, type Order } from './order.ts';
import { isMarked, payloadEnd, payloadStart, payloadTypeOf, senderOf, sequenceOf, timestampOf } from './packet.ts';
import { createTimestamps } from './timestamps.ts';
import type { Assembler, Unit } from './unit.ts';

export interface Receiver {
  /** A packet, `bytes` from `start` to `end`. Throws `stream_codec` where no picture can come of what comes. */
  packet(bytes: Buffer, start: number, end: number, nowMs: number): void;
  /** Some of what came cannot be read. */
  readonly lose: () => void;
  /** For reports. */
  readonly order: Pick<Order, 'highest' | 'lost'>;
  /** Who sends; null: nobody has yet. */
  readonly sender: number | null;
}

export interface Track {
  readonly payloadType: number;
  /** Ticks of its time stamps in a second. */
  readonly clockRate: number;
}

/** `cameMs`: when the unit's first packet came. */
export function createReceiver({ payloadType, clockRate }: Track, assembler: Assembler, onUnit: (unit: Unit, cameMs: number) => void): Receiver {
  const order = createOrder();
  const secondsOf = createTimestamps(clockRate);
  let sender: number | null = null;
  let timestamp = -1;
  let ptsSeconds = 0;
  let cameMs = 0;
  /** A packet of the unit has come. */
  let isOpen = false;
  /** Of the unit that a marked packet ended. */
  let closedAt = -1;
  /** Some mark each piece of a picture. */
  let areMarksWrong = false;

  function close(): void {
    isOpen = false;
    const unit = assembler.close(ptsSeconds);
    if (unit) onUnit(unit, cameMs);
  }

  return {
    order,
    get sender() {
      return sender;
    },
    lose: assembler.lose,
    packet(bytes, start, end, nowMs) {
      const from = payloadStart(bytes, start, end);
      if (from < 0 || payloadTypeOf(bytes, start) !== payloadType) return;
      const place = order.place(sequenceOf(bytes, start));
      if (place === 'late') return;
      sender = senderOf(bytes, start);
      if (place === 'after-loss') assembler.lose();
      const to = payloadEnd(bytes, start, end);
      if (from === to) return;
      const stamp = timestampOf(bytes, start);
      if (stamp !== timestamp) {
        if (isOpen) close();
        timestamp = stamp;
        ptsSeconds = secondsOf(stamp);
      }
      if (!isOpen) {
        isOpen = true;
        cameMs = nowMs;
      }
      assembler.add(bytes, from, to);
      // Some mark every packet: a picture does not end within a fragment.
      if (!isMarked(bytes, start) || assembler.isOpen) return;
      if (assembler.isContinued && closedAt === timestamp && place === 'next') areMarksWrong = true;
      if (areMarksWrong) return;
      closedAt = timestamp;
      close();
    },
  };
}
