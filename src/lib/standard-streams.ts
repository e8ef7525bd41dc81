/** Standard output and error, whose readers may go away at any time, or stop reading: `| head`, a log collector that hangs. */

let lost = 0;

/** Lines that nobody could be told, since the start. */
export const linesLost = (): number => lost;

/** `mostWaiting`: bytes that may wait for a reader who is slow. */
export function writeTo(stream: NodeJS.WritableStream & { readonly writableLength: number }, text: string, mostWaiting = Infinity): void {
  if (stream.writableLength > mostWaiting) {
    lost += 1;
    return;
  }
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
