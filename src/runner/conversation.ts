/** What is said between Lookout and one warm runner: which calls are open, and what each message means for them. */
import type { LookoutError } from '../errors.ts';
import type { Json, Ready, RunnerAnswer, RunnerFrame } from '../types.ts';
import { arrange } from './answer.ts';
import type { OnLine } from './lines.ts';
import { parseLine, predictLine, type FrameFailure, type RunnerMessage } from './messages.ts';
import { Invalid } from './shape.ts';

/** What a conversation may do to the world outside. */
export interface Ears {
  ready(ready: Ready): void;
  /** Nothing more that the runner says can be believed, or it said so itself. `why` follows "the runner". */
  fatal(why: string): void;
  failure(why: string, frames: readonly FrameFailure[]): LookoutError;
}

export interface Conversation {
  readonly hear: OnLine;
  /** Opens a call: the line to send, and its answer. */
  ask(frames: readonly RunnerFrame[], options: Json): { readonly id: number; readonly line: string; readonly answer: Promise<RunnerAnswer> };
  /** Forgets a call; false: it was answered before. */
  drop(id: number): boolean;
  /** Ends every open call. */
  end(error: LookoutError): void;
}

interface Call {
  readonly frames: readonly RunnerFrame[];
  resolve(answer: RunnerAnswer): void;
  reject(error: LookoutError): void;
}

const SHOWN_CHARACTERS = 200;

export function converse(ears: Ears): Conversation {
  const calls = new Map<number, Call>();
  let lastId = 0;
  let greeted = false;
  let broken = false;

  const fatal = (why: string): void => {
    broken = true;
    ears.fatal(why);
  };

  const close = (id: number): Call => {
    const call = calls.get(id);
    if (call === undefined) throw new Invalid(`there is no open call ${id}`);
    calls.delete(id);
    return call;
  };

  const settle = (call: Call, { predictions, inference_ms }: RunnerAnswer): void => {
    try {
      call.resolve({ predictions: arrange(predictions, call.frames), inference_ms });
    } catch (error) {
      if (!(error instanceof Invalid)) throw error;
      call.reject(ears.failure(`the answer is not valid: ${error.message}`, []));
    }
  };

  const obey = (message: RunnerMessage): void => {
    switch (message.type) {
      case 'ready': {
        if (greeted) throw new Invalid('it was ready already');
        greeted = true;
        const { detector, labels, device, mix, slots } = message;
        ears.ready({ detector, labels, device, mix, slots });
        return;
      }
      case 'result':
        settle(close(message.id), message);
        return;
      case 'failed':
        close(message.id).reject(ears.failure(message.error.message, message.frames));
        return;
      case 'fatal':
        fatal(`gave up: ${message.error.message}`);
        return;
      default:
        message satisfies never;
    }
  };

  return {
    hear: (line, cut) => {
      if (broken) return;
      try {
        if (cut) throw new Invalid('a line is too long');
        obey(parseLine(line, (id) => calls.get(id)?.frames.length ?? 0));
      } catch (error) {
        // Whatever it is: thrown on, it would end Lookout, out of the stream that the line came by.
        fatal(`broke the protocol: ${error instanceof Invalid ? error.message : String(error)}: ${line.slice(0, SHOWN_CHARACTERS)}`);
      }
    },
    ask: (frames, options) => {
      const id = ++lastId;
      const answer = new Promise<RunnerAnswer>((resolve, reject) => {
        calls.set(id, { frames, resolve, reject });
      });
      return { id, line: predictLine({ id, frames, options }), answer };
    },
    drop: (id) => calls.delete(id),
    end: (error) => {
      for (const call of calls.values()) call.reject(error);
      calls.clear();
    },
  };
}
