/** Asks models about frames as they come, and gathers what they say by batch. Answers wait in memory: a crash costs looks, never frames. */
import { untilAborted } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import type { Answers, Batch, Frame, Lane, Look, StreamRef } from '../types.ts';
import { createInOrder, type Looked } from './in-order.ts';

export interface AskingParts {
  readonly lane: (model: string) => Lane;
  /** Told of every look, by stream and model in the order of capture. */
  readonly looked: Looked;
  readonly clock: Clock;
}

export interface Asking {
  isAsked(frame: Frame): boolean;
  ask(frame: Frame, models: readonly string[], stream: StreamRef): void;
  /** The batch is whole: models that look by batch may begin. */
  closed(batch: Batch): void;
  /**
   * A look of each model at each frame. Once one model is done with the whole batch, the others have `joinMs` more (null:
   * as long as it takes); what stands in a door then is taken out, what is in a call is waited for. Throws the signal's
   * reason.
   */
  answers(batch: Batch, joinMs: number | null, signal: AbortSignal): Promise<Answers>;
  /** Takes the batch's frames out of the doors. Nobody is told: they are asked about again. */
  takeBack(batch: Batch): void;
  /** They are not asked about any more. */
  letGo(batch: Batch): void;
}

const isEmpty = (look: Look): boolean => 'detections' in look && look.detections.length === 0;

interface Asked {
  readonly looks: ReadonlyMap<string, Promise<Look>>;
  readonly giveUp: AbortController;
}

export function createAsking({ lane, looked, clock }: AskingParts): Asking {
  const asked = new Map<string, Asked>();
  const inOrder = createInOrder(looked);
  const unaskedOf = (model: string): Look => ({ skipped: lane(model).skipReason, identity: lane(model).identity });

  function takeBack({ frames }: Batch): void {
    for (const { key } of frames) {
      asked.get(key)?.giveUp.abort();
      asked.delete(key);
    }
  }

  async function lookOf(batch: Batch, frame: Frame, model: string, isOver: () => boolean): Promise<Look> {
    try {
      return await (asked.get(frame.key)?.looks.get(model) ?? unaskedOf(model));
    } catch (error) {
      if (!isOver()) throw error;
      const look = unaskedOf(model);
      inOrder.settle(batch, frame, model, look);
      return look;
    }
  }

  return {
    takeBack,
    isAsked: ({ key }) => asked.has(key),
    ask(frame, models, stream) {
      const giveUp = new AbortController();
      const looks = new Map(models.map((model) => {
        inOrder.expect(stream, frame, model);
        const look = lane(model).look(frame, stream, giveUp.signal);
        // Who waits for it is told as well.
        look.then((said) => { inOrder.settle(stream, frame, model, said); }, () => undefined);
        return [model, look];
      }));
      asked.set(frame.key, { looks, giveUp });
    },
    closed({ models, frames }) {
      for (const model of models) lane(model).batchClosed(frames.map(({ key }) => key));
    },
    async answers(batch, joinMs, signal) {
      let isOver = false;
      const cancels: (() => void)[] = [];
      const giveUp = (): void => {
        isOver = true;
        for (const { key } of batch.frames) asked.get(key)?.giveUp.abort();
      };
      const all = Promise.all(batch.models.map(async (model): Promise<readonly [string, readonly Look[]]> => {
        const looks = await Promise.all(batch.frames.map((frame) => lookOf(batch, frame, model, () => isOver)));
        // One that failed sets nobody a deadline: the others are all there is.
        if (joinMs !== null && cancels.length === 0 && !(lane(model).isInstant && looks.every(isEmpty)) && !looks.every((look) => 'error' in look)) cancels.push(clock.after(joinMs, giveUp));
        return [model, looks];
      }));
      try {
        return Object.fromEntries(await untilAborted(all, signal));
      } finally {
        for (const cancel of cancels) cancel();
        for (const { key } of batch.frames) asked.delete(key);
      }
    },
    letGo(batch) {
      takeBack(batch);
      for (const model of batch.models) for (const frame of batch.frames) inOrder.settle(batch, frame, model, unaskedOf(model));
    },
  };
}
