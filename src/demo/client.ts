/** One client's RTSP conversation (RFC 2326). Its session lives and dies with its connection. */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { errorInfo } from '../errors.ts';
import { challenge, type Credentials, isAuthorized } from './digest.ts';
import type { Feed } from './feed.ts';
import { createMessages, formatResponse, type Request, type Response } from './message.ts';
import { createPlayer, type Player, type UdpSockets } from './player.ts';
import { describeLive, TRACK } from './sdp.ts';
import { formatTransport, parseTransport } from './transport.ts';

export interface Station {
  readonly auth: Credentials | null;
  readonly timeoutSeconds: number;
  readonly udp: UdpSockets;
  /** By the path of a URL. */
  readonly feed: (path: string) => Feed | undefined;
  readonly dropped: (packets: number) => void;
}

interface Session {
  readonly id: string;
  readonly uri: string;
  readonly feed: Feed;
  readonly player: Player;
}

type Reply = (response: Response) => void;

interface Conversation {
  answer: (request: Request, reply: Reply) => Promise<void>;
  end: () => void;
}

/** Serves the client until it goes, is cut, or has said nothing for the session's timeout. */
export async function serveClient(socket: Socket, station: Station): Promise<void> {
  const conversation = createConversation(socket, station);
  const silence = setTimeout(() => { socket.destroy(); }, station.timeoutSeconds * 1000);
  try {
    const read = createMessages();
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      silence.refresh();
      for (const message of read(chunk)) {
        if (message.kind === 'interleaved') continue; // A receiver report: a sign of life.
        if (message.kind === 'malformed') {
          socket.write(formatResponse(null, { status: 400, body: message.reason }));
          return;
        }
        await conversation.answer(message, (response) => socket.write(formatResponse(message, response)));
      }
    }
  } catch {
    // The client has gone, as clients do.
  } finally {
    clearTimeout(silence);
    conversation.end();
    socket.destroy();
  }
}

function createConversation(socket: Socket, station: Station): Conversation {
  const nonce = randomBytes(16).toString('hex');
  let session: Session | null = null;

  const end = (): void => {
    session?.feed.leave(session.player);
    session = null;
  };

  /** The session that the request is about: named, or the only one when no name is given. */
  const sessionOf = ({ headers }: Request): Session | null => {
    const id = headers.get('session')?.split(';')[0]?.trim();
    return id === undefined || id === session?.id ? session : null;
  };

  const methods: Readonly<Record<string, (request: Request, reply: Reply) => void | Promise<void>>> = {
    async DESCRIBE({ uri }, reply) {
      const feed = station.feed(pathOf(uri));
      if (feed === undefined) { reply({ status: 404 }); return; }
      try {
        const body = describeLive(await feed.describe(), pathOf(uri));
        reply({ status: 200, headers: { 'Content-Base': `${uri.replace(/\/$/, '')}/`, 'Content-Type': 'application/sdp' }, body });
      } catch (error) {
        reply({ status: 503, headers: { 'Content-Type': 'text/plain' }, body: errorInfo(error).message });
      }
    },
    SETUP(request, reply) {
      const feed = station.feed(pathOf(request.uri));
      if (feed === undefined) { reply({ status: 404 }); return; }
      if (request.headers.has('session') && sessionOf(request) === null) { reply({ status: 454 }); return; }
      const transport = parseTransport(request.headers.get('transport') ?? '');
      if (transport === null) { reply({ status: 461 }); return; }
      const id = session?.id ?? randomBytes(8).toString('hex');
      end();
      session = { id, uri: request.uri, feed, player: createPlayer(transport, socket, station.udp, station.dropped) };
      const { rtp, rtcp } = station.udp;
      reply({ status: 200, headers: {
        Session: `${id};timeout=${station.timeoutSeconds}`,
        Transport: formatTransport(transport, [rtp.address().port, rtcp.address().port]),
      } });
    },
    PLAY(request, reply) {
      const playing = sessionOf(request);
      if (playing === null) { reply({ status: 454 }); return; }
      const position = playing.feed.position();
      const info = position && { 'RTP-Info': `url=${playing.uri};seq=${position.sequence};rtptime=${position.timestamp}` };
      reply({ status: 200, headers: { Session: playing.id, Range: 'npt=now-', ...info } });
      playing.feed.join(playing.player);
    },
    TEARDOWN(request, reply) {
      if (sessionOf(request) === null) { reply({ status: 454 }); return; }
      end();
      reply({ status: 200 });
    },
    GET_PARAMETER: keepAlive,
    SET_PARAMETER: keepAlive,
  };

  function keepAlive(request: Request, reply: Reply): void {
    const unknown = request.headers.has('session') && sessionOf(request) === null;
    reply({ status: unknown ? 454 : 200, ...(session && { headers: { Session: session.id } }) });
  }

  return {
    end,
    async answer(request, reply) {
      const method = Object.hasOwn(methods, request.method) ? methods[request.method] : undefined;
      if (request.method === 'OPTIONS') reply({ status: 200, headers: { Public: ['OPTIONS', ...Object.keys(methods)].join(', ') } });
      else if (method === undefined) reply({ status: 501 });
      else if (station.auth !== null && !isAuthorized(request.headers.get('authorization'), request.method, nonce, station.auth)) {
        reply({ status: 401, headers: { 'WWW-Authenticate': challenge(nonce) } });
      } else await method(request, reply);
    },
  };
}

/** The camera's path, from the URL of the whole or of its track. */
function pathOf(uri: string): string {
  return URL.canParse(uri) ? new URL(uri).pathname.replace(new RegExp(`(/${TRACK})?/?$`), '') : '';
}
