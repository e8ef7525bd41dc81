/** Hands on what models say of each stream in the order of capture, skips included, however the answers come. Passive. */
import type { Frame, Look, StreamRef } from '../types.ts';

export type Looked = (stream: StreamRef, frame: Frame, model: string, look: Look) => void;

/** A stream of frames. */
type Of = Pick<StreamRef, 'session'>;

export interface InOrder {
  /** The model is asked about the frame: what comes later waits for its answer. */
  expect(stream: StreamRef, frame: Frame, model: string): void;
  settle(of: Of, frame: Frame, model: string, look: Look): void;
}

interface Slot {
  stream: StreamRef;
  readonly frame: Frame;
  look: Look | null;
}

export function createInOrder(looked: Looked): InOrder {
  const lines = new Map<string, Slot[]>();
  const nameOf = ({ session }: Of, model: string): string => `${session} ${model}`;
  return {
    expect(stream, frame, model) {
      const line = lines.get(nameOf(stream, model)) ?? [];
      lines.set(nameOf(stream, model), line);
      const before = line.find((slot) => slot.frame.key === frame.key);
      if (before) {
        // Asked before, and taken back: what comes now is of a batch that had to wait.
        if (!before.look) before.stream = stream;
        return;
      }
      const later = line.findIndex((slot) => slot.frame.sequence > frame.sequence);
      line.splice(later < 0 ? line.length : later, 0, { stream, frame, look: null });
    },
    settle(of, frame, model, look) {
      const line = lines.get(nameOf(of, model));
      const slot = line?.find((one) => one.frame.key === frame.key);
      if (!line || !slot) return;
      slot.look ??= look;
      for (let [first] = line; first?.look; [first] = line) {
        line.shift();
        looked(first.stream, first.frame, model, first.look);
      }
      if (line.length === 0) lines.delete(nameOf(of, model));
    },
  };
}
