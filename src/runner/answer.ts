/** Whether an answer speaks of the frames that it was asked about. */
import type { Prediction, RunnerFrame } from '../types.ts';
import { Invalid } from './shape.ts';

/** The predictions in the order of the frames; throws Invalid unless each frame is there exactly once. */
export function arrange(predictions: readonly Prediction[], frames: readonly RunnerFrame[]): readonly Prediction[] {
  const byIndex = new Map<number, Prediction>();
  for (const prediction of predictions) {
    if (byIndex.has(prediction.index)) throw new Invalid(`index ${prediction.index} is there twice`);
    byIndex.set(prediction.index, prediction);
  }
  const arranged = frames.map(({ index }) => {
    const prediction = byIndex.get(index);
    if (prediction === undefined) throw new Invalid(`index ${index} is missing`);
    byIndex.delete(index);
    return prediction;
  });
  for (const index of byIndex.keys()) throw new Invalid(`index ${index} is not of this call`);
  return arranged;
}
