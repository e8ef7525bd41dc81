/** A receiver of webhooks, which keeps what it was sent and answers as a test wants. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Hooked {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Of it, as they came. */
  readonly bytes: Buffer;
  /** Of the connection, as the other end has it. */
  readonly port: number;
}

export interface Hook {
  readonly url: string;
  readonly requests: Hooked[];
  /** How the next requests are answered; the body was read. */
  answer: (request: Hooked, response: ServerResponse) => void;
  start(): Promise<void>;
  /** Whoever connects from now on is refused; it listens at the same port when it is started again. */
  stop(): Promise<void>;
}

interface HookOptions {
  readonly host?: string;
  /** Of https and the like; a plain one otherwise. */
  readonly serve?: (listener: RequestListener) => Server;
  readonly scheme?: string;
}

export async function startHook({ host = '127.0.0.1', serve = createServer, scheme = 'http' }: HookOptions = {}): Promise<Hook> {
  let port = 0;
  let server: Server | null = null;
  const hook: Hook = {
    get url() {
      return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}/hook`;
    },
    requests: [],
    answer: (_request, response) => { response.end('ok'); },
    async start() {
      server = serve((request, response) => { void receive(request, response); });
      server.listen(port, host);
      await once(server, 'listening');
      ({ port } = server.address() as AddressInfo);
    },
    async stop() {
      const running = server;
      server = null;
      running?.closeAllConnections();
      if (running?.listening) await new Promise((done) => running.close(done));
    },
  };

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return; // It broke off.
    }
    const bytes = Buffer.concat(chunks);
    const hooked = { path: request.url ?? '', headers: request.headers, body: bytes.toString(), bytes, port: request.socket.remotePort ?? 0 };
    hook.requests.push(hooked);
    hook.answer(hooked, response);
  }

  await hook.start();
  return hook;
}
