/** The Flask orchestrator's script says only in print that its model failed on a frame, and then reports that nothing was found there. */
import type { Prediction } from '../types.ts';
import { Invalid } from './shape.ts';

export function isPrintedFailure(line: string): boolean {
  return line.startsWith('Error during inference for ');
}

/**
 * The predictions with these failures as the errors of the frames without findings, in order. Where there are fewer of
 * them nobody can tell whose they are. Throws Invalid where it failed on every frame: it would on the next ones, too.
 */
export function withPrintedFailures(predictions: readonly Prediction[], failures: readonly string[]): readonly Prediction[] {
  const empty = predictions.filter((prediction) => 'detections' in prediction && prediction.detections.length === 0);
  if (failures.length < empty.length) return predictions;
  if (empty.length > 0 && empty.length === predictions.length) {
    throw new Invalid(`the program exited with code 0, but its model failed on each of the ${predictions.length} frames: ${failures[0] ?? ''}`);
  }
  return predictions.map((prediction) => {
    const message = failures[empty.indexOf(prediction)];
    return message === undefined ? prediction : { index: prediction.index, error: { code: 'bad_frame', message } };
  });
}
