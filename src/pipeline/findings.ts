/** What of a model's findings is kept: its manifest's classes, names and confidence applied. Pure. */
import type { Model, Prediction } from '../types.ts';

type Filter = Pick<Model, 'classes' | 'class_map' | 'confidence'>;

export function keepFindings({ classes, class_map, confidence }: Filter, predictions: readonly Prediction[]): readonly Prediction[] {
  return predictions.map((prediction) => {
    if ('error' in prediction) return prediction;
    const detections = prediction.detections
      .filter((one) => (classes === null || classes.includes(one.class)) && (confidence === null || one.confidence >= confidence))
      .map((one) => ({ ...one, class: class_map[one.class] ?? one.class }));
    return { index: prediction.index, detections };
  });
}
