/** A server that answers as S3 does where no real one can be made to: refusals, faults, silence. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface Asked {
  readonly method: string;
  /** Decoded. */
  readonly key: string;
  readonly query: URLSearchParams;
  readonly request: IncomingMessage;
}

export type Answer = (response: ServerResponse, asked: Asked) => void;

export interface Stub {
  readonly endpoint: string;
  /** `<method> <key>` of all requests, in order. */
  readonly asked: readonly string[];
  /** Requests that were under way at once. */
  readonly most: () => number;
  /** What is answered from now on; undefined: that all is well. */
  answer: (asked: Asked) => Answer | undefined;
  close(): Promise<void>;
}

export async function startStub(tls?: { readonly key: string; readonly cert: string }): Promise<Stub> {
  const asked: string[] = [];
  let [now, most] = [0, 0];
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://stub');
    const one = { method: request.method ?? '', key: url.pathname.split('/').slice(2).map(decodeURIComponent).join('/'), query: url.searchParams, request };
    asked.push(`${one.method} ${one.key}`);
    now += 1;
    most = Math.max(most, now);
    response.on('close', () => { now -= 1; });
    await buffer(request).catch(() => undefined);
    (stub.answer(one) ?? fine)(response, one);
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void => { void serve(request, response); };
  const server = tls ? createSecureServer(tls, listener) : createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stub: Stub = {
    endpoint: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    most: () => most,
    answer: () => undefined,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  return stub;
}

export const fine: Answer = (response, { method, query, key }) => {
  if (method === 'DELETE') response.writeHead(204).end();
  else if (query.has('uploads')) response.end(`<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>${encodeURIComponent(key)}</Key><UploadId>one</UploadId></InitiateMultipartUploadResult>`);
  else response.writeHead(200, { etag: '"d41d8cd98f00b204e9800998ecf8427e"' }).end();
};

export function error(status: number, code: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/xml', ...headers });
    response.end(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>Some words.</Message></Error>`);
  };
}

export const silence: Answer = () => undefined;
