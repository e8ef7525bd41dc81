/** Where a redirect may lead: what an answer says is not trusted as lookout.yaml is. */

const MOST_REDIRECTS = 3;

/** The address to go on to, or why not. `followed`: redirects of this request that were followed before. */
export function redirected(from: URL, status: number, location: string | undefined, followed: number): URL | string {
  if (status !== 307 && status !== 308) return `it answered ${status}, after which nothing may be sent by POST again; write the address that it means into url`;
  const to = location !== undefined && URL.canParse(location, from.href) ? new URL(location, from.href) : null;
  if (to === null) return `it answered ${status} without an address to go on to`;
  if (to.hostname !== from.hostname) return `it sends us on to another host, ${to.hostname || '(none)'}, which is not followed; write that address into url if it is meant`;
  // From HTTP to HTTPS, but never back; other ports may be others' servers.
  const isSame = to.protocol === from.protocol && to.port === from.port;
  const isSafer = from.protocol === 'http:' && to.protocol === 'https:' && to.port === '';
  if (!isSame && !isSafer) return `it sends us on to ${to.protocol}//${to.host}, which is not followed: only the same place is, or its https`;
  if (followed >= MOST_REDIRECTS) return `it sends us on and on: more than ${MOST_REDIRECTS} redirects`;
  to.username = '';
  to.password = '';
  to.hash = '';
  return to;
}
