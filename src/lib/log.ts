/** One line per event: time, level, part, message, facts. Goes to stderr; stdout belongs to commands. */
import { jsonLine } from './json-line.ts';
import { createRepeats } from './repeats.ts';
import { hideCredentials } from './secrets.ts';
import { writeTo } from './standard-streams.ts';
import { inOneLine } from './terminal.ts';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

export interface Log {
  error(message: string, facts?: Facts): void;
  warn(message: string, facts?: Facts): void;
  info(message: string, facts?: Facts): void;
  debug(message: string, facts?: Facts): void;
  /**
   * A trouble that may come again and again, and to many: `what` happened to `of` (null: it says so itself), for the reason
   * in the facts. The first is a line at once; those that follow for the same reason are one line a minute.
   */
  repeated(level: LogLevel, what: string, of: string | null, facts: Facts): void;
  /** The same log for a part: its name stands in every line. */
  part(name: string): Log;
}

export type Facts = Readonly<Record<string, unknown>>;

const LEVELS: readonly LogLevel[] = ['error', 'warn', 'info', 'debug'];

/** Bytes of lines that may wait for a reader who hangs; what a command was asked for waits without end. */
const MOST_WAITING = 1_000_000;

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'text' | 'json';
  readonly write?: (line: string) => void;
}

export function createLog({ level, format, write = (line) => { writeTo(process.stderr, line, MOST_WAITING); } }: LogOptions): Log {
  function emit(at: LogLevel, part: string, message: string, facts: Facts = {}): void {
    if (LEVELS.indexOf(at) > LEVELS.indexOf(level)) return;
    const time = new Date().toISOString();
    write(
      format === 'json'
        ? jsonLine({ time, level: at, part, message: hideCredentials(message), ...hideInFacts(facts) })
        : `${inOneLine(`${time} ${at.padEnd(5)} ${part}: ${hideCredentials(message)}${factsText(hideInFacts(facts))}`)}\n`,
    );
  }
  const tell = createRepeats(emit);
  const logOf = (part: string): Log => ({
    error: (message, facts) => { emit('error', part, message, facts); },
    warn: (message, facts) => { emit('warn', part, message, facts); },
    info: (message, facts) => { emit('info', part, message, facts); },
    debug: (message, facts) => { emit('debug', part, message, facts); },
    repeated: (at, what, of, facts) => { tell({ level: at, part, what, of, facts }); },
    part: logOf,
  });
  return logOf('lookout');
}

export const silentLog: Log = createLog({ level: 'error', format: 'text', write: () => undefined });

function hideInFacts(facts: Facts): Facts {
  return JSON.parse(JSON.stringify(facts, (_key, value: unknown) => (typeof value === 'string' ? hideCredentials(value) : value))) as Facts;
}

function factsText(facts: Facts): string {
  return Object.entries(facts)
    .map(([key, value]) => ` ${key}=${typeof value === 'string' && !/\s/.test(value) ? value : JSON.stringify(value)}`)
    .join('');
}
