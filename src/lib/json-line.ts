/** A value as JSON, whoever reads it. */

/** Some end a line for some readers, that of newer Node among them, the others a terminal obeys; JSON lets them stand as they are. */
const ODD = /[\u007f-\u009f\u2028\u2029]/g;

export function jsonText(value: unknown, indent = 0): string {
  return JSON.stringify(value, null, indent).replace(ODD, (odd) => `\\u${odd.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** In one line. */
export function jsonLine(value: unknown): string {
  return `${jsonText(value)}\n`;
}

/** undefined: no JSON. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
