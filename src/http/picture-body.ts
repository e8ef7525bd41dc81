/** Reads the picture that is the body of a request, within bytes: of one, and of all that are read at a time. */
import type { IncomingMessage } from 'node:http';
import { LookoutError } from '../errors.ts';

/** Resolves with what `use` makes of the body. Throws `too_large`, `too_many_at_once`, and `bad_request` where the body breaks off. */
export type WithPicture = <Result>(request: IncomingMessage, use: (bytes: Buffer) => Promise<Result>) => Promise<Result>;

/** Of the largest pictures, so many may be here at a time. */
const LARGEST_AT_ONCE = 8;
const LEAST_AT_ONCE = 100_000_000;

export function createPictureBodies(most: number): WithPicture {
  const mostInAll = Math.max(LEAST_AT_ONCE, LARGEST_AT_ONCE * most);
  let held = 0;
  const tooLarge = (): LookoutError => new LookoutError('too_large', `The picture has more than ${most} bytes (push_max_bytes); send a smaller one.`);

  return async (request, use) => {
    let own = 0;
    const hold = (bytes: number): LookoutError | null => {
      if (own + bytes > most) return tooLarge();
      if (held + bytes > mostInAll) return new LookoutError('too_many_at_once', 'Too many pictures come at this moment; send this one again in a moment.');
      own += bytes;
      held += bytes;
      return null;
    };
    try {
      if (Number(request.headers['content-length'] ?? 0) > most) throw tooLarge();
      return await use(await readAll(request, hold));
    } catch (error) {
      // What still comes is let go by piece: a client that is cut off does not read the answer.
      request.resume();
      throw error;
    } finally {
      held -= own;
    }
  };
}

/** `hold` answers why so many bytes more are too many; null: they are not. */
function readAll(request: IncomingMessage, hold: (bytes: number) => LookoutError | null): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    const settle = (how: () => void): void => {
      request.off('data', take).off('end', end).off('error', broken).off('close', broken);
      how();
    };
    const take = (piece: Buffer): void => {
      const refusal = hold(piece.length);
      if (refusal) settle(() => { reject(refusal); });
      else pieces.push(piece);
    };
    const end = (): void => { settle(() => { resolve(Buffer.concat(pieces)); }); };
    const broken = (): void => { settle(() => { reject(new LookoutError('bad_request', 'The request broke off before its body was here.')); }); };
    request.on('data', take).once('end', end).once('error', broken).once('close', broken);
  });
}
