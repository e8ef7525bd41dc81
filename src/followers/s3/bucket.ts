/** One bucket: what is put into it, and whether it can be. The SDK is large, so this is loaded when there is something to deliver. */
import { open } from 'node:fs/promises';
import { DeleteObjectCommand, HeadBucketCommand, HeadObjectCommand, PutObjectCommand, type PutObjectCommandInput, type StorageClass } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { errorInfo, LookoutError } from '../../errors.ts';
import { untilAborted } from '../../lib/abort.ts';
import { hasCode } from '../../lib/files.ts';
import { hiderOfSecrets } from '../../lib/secrets.ts';
import { shorten } from '../../lib/shorten.ts';
import { connectionTo } from './connection.ts';
import { failureOf, statusOf, spanInWords, type Failure } from './failure.ts';
import { stemOf } from './key.ts';
import { placeOf, type S3Settings } from './settings.ts';

/** What is to lie in the bucket. */
export interface Parcel {
  readonly key: string;
  readonly type: string;
  readonly gzipped?: boolean;
  /** Of the entry that it holds, kept beside it. */
  readonly sequence?: number;
  readonly body: Uint8Array | { readonly file: string };
}

export interface Bucket {
  /** It is there when this returns null; else why it never will be. Throws `target_away`, whose details say whether the bucket is gone. */
  put(parcel: Parcel, signal: AbortSignal): Promise<string | null>;
  /** Of the entry that lies there; null: none, or it is not to be learnt. */
  sequenceAt(key: string, signal: AbortSignal): Promise<number | null>;
  /** Writes and removes an object; answers in words. */
  test(signal: AbortSignal): Promise<string>;
  /** By which the target's clock is ahead of this machine's. */
  clockOffsetMs(): number;
  close(): Promise<void>;
}

const NAME = 'lookout-test';
const SEQUENCE = 'lookout-sequence';
/** Nothing lies there, or who asks may not know, or cannot. */
const NOT_TO_BE_LEARNT: readonly (number | null)[] = [400, 403, 404, 405, 501];
/** Of what is told of one: a target may name anything. */
const LONGEST_REGION = 30;
const A_SECOND_MS = 1000;
const A_MINUTE_MS = 60_000;

export function openBucket(settings: S3Settings): Bucket {
  const { bucket: Bucket, encryption, kms_key_id, storage_class } = settings;
  const place = placeOf(settings);
  const connection = connectionTo(settings);
  const hide = hiderOfSecrets([settings.secret_access_key, settings.session_token]);
  /** Uploads of files that were left, whose parts are being taken back. */
  const leaving = new Set<Promise<unknown>>();
  /** Among the others, so that who may write only there is not told that writing is forbidden. */
  const probe: Parcel = { key: stemOf(settings.key, { log: 'events', camera: NAME, id: NAME, class: NAME, rule: NAME, time: null }), type: 'text/plain', body: Buffer.from(NAME) };

  const inputOf = ({ key, type, gzipped, sequence }: Parcel): PutObjectCommandInput => ({
    Bucket, Key: key, ContentType: type,
    ...(gzipped === true && { ContentEncoding: 'gzip' }),
    ...(sequence !== undefined && { Metadata: { [SEQUENCE]: String(sequence) } }),
    ...(encryption !== null && { ServerSideEncryption: encryption }),
    ...(kms_key_id !== null && { SSEKMSKeyId: kms_key_id }),
    ...(storage_class !== null && { StorageClass: storage_class as StorageClass }),
  });

  async function send(parcel: Parcel, signal: AbortSignal): Promise<void> {
    const { body } = parcel;
    const client = connection.bound(signal);
    const answer = body instanceof Uint8Array ? await client.send(new PutObjectCommand({ ...inputOf(parcel), Body: body })) : await sendFile(parcel, body.file, signal);
    // Anything that speaks HTTP may answer 200.
    if (answer.ETag === undefined) throw new LookoutError('target_away', `${place} answers, but not as S3 does: it names no ETag of what it was given`);
  }

  /** In parts, of which one is in memory; a small file is put as a whole. */
  async function sendFile(parcel: Parcel, file: string, signal: AbortSignal): Promise<{ readonly ETag?: string | undefined }> {
    const stream = (await open(file).catch(unreadable)).createReadStream();
    const broken = new Promise<never>((_resolve, reject) => { stream.on('error', (error) => { unreadable(error).catch(reject); }); });
    const upload = new Upload({ client: connection.bound(signal), params: { ...inputOf(parcel), Body: stream }, queueSize: 1 }).done();
    const end = upload.catch(() => undefined).finally(() => { leaving.delete(end); });
    leaving.add(end);
    try {
      return await untilAborted(Promise.race([broken, upload]), signal);
    } finally {
      stream.destroy();
    }
  }

  const failed = (error: unknown): Failure => failureOf(error, connection.clockOffsetMs(), hide);

  function away({ words, bucketGone, retry_after_seconds }: Failure): LookoutError {
    return new LookoutError('target_away', `${place}: ${words}`, {
      details: { ...(bucketGone && { bucket_gone: true }), ...(retry_after_seconds !== undefined && { retry_after_seconds }) },
    });
  }

  /** Whoever may write need not be allowed to delete: then one small object stays, the same each time. */
  async function removeProbe(signal: AbortSignal): Promise<boolean> {
    return connection.bound(signal).send(new DeleteObjectCommand({ Bucket, Key: probe.key })).then(() => true, () => false);
  }

  /** Whether something small with a plain name is taken when it is put in the same way. */
  async function takesOthers(signal: AbortSignal): Promise<boolean> {
    const taken = await send(probe, signal).then(() => true, () => false);
    if (taken) await removeProbe(signal);
    signal.throwIfAborted();
    return taken;
  }

  return {
    async put(parcel, signal) {
      try {
        await send(parcel, signal);
        return null;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof LookoutError && error.code === 'file_damaged') return error.message;
        if (error instanceof LookoutError) throw error;
        const failure = failed(error);
        if (failure.whose === 'target' || (failure.whose === 'unclear' && !(await takesOthers(signal)))) throw away(failure);
        return failure.words;
      }
    },
    async sequenceAt(key, signal) {
      const { Metadata } = await connection.bound(signal).send(new HeadObjectCommand({ Bucket, Key: key })).catch((error: unknown) => {
        signal.throwIfAborted();
        // Whoever may write need not be allowed to read. What is not known for another reason may be newer than what comes now.
        if (!NOT_TO_BE_LEARNT.includes(statusOf(error))) throw away(failed(error));
        return { Metadata: undefined };
      });
      const text = Metadata?.[SEQUENCE] ?? '';
      return /^\d+$/.test(text) ? Number(text) : null;
    },
    async test(signal) {
      const begun = Date.now();
      try {
        await send(probe, signal);
      } catch (error) {
        signal.throwIfAborted();
        throw error instanceof LookoutError ? error : away(failed(error));
      }
      const took = Date.now() - begun;
      const left = (await removeProbe(signal)) ? '' : `, deleting is not, so ${probe.key} stays there`;
      const region = await connection.bound(signal).send(new HeadBucketCommand({ Bucket })).then(({ BucketRegion }) => BucketRegion, () => undefined);
      signal.throwIfAborted();
      const off = Math.abs(connection.clockOffsetMs()) < A_MINUTE_MS ? '' : `; this machine's clock is off by ${spanInWords(connection.clockOffsetMs())}`;
      return `${place}, region ${shorten(hide(region ?? settings.region), LONGEST_REGION)}: writing is allowed${left}, and took ${took} ms${off}`;
    },
    clockOffsetMs: () => connection.clockOffsetMs(),
    async close() {
      await untilAborted(Promise.all(leaving), AbortSignal.timeout(A_SECOND_MS)).catch(() => undefined);
      connection.close();
    },
  };
}

/** What will not be better the next time. */
async function unreadable(error: unknown): Promise<never> {
  if (!hasCode(error, 'ENOENT', 'EACCES', 'EISDIR', 'EIO')) throw error;
  const why = hasCode(error, 'ENOENT') ? 'it is gone' : `it cannot be read: ${errorInfo(error).message}`;
  return Promise.reject(new LookoutError('file_damaged', why));
}
