/** Listens for HTTP, and stops listening. */
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { Log } from '../lib/log.ts';
import type { Config } from '../types.ts';
import { createHttpApp, type HttpOptions } from './app.ts';
import { boundConnections, connectionLimits } from './connections.ts';
import { bracketed } from './guard.ts';
import { listen } from './listen.ts';
import { answerMalformed } from './malformed.ts';
import { endSilentBodies } from './silent-bodies.ts';

export interface HttpServer {
  /** Where a browser on this machine finds the page. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** A port that is ours, so that nobody builds and connects for a server that cannot listen. */
export interface ClaimedPort extends HttpServer {
  /** Requests have waited for this. */
  readonly serve: (app: RequestListener) => void;
}

/** How long requests under way may take once the server closes. */
const GRACE_MS = 1000;
/** A client that is silent for so long is asked by TCP whether it is there: of a viewer that vanished nothing else tells while its camera sends nothing. */
const ASK_MS = 60_000;
/** Requests that may wait until the app is there; a client may send several over one connection. */
const MOST_WAITING = 100;

/** Throws `listen_failed`. */
export async function claimPort({ host, port: wanted }: Pick<Config, 'host' | 'port'>, log: Log, limits = connectionLimits()): Promise<ClaimedPort> {
  let app: RequestListener | null = null;
  const waiting: Parameters<RequestListener>[] = [];
  const { headMs: headersTimeout, requestMs: requestTimeout, checkMs: connectionsCheckingInterval } = limits;
  // A Host that is missing is for the guard to refuse, in words.
  const server = createServer({ headersTimeout, requestTimeout, connectionsCheckingInterval, requireHostHeader: false, keepAlive: true, keepAliveInitialDelay: ASK_MS }, (...asked) => {
    if (app) app(...asked);
    else if (waiting.length < MOST_WAITING) waiting.push(asked);
    else refuse(asked[1]);
  });
  const { isAnswering } = boundConnections(server, limits);
  answerMalformed(server, isAnswering);
  endSilentBodies(server, limits);
  await listen(server, host, wanted);
  server.on('error', (error) => { log.error('the server had an error', { reason: error.message }); });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : wanted;
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : bracketed(host);
  return {
    url: `http://${name}:${port}`,
    port,
    serve(given) {
      app = given;
      for (const asked of waiting.splice(0)) given(...asked);
    },
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

function refuse(response: ServerResponse): void {
  response.writeHead(503, { 'Content-Type': 'application/json', 'Retry-After': '5' }).end(JSON.stringify({ error: 'Lookout is starting; try again in a moment.', code: 'not_ready' }));
}

/** On a port that was claimed before, or on one that is claimed now. */
export async function startServer(options: HttpOptions, claimed?: ClaimedPort): Promise<HttpServer> {
  const port = claimed ?? await claimPort(options.config, options.log);
  port.serve(createHttpApp(options));
  return port;
}
