/** Cuts a stream of text into lines with a bound on their length. */

/** `cut`: the line was longer than the limit and `text` is its beginning; the rest of it is gone. */
export type OnLine = (text: string, cut: boolean) => void;

export interface Lines {
  readonly push: (text: string) => void;
  /** The stream is over: what stands there without a line end is the last line. */
  readonly end: () => void;
}

/** Empty lines are left out; a carriage return ends a line too, as progress bars use it. `limit` counts characters. */
export function splitLines(limit: number, onLine: OnLine): Lines {
  let line = '';
  let skipping = false;

  const grow = (piece: string): void => {
    if (skipping) return;
    line += piece;
    if (line.length <= limit) return;
    onLine(line.slice(0, limit), true);
    line = '';
    skipping = true;
  };
  const finish = (): void => {
    if (line !== '') onLine(line, false);
    line = '';
    skipping = false;
  };

  return {
    push: (text) => {
      const [first = '', ...rest] = text.split(/[\r\n]/);
      grow(first);
      for (const piece of rest) {
        finish();
        grow(piece);
      }
    },
    end: finish,
  };
}
