/** What others wrote may hold anything, and a terminal obeys some of it. */

export function inOneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
}

/** Its lines stay lines. */
export function inLines(text: string): string {
  return text.split('\n').map(inOneLine).join('\n');
}
