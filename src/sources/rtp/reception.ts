/** What is received of a track: its packets, and the reports about them, both ways. */
import { randomBytes } from 'node:crypto';
import { createReceiver, type Track } from './receiver.ts';
import { createClockOffset, readReports, receiverReport } from './reports.ts';
import type { Assembler, Unit } from './unit.ts';

export interface Reception {
  /** On any channel: `bytes` from `start` to `end`. */
  packet(channel: number, bytes: Buffer, start: number, end: number): void;
  /** Something that came could not be read. */
  readonly lose: () => void;
  /** A report for the sender; null: there is none yet. */
  report(): Buffer | null;
  /** See Playing. */
  readonly clockOffsetMs: () => number | null;
}

/** With the channels of packets and of reports. */
export type Channelled = Track & { readonly packets: number; readonly reports: number };

export function createReception(track: Channelled, assembler: Assembler, onUnit: (unit: Unit, cameMs: number) => void, onGoodbye: () => void): Reception {
  const receiver = createReceiver(track, assembler, onUnit);
  const offset = createClockOffset();
  const own = randomBytes(4).readUInt32BE();
  let last: { readonly mark: number; readonly cameMs: number } | null = null;
  return {
    lose: receiver.lose,
    clockOffsetMs: offset.milliseconds,
    packet(channel, bytes, start, end) {
      if (channel === track.packets) receiver.packet(bytes, start, end, performance.now());
      else if (channel === track.reports) {
        const { sent, bye } = readReports(bytes, start, end);
        if (sent) {
          offset.came(sent.sentMs, Date.now());
          last = { mark: sent.mark, cameMs: performance.now() };
        }
        if (bye) onGoodbye();
      }
    },
    report() {
      if (receiver.sender === null) return null;
      const { highest, lost } = receiver.order;
      return receiverReport({ receiver: own, sender: receiver.sender, highest, lost, last: last && { mark: last.mark, agoMs: performance.now() - last.cameMs } });
    },
  };
}
