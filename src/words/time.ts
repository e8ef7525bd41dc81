/** Which texts are a moment for everybody: RFC 3339. What else `Date.parse` takes is a guess (`yesterday 3` is in 2001). */

export function isTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i.test(text) && !Number.isNaN(Date.parse(text));
}

/** A place in a log from which somebody goes on. */
export function isLogPlace(text: string): boolean {
  return text === 'now' || text === 'beginning' || isTime(text);
}
