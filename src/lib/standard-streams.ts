/** Standard output and error, whose readers may go away at any time: `| head`, a log collector that restarts. */

let lost = 0;

/** Lines that nobody could be told, since the start. */
export const linesLost = (): number => lost;

export function writeTo(stream: NodeJS.WriteStream, text: string): void {
  stream.write(text, (error) => {
    if (error) lost += 1;
  });
}

/** From now on a reader that has gone costs lines, and not the process. */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', () => {
      // Whoever wrote the line counts it.
    });
  }
}
