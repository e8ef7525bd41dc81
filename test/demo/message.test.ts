import { describe, expect, it } from 'vitest';
import { createMessages, formatResponse, interleavedHead } from '../../src/demo/message.ts';

const options = 'OPTIONS rtsp://host/street RTSP/1.0\r\nCSeq: 7\r\nUser-Agent: x\r\n\r\n';
const announce = 'ANNOUNCE rtsp://host/street RTSP/1.0\r\nCSeq: 8\r\nContent-Length: 5\r\n\r\nv=0\r\n';
const data = { kind: 'interleaved', channel: 3, bytes: Buffer.from('data') };
const packet = Buffer.concat([interleavedHead(3, 4), Buffer.from('data')]);

describe('RTSP messages', () => {
  it('are found wherever the bytes are cut', () => {
    const bytes = Buffer.concat([Buffer.from(options), packet, Buffer.from(announce), packet]);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const read = createMessages();
      expect([...read(bytes.subarray(0, cut)), ...read(bytes.subarray(cut))].map((message) =>
        message.kind === 'request' ? [message.method, message.headers.get('cseq'), message.body] : message,
      )).toEqual([['OPTIONS', '7', ''], data, ['ANNOUNCE', '8', 'v=0\r\n'], data]);
    }
  });

  it.each([
    ['another protocol', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), /a message is no RTSP/],
    ['an answer', Buffer.from('RTSP/1.0 200 OK\r\n\r\n'), /not an RTSP\/1.0 request: RTSP/],
    ['a head without end', Buffer.from(`OPTIONS x RTSP/1.0\r\nX: ${'x'.repeat(70_000)}`), /no end within/],
    ['a body too large', Buffer.from(announce.replace('5', '99999999')), /has 99999999 bytes/],
    ['a body of no length', Buffer.from(announce.replace('5', 'x')), /has NaN bytes/],
  ])('are not made from %s', (_, bytes, reason) => {
    expect(createMessages()(Buffer.concat([packet, bytes, packet]))).toEqual([data, { kind: 'malformed', reason: expect.stringMatching(reason) as string }]);
  });

  it('are answered with the sequence number of the request and the length of the body', () => {
    const [request] = createMessages()(Buffer.from(options));
    if (request?.kind !== 'request') throw new Error('no request');
    expect(formatResponse(request, { status: 404 })).toBe('RTSP/1.0 404 Not Found\r\nCSeq: 7\r\n\r\n');
    expect(formatResponse(request, { status: 503, body: 'größer' })).toBe('RTSP/1.0 503 Service Unavailable\r\nCSeq: 7\r\nContent-Length: 8\r\n\r\ngrößer');
  });
});
