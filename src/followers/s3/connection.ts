/** The SDK's client, whose requests have a deadline, end with a signal, and are made a second time where that helps. */
import { setTimeout as pause } from 'node:timers/promises';
import { AbortMultipartUploadCommand, CreateMultipartUploadCommand, S3Client } from '@aws-sdk/client-s3';
import { LookoutError } from '../../errors.ts';
import { untilAborted } from '../../lib/abort.ts';
import { linked } from '../../lib/linked.ts';
import { FINDING } from '../../lib/names.ts';
import { mayPass } from './failure.ts';
import { placeOf, type S3Settings } from './settings.ts';

export interface Connection {
  /** A client whose requests end with this signal. */
  bound(signal: AbortSignal): S3Client;
  /** By which the target's clock is ahead of this machine's; the SDK signs by the target's. */
  clockOffsetMs(): number;
  close(): void;
}

type Command = Parameters<S3Client['send']>[0];

const MS = 1000;
/** A request may take a second more for so many bytes: a slow line is no dead one. */
const SLOWEST_BYTES = 4096;
const PAUSE_MS = 200;
/** Of an answer, which is of a few kB where it is S3's: the SDK would read all of any other, and look through it in one go. */
const MOST_HEARD_BYTES = 65_536;

export function connectionTo(settings: S3Settings): Connection {
  const { endpoint, region, access_key_id: accessKeyId, secret_access_key: secretAccessKey, session_token: sessionToken } = settings;
  const silence = settings.timeout_seconds * MS;
  // It tells on standard error which versions of itself will run on which versions of Node.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  const client = new S3Client({
    region,
    ...(endpoint !== null && { endpoint }),
    // What the environment says of endpoints is not what was set here.
    ignoreConfiguredEndpointUrls: true,
    forcePathStyle: settings.path_style ?? endpoint !== null,
    ...(accessKeyId !== null && secretAccessKey !== null && { credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== null && { sessionToken }) } }),
    // Tries are counted here: the SDK would wait for a server that asks for it, and not say so.
    maxAttempts: 1,
    // Servers other than Amazon's may refuse the checksums that newer SDKs add by themselves.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: silence, socketTimeout: silence, httpAgent: FINDING, httpsAgent: FINDING },
  });
  // Nearest to the wire: whatever looks at an answer has it from here.
  client.middlewareStack.add((next) => async (request) => {
    const result = await next(request);
    const answer = result.response as { readonly statusCode: number; readonly body: AsyncIterable<Uint8Array> };
    Object.assign(answer, { body: await wholeOf(answer.body) ?? tooLong(answer.statusCode) });
    return result;
  }, { step: 'deserialize', priority: 'low' });

  function tooLong(status: number): never {
    throw new LookoutError('target_away', `${placeOf(settings)} answers ${status}, but not as S3 does: with more than ${MOST_HEARD_BYTES / 1024} kB`);
  }

  async function once(command: Command, signal: AbortSignal): Promise<unknown> {
    const limit = linked(signal);
    const seconds = settings.timeout_seconds + Math.ceil(bytesOf(command) / SLOWEST_BYTES);
    const timer = setTimeout(() => { limit.abort(new LookoutError('target_away', `${placeOf(settings)} did not answer within ${seconds} s`)); }, seconds * MS);
    try {
      return await untilAborted(client.send(command, { abortSignal: limit.signal }), limit.signal);
    } finally {
      clearTimeout(timer);
      limit.release();
    }
  }

  async function send(command: Command, signal: AbortSignal): Promise<unknown> {
    // Of an upload whose answer nobody waited for, nobody would know the name when its parts are to be taken back.
    const until = command instanceof CreateMultipartUploadCommand || command instanceof AbortMultipartUploadCommand ? new AbortController().signal : signal;
    until.throwIfAborted();
    try {
      return await once(command, until);
    } catch (error) {
      if (until.aborted || !mayPass(error)) throw error;
      await pause(PAUSE_MS * (1 + Math.random()), undefined, { signal: until });
      return once(command, until);
    }
  }

  return {
    bound: (signal) => Object.create(client, { send: { value: (command: Command) => send(command, signal) } }) as S3Client,
    clockOffsetMs: () => client.config.systemClockOffset,
    close: () => { client.destroy(); },
  };
}

/** null: it is too long, and is broken off. */
async function wholeOf(body: AsyncIterable<Uint8Array>): Promise<Uint8Array | null> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body) {
    pieces.push(piece);
    bytes += piece.byteLength;
    if (bytes > MOST_HEARD_BYTES) return null;
  }
  return Buffer.concat(pieces);
}

function bytesOf({ input }: Command): number {
  return 'Body' in input && input.Body instanceof Uint8Array ? input.Body.byteLength : 0;
}
