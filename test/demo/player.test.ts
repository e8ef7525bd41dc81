import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMessages } from '../../src/demo/message.ts';
import { createPlayer, type UdpSockets } from '../../src/demo/player.ts';
import { openUdpSockets } from '../../src/demo/udp.ts';

let udp: UdpSockets;
let ours: Socket;
let theirs: Socket;

beforeEach(async () => {
  udp = await openUdpSockets('127.0.0.1');
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  theirs = connect((server.address() as AddressInfo).port, '127.0.0.1');
  [ours] = await once(server, 'connection') as [Socket];
  server.close();
});

afterEach(() => {
  ours.destroy();
  theirs.destroy();
  udp.rtp.close();
  udp.rtcp.close();
});

const packets = [{ kind: 'rtp', bytes: Buffer.alloc(1400, 1) }, { kind: 'rtcp', bytes: Buffer.alloc(52, 2) }] as const;

describe('a player', () => {
  it('sends packets on the channels that its client asked for', async () => {
    const player = createPlayer({ kind: 'tcp', rtp: 6, rtcp: 9 }, ours, udp, () => undefined);
    player.send(packets);
    ours.end();
    const bytes = Buffer.concat(await theirs.toArray() as Buffer[]);
    expect(createMessages()(bytes).map((message) => message.kind === 'interleaved' && [message.channel, message.bytes.length])).toEqual([[6, 1400], [9, 52]]);
  });

  it('lets packets go, and counts them, when its client does not read', () => {
    let dropped = 0;
    const player = createPlayer({ kind: 'tcp', rtp: 0, rtcp: 1 }, ours, udp, (count) => { dropped += count; });
    let sent = 0;
    for (; dropped === 0 && sent < 50_000_000; sent += 1460) player.send(packets);
    expect(dropped).toBe(2);
    expect(ours.writableLength).toBeLessThan(1_100_000);
  });
});

describe('the UDP sockets', () => {
  it('stand on an even port and the next', () => {
    expect(udp.rtp.address().port % 2).toBe(0);
    expect(udp.rtcp.address().port).toBe(udp.rtp.address().port + 1);
  });
});
