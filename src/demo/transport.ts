/** The Transport header of SETUP: what a client asks for and what it is told. */

export type Transport =
  | { readonly kind: 'tcp'; readonly rtp: number; readonly rtcp: number }
  | { readonly kind: 'udp'; readonly rtp: number; readonly rtcp: number };

/** The first transport of the header that can be served: channels of the connection, or ports of the client. */
export function parseTransport(header: string): Transport | null {
  for (const offer of header.split(',')) {
    const [protocol = '', ...parameters] = offer.split(';').map((part) => part.trim().toLowerCase());
    if (parameters.includes('multicast')) continue;
    if (protocol === 'rtp/avp/tcp') {
      const [rtp, rtcp] = pair(parameters, 'interleaved', 0, 255) ?? [0, 1];
      return { kind: 'tcp', rtp, rtcp };
    }
    if (protocol !== 'rtp/avp' && protocol !== 'rtp/avp/udp') continue;
    const ports = pair(parameters, 'client_port', 1, 65_535);
    if (ports !== null) return { kind: 'udp', rtp: ports[0], rtcp: ports[1] };
  }
  return null;
}

/** The Transport header of the answer. `serverPorts` are where UDP packets come from. */
export function formatTransport(transport: Transport, serverPorts: readonly [number, number]): string {
  const { rtp, rtcp } = transport;
  return transport.kind === 'tcp'
    ? `RTP/AVP/TCP;unicast;interleaved=${rtp}-${rtcp}`
    : `RTP/AVP;unicast;client_port=${rtp}-${rtcp};server_port=${serverPorts[0]}-${serverPorts[1]}`;
}

/** `name=first-second` as numbers from `min` to `max`; the second is the next number when it is left out. */
function pair(parameters: readonly string[], name: string, min: number, max: number): readonly [number, number] | null {
  const value = parameters.find((parameter) => parameter.startsWith(`${name}=`));
  const [, first, second] = /=(\d+)(?:-(\d+))?$/.exec(value ?? '') ?? [];
  if (first === undefined) return null;
  const numbers = [Number(first), Number(second ?? Number(first) + 1)] as const;
  return numbers.every((number) => number >= min && number <= max) ? numbers : null;
}
