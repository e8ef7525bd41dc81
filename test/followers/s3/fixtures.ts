/** Settings of the follower s3, and what lies in a bucket. */
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, GetObjectCommand, type GetObjectCommandOutput, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { settings as schemas } from '../../../src/followers/s3.ts';
import type { S3Settings } from '../../../src/followers/s3/settings.ts';

export const SECRET = 'a-secret-that-nobody-may-see';

export function settingsOf(given: Partial<S3Settings>): S3Settings {
  const defaults = Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, schema.default]));
  return { ...defaults, bucket: 'findings', access_key_id: 'AKIAEXAMPLE', secret_access_key: SECRET, ...given } as S3Settings;
}

export function clientOf(endpoint: string): S3Client {
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
  return new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'test' } });
}

/** A new one, by its name. */
export async function makeBucket(client: S3Client): Promise<string> {
  const Bucket = `b-${randomUUID()}`;
  await client.send(new CreateBucketCommand({ Bucket }));
  return Bucket;
}

export async function keysOf(client: S3Client, Bucket: string): Promise<readonly string[]> {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
  return Contents.map(({ Key = '' }) => Key);
}

export async function objectOf(client: S3Client, Bucket: string, Key: string): Promise<GetObjectCommandOutput & { readonly bytes: Buffer }> {
  const answer = await client.send(new GetObjectCommand({ Bucket, Key }));
  return { ...answer, bytes: Buffer.from(await answer.Body?.transformToByteArray() ?? []) };
}

export async function jsonOf(client: S3Client, bucket: string, key: string): Promise<Record<string, unknown>> {
  return JSON.parse((await objectOf(client, bucket, key)).bytes.toString()) as Record<string, unknown>;
}

/** One that nobody vouches for. */
export function certificate(): { readonly key: string; readonly cert: string } {
  const { stdout } = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', '-'], { encoding: 'utf8' });
  const part = (what: string): string => new RegExp(`-----BEGIN ${what}-----[^]*?-----END ${what}-----\n`).exec(stdout)?.[0] ?? '';
  return { key: part('PRIVATE KEY'), cert: part('CERTIFICATE') };
}
