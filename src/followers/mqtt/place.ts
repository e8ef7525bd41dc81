/** The broker's address as it is shown: there are no credentials in it. */

export function placeOf(url: string): string {
  const { protocol, hostname, port } = new URL(url);
  return `${protocol}//${hostname}:${port === '' ? usualPort(protocol) : port}`;
}

export function usualPort(protocol: string): number {
  return protocol === 'mqtts:' ? 8883 : 1883;
}
