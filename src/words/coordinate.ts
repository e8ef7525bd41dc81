/** Degrees as camera tables have them. */

export const DECIMAL_COMMA = /^\s*[+-]?(\d+,\d*|,\d+)(e[+-]?\d+)?\s*$/i;

/** null: no number from -limit to limit. A comma may be its decimal mark. */
export function parseCoordinate(text: string, limit: number): number | null {
  const plain = DECIMAL_COMMA.test(text) ? text.replace(',', '.') : text;
  if (!/^\s*[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?\s*$/i.test(plain)) return null;
  const value = Number(plain);
  return Math.abs(value) <= limit ? value : null;
}
