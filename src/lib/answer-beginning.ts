/** The beginning of an HTTP answer whose status says it all: a body that is long, or slow, is not waited for. */
import type { IncomingMessage } from 'node:http';

const MOST_BYTES = 65_536;
const LONGEST_MS = 1000;

/** Of a body that ends soon the connection can be used again; any other is broken off. */
export function beginningOf(response: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const stop = (): void => { response.destroy(); };
    const timer = setTimeout(stop, LONGEST_MS);
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= MOST_BYTES) stop();
    });
    // It was closed in the middle, perhaps by us.
    response.on('error', () => undefined);
    response.on('close', () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks).subarray(0, MOST_BYTES).toString());
    });
  });
}
