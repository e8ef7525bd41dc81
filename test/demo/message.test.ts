import { describe, expect, it } from 'vitest';
import { formatResponse, interleavedHead, parseMessages } from '../../src/demo/message.ts';

const options = 'OPTIONS rtsp://host/street RTSP/1.0\r\nCSeq: 7\r\nUser-Agent: x\r\n\r\n';
const announce = 'ANNOUNCE rtsp://host/street RTSP/1.0\r\nCSeq: 8\r\nContent-Length: 5\r\n\r\nv=0\r\n';
const data = { kind: 'interleaved', channel: 3, bytes: Buffer.from('data') };
const packet = Buffer.concat([interleavedHead(3, 4), Buffer.from('data')]);

describe('RTSP messages', () => {
  it('are found wherever the bytes are cut', () => {
    const bytes = Buffer.concat([Buffer.from(options), packet, Buffer.from(announce), packet]);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const first = parseMessages(bytes.subarray(0, cut));
      const second = parseMessages(Buffer.concat([first.rest, bytes.subarray(cut)]));
      expect([...first.messages, ...second.messages].map((message) =>
        message.kind === 'request' ? [message.method, message.headers.get('cseq'), message.body] : message,
      )).toEqual([['OPTIONS', '7', ''], data, ['ANNOUNCE', '8', 'v=0\r\n'], data]);
      expect(second.rest).toHaveLength(0);
    }
  });

  it.each([
    ['another protocol', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), /not an RTSP\/1.0 request: GET/],
    ['a head without end', Buffer.alloc(20_000, 'x'), /longer than/],
    ['a body too large', Buffer.from(announce.replace('5', '99999999')), /body of 99999999/],
    ['a body of no length', Buffer.from(announce.replace('5', 'x')), /body of NaN/],
  ])('are not made from %s', (_, bytes, reason) => {
    expect(parseMessages(Buffer.concat([packet, bytes, packet])).messages).toEqual([data, { kind: 'malformed', reason: expect.stringMatching(reason) as string }]);
  });

  it('are answered with the sequence number of the request and the length of the body', () => {
    const [request] = parseMessages(Buffer.from(options)).messages;
    if (request?.kind !== 'request') throw new Error('no request');
    expect(formatResponse(request, { status: 404 })).toBe('RTSP/1.0 404 Not Found\r\nCSeq: 7\r\n\r\n');
    expect(formatResponse(request, { status: 503, body: 'größer' })).toBe('RTSP/1.0 503 Service Unavailable\r\nCSeq: 7\r\nContent-Length: 8\r\n\r\ngrößer');
  });
});
