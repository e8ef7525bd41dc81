/** A value as JSON in one line, whoever reads it. */
export function jsonLine(value: unknown): string {
  // These two end a line for some readers, that of newer Node among them, and JSON lets them stand as they are.
  return `${JSON.stringify(value).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}\n`;
}
