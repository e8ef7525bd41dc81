/** What an error says. */

/** Several addresses of one name fail together, in an error that itself says nothing. */
export function wordsOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(wordsOf).join('; ');
  return (error instanceof Error ? error.message : '') || codeOf(error) || String(error);
}

/** Empty: it has none. */
export function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}
