/**
 * Looks at what a database sends before pg does, which collects a message of any length, goes round for ever in one that is
 * cut, and throws at other nonsense where nobody catches it. Whoever answers in a database's place ends its own connection only.
 */
import type { Readable } from 'node:stream';
import type { Client } from 'pg';

/** Of a message, and of all rows of an answer: these are few and short here, and errors say what somebody's own trigger makes of an item. */
const MOST_BYTES = 1_048_576;
/** A letter for the kind, and a length that counts itself. */
const [HEAD_BYTES, LENGTH_BYTES] = [5, 4];
const [ERROR, NOTICE, ROW, READY] = ['E', 'N', 'D', 'Z'].map((letter) => letter.charCodeAt(0));

export function guard(client: Client): void {
  const connection = client.connection as unknown as { attachListeners(stream: Readable): void };
  const attach = connection.attachListeners.bind(connection);
  connection.attachListeners = (stream) => {
    const check = createCheck();
    const guarded = (listener: (piece: Buffer) => void) => (piece: Buffer): void => {
      try {
        check(piece);
        listener(piece);
      } catch (error) {
        stream.destroy(new Error(`it does not speak as PostgreSQL does: ${error instanceof Error ? error.message : String(error)}`, { cause: error }));
      }
    };
    attach(Object.create(stream, {
      on: { value: (event: string, listener: (piece: Buffer) => void) => stream.on(event, event === 'data' ? guarded(listener) : listener) },
    }) as Readable);
  };
}

/** Told each piece as it comes, in order; throws at what pg must not see. */
function createCheck(): (piece: Buffer) => void {
  let head: number[] = [];
  /** Of a message, still to come. */
  let left = 0;
  /** Its last two bytes so far. */
  let end: readonly number[] = [];
  /** Bytes of all rows of this answer. */
  let rows = 0;

  function begin(byte: number): void {
    head.push(byte);
    if (head.length < HEAD_BYTES) return;
    left = Buffer.from(head).readUInt32BE(1) - LENGTH_BYTES;
    end = [];
    if (head[0] === READY) rows = 0;
    if (head[0] === ROW) rows += left;
    if (left < 0 || left > MOST_BYTES) throw new Error(`a message of ${left} bytes`);
    if (rows > MOST_BYTES) throw new Error(`more than ${MOST_BYTES} bytes of rows`);
    if (left === 0) finish();
  }

  function finish(): void {
    // Their fields are read until an empty one.
    if ((head[0] === ERROR || head[0] === NOTICE) && end.join() !== '0,0') throw new Error('a message that breaks off');
    head = [];
  }

  return (piece) => {
    for (let at = 0; at < piece.length;) {
      if (left === 0) {
        begin(piece.readUInt8(at));
        at += 1;
        continue;
      }
      const passed = piece.subarray(at, at + left);
      end = [...end, ...passed.subarray(-2)].slice(-2);
      at += passed.length;
      left -= passed.length;
      if (left === 0) finish();
    }
  };
}
