/** Cuts texts of unknown length, for messages and answers. */

/** At most so many characters, the last of them `…` where something was cut off. */
export function shorten(text: string, most: number): string {
  // Half of a surrogate pair is no text.
  return text.length <= most ? text : `${text.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
