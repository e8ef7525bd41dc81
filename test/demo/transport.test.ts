import { describe, expect, it } from 'vitest';
import { formatTransport, parseTransport } from '../../src/demo/transport.ts';

describe('the Transport header', () => {
  it.each([
    ['RTP/AVP/TCP;unicast;interleaved=4-5', { kind: 'tcp', rtp: 4, rtcp: 5 }],
    ['RTP/AVP/TCP;unicast', { kind: 'tcp', rtp: 0, rtcp: 1 }],
    ['RTP/AVP;unicast;client_port=5000-5001', { kind: 'udp', rtp: 5000, rtcp: 5001 }],
    ['RTP/AVP/UDP;unicast;client_port=5000', { kind: 'udp', rtp: 5000, rtcp: 5001 }],
    ['RTP/AVP;multicast;port=5000-5001,RTP/AVP/TCP;unicast;interleaved=0-1', { kind: 'tcp', rtp: 0, rtcp: 1 }],
  ] as const)('%s is understood', (header, transport) => {
    expect(parseTransport(header)).toEqual(transport);
  });

  it.each(['', 'RTP/AVP;multicast', 'RTP/AVP;unicast', 'RTP/AVP;unicast;client_port=70000-70001', 'RTP/AVP;unicast;client_port=0-1', 'RAW/RAW/UDP;unicast;client_port=1-2'])('"%s" is not served', (header) => {
    expect(parseTransport(header)).toBeNull();
  });

  it('tells a client its channels or both ends\' ports', () => {
    expect(formatTransport({ kind: 'tcp', rtp: 4, rtcp: 5 }, [6000, 6001])).toBe('RTP/AVP/TCP;unicast;interleaved=4-5');
    expect(formatTransport({ kind: 'udp', rtp: 5000, rtcp: 5001 }, [6000, 6001])).toBe('RTP/AVP;unicast;client_port=5000-5001;server_port=6000-6001');
  });
});
