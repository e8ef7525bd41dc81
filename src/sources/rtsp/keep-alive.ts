/** Signs of life, without which a camera ends its session. */
import { headersOf } from '../../lib/rtsp-messages.ts';
import type { Conversation } from './conversation.ts';

export interface Session {
  /** Of all that is asked within it. */
  readonly headers: Readonly<Record<string, string>>;
  /** Without a sign of life for so long it ends. */
  readonly seconds: number;
}

const [USUAL_SECONDS, LEAST_SECONDS, MOST_SECONDS] = [60, 1, 120];

/** The Session header of an answer. */
export function readSession(header: string): Session {
  const [id = '', ...parameters] = header.split(';').map((part) => part.trim());
  const said = Number(parameters.map((part) => /^timeout *= *(\d+)$/i.exec(part)?.[1]).find((one) => one !== undefined) ?? 0);
  return { headers: id === '' ? {} : { Session: id }, seconds: said > 0 ? Math.min(MOST_SECONDS, Math.max(LEAST_SECONDS, said)) : USUAL_SECONDS };
}

/** Asks for nothing, twice as often as need be, and calls `report` as often. Returns how to stop. */
export function keepAlive(conversation: Conversation, uri: string, { headers, seconds }: Session, report: () => void): () => void {
  let method = 'OPTIONS';
  const ask = async (): Promise<void> => {
    try {
      const answer = await conversation.ask(method, uri, headers);
      // The usual way, which not all know.
      if (headersOf(answer, 'public').some((methods) => /\bGET_PARAMETER\b/.test(methods))) method = 'GET_PARAMETER';
    } catch {
      // Whatever it has against the question, it may play on; if it does not, that is what ends it.
      method = 'OPTIONS';
    }
  };
  void ask();
  const timer = setInterval(() => {
    void ask();
    report();
  }, (seconds / 2) * 1000);
  return () => { clearInterval(timer); };
}
