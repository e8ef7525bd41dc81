/** Says what is wrong with what somebody sent: who sends many mistakes has made one many times. */

/** Of those, so many are told. */
export const MOST_FAULTS = 20;

/** The first of them in one line. `more`: so many are not told. */
export function joinFaults(faults: readonly string[], more = faults.length - MOST_FAULTS): string {
  return [...faults.slice(0, MOST_FAULTS), ...(more > 0 ? [`${more} more like these`] : [])].join('; ');
}
