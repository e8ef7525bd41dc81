/** Delivery to a bucket: what lies in it, and that nothing is lost when it is away, over moto's server. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { CreateBucketCommand, DeleteBucketCommand, ListMultipartUploadsCommand, ListObjectVersionsCommand, PutBucketVersioningCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as member from '../../src/followers/s3.ts';
import { eventId } from '../../src/followers/s3/key.ts';
import type { S3Settings } from '../../src/followers/s3/settings.ts';
import type { Follower, FollowerContext, Item } from '../../src/types.ts';
import { clip, contextOf, eventItem, followerContract, recordItem } from '../contracts/follower.ts';
import { type Moto, startMoto } from '../helpers/moto.ts';
import { clientOf, jsonOf, keysOf, makeBucket, objectOf, SECRET, settingsOf } from './s3/fixtures.ts';

const never = new AbortController().signal;

followerContract<S3Settings>('s3', {
  member,
  secret: SECRET,
  unordered: true,
  async target() {
    const moto = await startMoto();
    const client = clientOf(moto.behind);
    const bucket = await makeBucket(client);
    return {
      settings: settingsOf({ bucket, endpoint: moto.endpoint }),
      // It runs, and its door is open.
      start: async () => { await moto.shut(); await moto.open(); },
      stop: moto.shut,
      async received() {
        const keys = (await keysOf(client, bucket)).filter((key) => key.endsWith('.json'));
        return Promise.all(keys.map(async (key) => idOf(await jsonOf(client, bucket, key))));
      },
      async remove() {
        client.destroy();
        await moto.close();
      },
    };
  },
});

function idOf(value: Record<string, unknown>): string {
  return value['kind'] === 'event' ? `${String(value['id'])}/${String(value['sequence'])}` : (value['batch'] as { readonly id: string }).id;
}

describe('the follower s3', () => {
  let moto: Moto;
  let client: ReturnType<typeof clientOf>;
  let folder: string;
  const followers: Follower[] = [];

  beforeAll(async () => {
    moto = await startMoto();
    client = clientOf(moto.behind);
    folder = await mkdtemp(join(tmpdir(), 'lookout-s3-'));
  });
  afterAll(async () => {
    await Promise.all(followers.map((follower) => follower.close()));
    client.destroy();
    await moto.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function follow(given: Partial<S3Settings> = {}, more: Partial<FollowerContext<S3Settings>> = {}) {
    const bucket = given.bucket ?? await makeBucket(client);
    const warnings: string[] = [];
    const log = { warn: (message: string) => { warnings.push(message); }, info: () => undefined };
    const follower = member.create(contextOf(settingsOf({ endpoint: moto.endpoint, ...given, bucket }), { log, ...more }));
    followers.push(follower);
    return { bucket, follower, warnings, keys: () => keysOf(client, bucket), deliver: (...items: Item[]) => follower.deliver(items, never) };
  }

  async function clipFile(name: string, bytes: number): Promise<string> {
    const file = join(folder, name);
    await writeFile(file, randomBytes(Math.min(bytes, 1000)));
    await truncate(file, bytes);
    return file;
  }

  it('puts a record and an event, their pictures and the clip beside each other', async () => {
    const file = await clipFile('one.mp4', 5000);
    const { bucket, keys, deliver } = await follow({}, { clip: ({ log }) => (log === 'events' ? file : null) });
    const [record, event] = [recordItem(7), eventItem(7, { clip })];
    expect(await deliver(record, event)).toEqual([]);
    const [ofRecord, ofEvent] = [`records/gate/2026/01/01/${record.id}`, `events/gate/2026/01/01/${eventId(event)}`];
    expect(await keys()).toEqual([`${ofEvent}.jpg`, `${ofEvent}.json`, `${ofEvent}.mp4`, `${ofRecord}.jpg`, `${ofRecord}.json`]);
    expect(await jsonOf(client, bucket, `${ofRecord}.json`)).toEqual(record.value);
    expect(await jsonOf(client, bucket, `${ofEvent}.json`)).toEqual(event.value);
    expect(await objectOf(client, bucket, `${ofRecord}.json`)).toMatchObject({ ContentType: 'application/json' });
    expect((await objectOf(client, bucket, `${ofEvent}.jpg`)).bytes.subarray(0, 3).toString('hex')).toBe('ffd8ff');
    expect(await objectOf(client, bucket, `${ofEvent}.mp4`)).toMatchObject({ ContentType: 'video/mp4', ContentLength: 5000 });
  });

  it('leaves pictures and clips out where they are not wanted', async () => {
    const { keys, deliver } = await follow({ upload_pictures: false, upload_clips: false, key: '{id}.json' }, { clip: () => join(folder, 'none.mp4') });
    await deliver(recordItem(1));
    expect(await keys()).toEqual([`${recordItem(1).id}.json`]);
  });

  it('uploads a large clip in parts', async () => {
    const bytes = 11 * 2 ** 20;
    const file = await clipFile('large.mp4', bytes);
    const { bucket, deliver } = await follow({ key: '{id}.json', upload_pictures: false }, { clip: () => file });
    await deliver(eventItem(1, { clip }));
    const object = await objectOf(client, bucket, `${eventId(eventItem(1))}.mp4`);
    expect(object.ETag).toMatch(/-3"$/);
    expect(object.bytes.equals(await readFile(file))).toBe(true);
  });

  it('compresses, encrypts and stores as it is told, the clip too', async () => {
    const file = await clipFile('kept.mp4', 6 * 2 ** 20);
    const { bucket, deliver } = await follow({ key: '{id}.json', gzip: true, encryption: 'aws:kms', kms_key_id: 'k-1', storage_class: 'STANDARD_IA' }, { clip: () => file });
    const event = eventItem(1, { clip });
    await deliver(event);
    const stem = eventId(event);
    const facts = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'k-1', StorageClass: 'STANDARD_IA' };
    const json = await objectOf(client, bucket, `${stem}.json`);
    expect(json).toMatchObject({ ...facts, ContentEncoding: 'gzip', ContentType: 'application/json' });
    expect(JSON.parse(gunzipSync(json.bytes).toString())).toEqual(event.value);
    expect(await objectOf(client, bucket, `${stem}.jpg`)).toMatchObject(facts);
    expect(await objectOf(client, bucket, `${stem}.mp4`)).toMatchObject(facts);
  });

  it('puts what was found in each frame beside the record, whatever its format', async () => {
    const { bucket, keys, deliver } = await follow({ key: '{id}.json', per_frame: true, upload_pictures: false });
    const frame = (index: number): Record<string, string | number> => ({ index, captured_at: '2026-01-01T00:00:01.000Z', file: 'a/b.jpg', width: 64, height: 48 });
    const dog = (index: number): Record<string, string | number> => ({ class: 'dog', confidence: 0.9, frame: index });
    const batch = { id: 'nested', frames: [frame(0), frame(1)] };
    const nested = { ...recordItem(1, { batch, stray_animal: { detections: [dog(1)] }, pothole: null }), id: 'nested' };
    const flat = { ...recordItem(2, { batch, complaint_type: { stray_animal: [dog(0), dog(1)], pothole: 0 }, wet: { detections: [] } }), id: 'flat' };
    const foreign: Item = { log: 'records', id: 'foreign', camera_id: 'gate', time: null, value: { anything: [1, 'two'] }, bytes: 20 };
    await deliver(nested, flat, foreign);
    expect(await keys()).toEqual(['flat.json', 'flat/000.json', 'flat/001.json', 'foreign.json', 'nested.json', 'nested/000.json', 'nested/001.json']);
    expect(await jsonOf(client, bucket, 'nested/001.json')).toEqual({ batch: 'nested', camera_id: 'gate', frame: frame(1), detections: { stray_animal: [dog(1)] } });
    expect(await jsonOf(client, bucket, 'flat/000.json')).toEqual({ batch: 'flat', camera_id: 'gate', frame: frame(0), detections: { stray_animal: [dog(0)], wet: [] } });
  });

  it('keeps one object of an event: the last entry of a call, and none older than what is there', async () => {
    const { bucket, follower } = await follow({ key: '{log}/{yyyy}{mm}{dd}/{id}.json', upload_pictures: false });
    await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    const entry = (sequence: number, at: string): Item => eventItem(1, { sequence, at, began_at: '2026-01-01T23:59:59Z' });
    const [first, second, third] = [entry(0, '2026-01-01T23:59:59Z'), entry(1, '2026-01-02T00:00:09Z'), entry(2, '2026-01-02T00:00:19Z')] as const;
    // What was set aside and is tried again may come in any order.
    await follower.deliver([first, third, second], never);
    const key = `events/20260101/${eventId(first)}.json`;
    expect((await client.send(new ListObjectVersionsCommand({ Bucket: bucket }))).Versions?.map(({ Key }) => Key)).toEqual([key]);
    expect(await follower.deliver([second], never)).toEqual([]);
    expect(await jsonOf(client, bucket, key)).toMatchObject({ sequence: 2 });
    await follower.deliver([entry(3, '2026-01-02T00:00:29Z')], never);
    expect(await jsonOf(client, bucket, key)).toMatchObject({ sequence: 3 });
    // Nor does a run that has not brought it.
    const { deliver } = await follow({ bucket, key: '{log}/{yyyy}{mm}{dd}/{id}.json', upload_pictures: false });
    expect(await deliver({ ...first, asked: true })).toEqual([]);
    expect(await jsonOf(client, bucket, key)).toMatchObject({ sequence: 3 });
    await deliver(entry(4, '2026-01-02T00:00:39Z'));
    expect(await jsonOf(client, bucket, key)).toMatchObject({ sequence: 4 });
  });

  it('delivers what has lost its picture or its clip, and says so once', async () => {
    const { keys, deliver, warnings } = await follow({ key: '{id}.json' }, { picture: () => Promise.resolve(null), clip: () => join(folder, 'gone.mp4') });
    const shown = { index: 0, width: 64, height: 48 };
    const items = [eventItem(1, { clip }), eventItem(2, { clip }), recordItem(1, { batch: { id: 'r', snapshot: shown } })];
    expect(await deliver(...items)).toEqual([]);
    expect(await keys()).toHaveLength(3);
    expect(warnings).toEqual([expect.stringMatching(/picture is not uploaded/), expect.stringMatching(/clip is not uploaded/)]);
  });

  it('says nothing of a picture that there never was', async () => {
    const { deliver, warnings } = await follow({}, { picture: () => Promise.resolve(null) });
    await deliver(recordItem(1), eventItem(1, { best: { captured_at: '2026-01-01T00:00:00Z', confidence: 1, box: null, width: 1, height: 1, picture: null } }));
    expect(warnings).toEqual([]);
  });

  it('goes on without a picture that cannot be read', async () => {
    const { keys, deliver, warnings } = await follow({ key: '{id}.json' }, { picture: () => Promise.reject(new Error('the disk is broken')) });
    expect(await deliver(recordItem(1))).toEqual([]);
    expect(await keys()).toEqual([`${recordItem(1).id}.json`]);
    expect(warnings).toHaveLength(1);
  });

  it('waits while the bucket is gone, and puts everything into the one that comes back', async () => {
    const { bucket, follower, deliver, keys } = await follow({ key: '{id}.json', upload_pictures: false });
    const items = Array.from({ length: 20 }, (_, number) => recordItem(number));
    await client.send(new DeleteBucketCommand({ Bucket: bucket }));
    await expect(deliver(...items)).rejects.toMatchObject({ code: 'target_away', message: expect.stringContaining('there is no such bucket') as unknown });
    await expect(follower.test(never)).rejects.toMatchObject({ code: 'target_away', message: expect.stringContaining('there is no such bucket') as unknown });
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    expect(await deliver(...items)).toEqual([]);
    expect(await keys()).toHaveLength(items.length);
  });

  it('tells of a test which region it is, and leaves nothing', async () => {
    const { bucket, follower, keys } = await follow();
    const words = await follower.test(never);
    expect(words).toContain(`s3://${bucket} at ${moto.endpoint}, region us-east-1: writing is allowed`);
    expect(words).not.toContain('stays there');
    expect(await keys()).toEqual([]);
  });

  it('leaves no parts of a clip that is given up', async () => {
    const file = await clipFile('left.mp4', 32 * 2 ** 20);
    const { bucket, follower } = await follow({ upload_pictures: false }, { clip: () => file });
    const controller = new AbortController();
    const delivered = follower.deliver([eventItem(1, { clip })], controller.signal);
    const uploads = async (): Promise<number> => (await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads?.length ?? 0;
    await expect.poll(uploads, { interval: 5, timeout: 10_000 }).toBe(1);
    const begun = Date.now();
    controller.abort(new Error('stopped'));
    await expect(delivered).rejects.toThrow('stopped');
    expect(Date.now() - begun).toBeLessThan(1000);
    await follower.close();
    expect(await uploads()).toBe(0);
    expect(await keysOf(client, bucket)).toEqual([]);
  });

  describe('where keys are checked', () => {
    const iam = (body: string): Promise<string> => fetch(moto.behind, {
      method: 'POST', body: new URLSearchParams(`${body}&Version=2010-05-08`),
      headers: { authorization: 'AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=x' },
    }).then((answer) => answer.text());
    let id: string;
    let secret: string;
    let bucket: string;

    beforeAll(async () => {
      bucket = await makeBucket(client);
      await iam('Action=CreateUser&UserName=nobody');
      const answer = await iam('Action=CreateAccessKey&UserName=nobody');
      [id = '', secret = ''] = ['AccessKeyId', 'SecretAccessKey'].map((name) => new RegExp(`<${name}>(.*)</${name}>`).exec(answer)?.[1] ?? '');
      await fetch(`${moto.behind}/moto-api/reset-auth`, { method: 'POST', body: '0' });
    });
    afterAll(() => fetch(`${moto.behind}/moto-api/reset-auth`, { method: 'POST', body: 'inf' }));

    it.each([
      ['an unknown access key', () => ({ access_key_id: 'AKIAUNKNOWN', secret_access_key: SECRET }), 'the access key is not known there'],
      ['another secret', () => ({ access_key_id: id, secret_access_key: SECRET }), 'the secret access key does not belong to the access key'],
      ['a key without rights', () => ({ access_key_id: id, secret_access_key: secret }), 'the key may not do this there'],
    ])('waits with %s, and says why', async (_what, keys, words) => {
      const { follower } = await follow({ ...keys(), bucket });
      const failure: unknown = await follower.deliver([recordItem(1)], never).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'target_away', message: expect.stringContaining(words) as unknown });
      await expect(follower.test(never)).rejects.toMatchObject({ code: 'target_away', message: expect.stringContaining(words) as unknown });
      expect(String(failure)).not.toContain(keys().secret_access_key);
    });
  });
});
