/** Listens for HTTP, and stops listening. */
import { createServer, type Server } from 'node:http';
import { LookoutError } from '../errors.ts';
import { createHttpApp, type HttpOptions } from './app.ts';
import { bracketed, isLoopback } from './guard.ts';

export interface HttpServer {
  /** Where a browser on this machine finds the page. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** How long requests under way may take once the server closes. */
const GRACE_MS = 1000;

export async function startServer(options: HttpOptions): Promise<HttpServer> {
  const { host, token, insecure, port: wanted } = options.config;
  if (!isLoopback(host) && token === null && !insecure) {
    throw new LookoutError('config_invalid', `host ${host} lets other machines in: set a token, or --insecure if anybody may start streams and see pictures.`);
  }
  const server = createServer(createHttpApp(options));
  await listen(server, host, wanted);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : wanted;
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : bracketed(host);
  return {
    url: `http://${name}:${port}`,
    port,
    async close() {
      const cut = setTimeout(() => { server.closeAllConnections(); }, GRACE_MS);
      try {
        // Idle keep-alive connections end at once, requests under way get the grace.
        await new Promise((resolve) => server.close(resolve));
      } finally {
        clearTimeout(cut);
      }
    },
  };
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'another program uses it; stop that one or choose another with --port' : error.message;
      reject(new LookoutError('config_invalid', `Cannot listen on ${bracketed(host)}:${port}: ${why}.`, { cause: error }));
    });
    server.listen(port, host.replace(/^\[|\]$/g, ''), resolve);
  });
}
