/** An error as it is told to the parent. */
import { errorInfo } from '../../../errors.ts';
import { Unsupported } from '../../rtsp/client.ts';
import type { FeedFailure } from '../messages.ts';

export function failureOf(error: unknown): FeedFailure {
  return { ...errorInfo(error), cause: codeIn(error), unsupported: error instanceof Unsupported };
}

/** The system's code of the error or of what is underneath. */
function codeIn(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return 'code' in error && 'syscall' in error ? String(error.code) : codeIn(error.cause);
}
