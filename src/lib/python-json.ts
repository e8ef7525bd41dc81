/** What Python writes as JSON and JSON has not: NaN and Infinity. */

/** Strings first, in which they are text; one that is never closed reaches to the end, so that nobody can make this slow. */
const STRING_OR_NO_NUMBER = /"[^"\\]*(?:\\[^]?[^"\\]*)*(?:"|$)|-?\b(?:NaN|Infinity)\b/g;

/** The text with `instead` for each of them that stands outside of strings. */
export function replaceNoNumbers(text: string, instead: 'null' | '0'): string {
  return text.replace(STRING_OR_NO_NUMBER, (found) => (found.startsWith('"') ? found : instead));
}

/** As JSON.parse, with null for each of them. What it throws says what is wrong with the text as it is. */
export function parsePythonJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    try {
      return JSON.parse(replaceNoNumbers(text, 'null'));
    } catch {
      throw error;
    }
  }
}
