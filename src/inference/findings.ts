/** What of a model's findings is kept: its manifest's classes, names and confidence applied. Pure. */
import type { Model, Prediction } from '../types.ts';

type Filter = Pick<Model, 'classes' | 'class_map' | 'confidence'>;

export function keepFindings({ classes, class_map, confidence }: Filter, predictions: readonly Prediction[]): readonly Prediction[] {
  return predictions.map((prediction) => {
    if ('error' in prediction) return prediction;
    const detections = prediction.detections
      .filter((one) => (classes === null || classes.includes(one.class)) && (confidence === null || one.confidence >= confidence))
      .map((one) => ({ ...one, class: renamed(one.class, class_map) }));
    return { index: prediction.index, detections };
  });
}

function renamed(name: string, class_map: Filter['class_map']): string {
  // A class may be called `constructor`.
  return Object.hasOwn(class_map, name) ? (class_map[name] ?? name) : name;
}

const LABELS_SHOWN = 20;

/** Says that none of the classes kept is among the labels that the runner told, so that nothing will ever be found. null: one is, or nobody can tell. */
export function neverFound({ classes, class_map }: Pick<Filter, 'classes' | 'class_map'>, labels: readonly string[] | null): string | null {
  if (classes === null || labels === null || classes.some((name) => labels.includes(name))) return null;
  const shown = labels.length > LABELS_SHOWN ? [...labels.slice(0, LABELS_SHOWN), '…'] : labels;
  const meant = Object.keys(class_map).filter((name) => labels.includes(name) && classes.includes(renamed(name, class_map)));
  const hint = meant.length === 0 ? '' : `; classes are the model's words before class_map: write ${meant.join(', ')}`;
  return `nothing will be found: of the classes ${classes.join(', ')} none is among the model's labels ${shown.join(', ') || '(it has none)'}${hint}`;
}
