/** Steps in native code for one camera, each under a mark that stands only while it lasts. Its calls must come one after the other. */
import type { Mark } from '../../native/mark.ts';

export interface NativeSteps {
  /** For what is opened: whatever step is being done. */
  readonly mark: Mark;
  readonly run: <Result>(step: () => Promise<Result>) => Promise<Result>;
}

export type TakeMark = () => { readonly mark: Mark; readonly done: () => void };

export function createNativeSteps(take: TakeMark): NativeSteps {
  let current: Mark = () => undefined;
  return {
    mark(step) { current(step); },
    async run(step) {
      const { mark, done } = take();
      current = mark;
      try {
        return await step();
      } finally {
        done();
      }
    },
  };
}
