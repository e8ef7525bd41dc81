/** Answers what never becomes a request of a route: bytes that are no HTTP, heads that are too large, requests that take too long. */
import { STATUS_CODES, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ErrorCode } from '../errors.ts';

interface Refusal {
  readonly status: number;
  readonly code: ErrorCode;
  readonly error: string;
}

/** By the code of Node's HTTP parser. */
const REFUSALS: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: { status: 431, code: 'too_large', error: 'The head of the request is larger than 16 kB; send less.' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, code: 'too_large', error: 'The chunks of the body have too much beside them; send less.' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, code: 'bad_request', error: 'The request did not come within its time; send it faster.' },
};
const NO_HTTP: Refusal = { status: 400, code: 'bad_request', error: 'This is no valid HTTP request.' };
const NO_TUNNEL: Refusal = { status: 405, code: 'method_not_allowed', error: 'This server is no proxy.' };
const NO_EXPECTATION: Refusal = { status: 417, code: 'bad_request', error: 'Expect may say 100-continue only.' };

/** `isAnswering`: what a client sends behind its request must not break the answer to that. */
export function answerMalformed(server: Server, isAnswering: (socket: Duplex) => boolean): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (socket.writable && error.code !== 'ECONNRESET' && !isAnswering(socket)) endWith(socket, REFUSALS[error.code ?? ''] ?? NO_HTTP);
    else socket.destroy();
  });
  server.on('connect', (_request, socket) => { endWith(socket, NO_TUNNEL); });
  server.on('checkExpectation', (_request, response) => {
    response.writeHead(NO_EXPECTATION.status, HEADERS).end(bodyOf(NO_EXPECTATION));
  });
}

/** Nobody reads on: without an end of its own it would stay open as long as the client likes. */
function endWith(socket: Duplex, refusal: Refusal): void {
  socket.end(inFull(refusal), () => { socket.destroy(); });
}

const HEADERS = { 'Content-Type': 'application/json; charset=utf-8', 'X-Content-Type-Options': 'nosniff', Connection: 'close' };

const bodyOf = ({ error, code }: Refusal): string => JSON.stringify({ error, code });

function inFull(refusal: Refusal): string {
  const body = bodyOf(refusal);
  const headers = Object.entries({ ...HEADERS, 'Content-Length': String(Buffer.byteLength(body)) }).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ''}`, ...headers, '', body].join('\r\n');
}
