/** Listens for HTTP, and stops listening. */
import { createServer, type Server } from 'node:http';
import { LookoutError } from '../errors.ts';
import { createHttpApp, type HttpOptions } from './app.ts';
import { bracketed } from './guard.ts';

export interface HttpServer {
  /** Where a browser on this machine finds the page. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** How long requests under way may take once the server closes. */
const GRACE_MS = 1000;

export async function startServer(options: HttpOptions): Promise<HttpServer> {
  const { host, port: wanted } = options.config;
  const server = createServer(createHttpApp(options));
  await listen(server, host, wanted);
  server.on('error', (error) => { options.log.error('the server had an error', { reason: error.message }); });
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
    const fail = (error: NodeJS.ErrnoException): void => {
      const why = error.code === 'EADDRINUSE' ? 'another program uses it; stop that one or choose another with --port' : error.message;
      reject(new LookoutError('listen_failed', `Cannot listen on ${bracketed(host)}:${port}: ${why}.`, { cause: error }));
    };
    server.once('error', fail);
    server.listen(port, host.replace(/^\[|\]$/g, ''), () => {
      server.off('error', fail);
      resolve();
    });
  });
}
