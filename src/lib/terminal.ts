/** What others wrote may hold anything, and a terminal obeys some of it. */

/** Controls, what ends a line, and what turns the direction in which it is written. */
const OBEYED = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]+/g;

export function inOneLine(text: string): string {
  return text.replace(OBEYED, ' ');
}

/** Its lines stay lines. */
export function inLines(text: string): string {
  return text.split('\n').map(inOneLine).join('\n');
}
