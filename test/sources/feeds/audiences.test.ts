/** Those who watch one camera: when its video is asked for, what each is given, and that nobody waits for who is slow. */
import { expect, it, vi } from 'vitest';
import { createAudiences } from '../../../src/sources/feeds/audiences.ts';
import type { FeedVideo } from '../../../src/sources/feeds/host-process.ts';
import type { VideoPart } from '../../../src/sources/feeds/video-pipe.ts';
import { never } from '../streams.ts';

/** A feed whose parts the test sends. */
function startFeed(): FeedVideo & { send(...parts: readonly VideoPart[]): void; readonly watched: { begun: number; ended: number } } {
  let told: ((part: VideoPart) => void) | null = null;
  const watched = { begun: 0, ended: 0 };
  return {
    watched,
    send(...parts) { for (const part of parts) told?.(part); },
    watch(onPart) {
      watched.begun += 1;
      told = onPart;
      return () => {
        watched.ended += 1;
        told = null;
      };
    },
    keep: () => undefined,
    clip: () => Promise.reject(new Error('not asked for here')),
    record: () => Promise.reject(new Error('not asked for here')),
  };
}

const head: VideoPart = { is: 'head', bytes: Buffer.from('head') };
const key = (name: string, bytes = 1): VideoPart => ({ is: 'key', bytes: Buffer.concat([Buffer.from(name), Buffer.alloc(bytes)]) });
const picture = (name: string, bytes = 1): VideoPart => ({ is: 'picture', bytes: Buffer.concat([Buffer.from(name), Buffer.alloc(bytes)]) });
const end: VideoPart = { is: 'end', why: { code: 'stream_ended', message: 'the camera was lost' } };
const nameOf = (chunk: Uint8Array): string => Buffer.from(chunk).toString().replace(/\0.*$/s, '');

async function take(viewer: AsyncIterator<Uint8Array>, count: number): Promise<readonly string[]> {
  const names: string[] = [];
  while (names.length < count) {
    const { done, value } = await viewer.next() as IteratorResult<Uint8Array, undefined>;
    if (done === true) return [...names, 'end'];
    names.push(nameOf(value));
  }
  return names;
}

const begun = async (viewer: Promise<AsyncIterable<Uint8Array>>): Promise<AsyncIterator<Uint8Array>> => (await viewer)[Symbol.asyncIterator]();

it('are given a head and all from a key frame on, whenever they come, out of one video', async () => {
  const feed = startFeed();
  const audiences = createAudiences();
  const first = audiences.join('a', feed, never);
  feed.send(head, picture('0'), key('k1'), picture('1'));
  const one = await begun(first);
  expect(await take(one, 3)).toEqual(['head', 'k1', '1']);
  const two = await begun(audiences.join('a', feed, never));
  feed.send(picture('2'));
  expect(await take(two, 4)).toEqual(['head', 'k1', '1', '2']);
  expect(await take(one, 1)).toEqual(['2']);
  expect(feed.watched).toEqual({ begun: 1, ended: 0 });
  await one.return?.();
  expect(feed.watched.ended).toBe(0);
  await two.return?.();
  expect(feed.watched).toEqual({ begun: 1, ended: 1 });
});

it('go on with the newest key frame where they are slow, and others are given all', async () => {
  const feed = startFeed();
  const audiences = createAudiences();
  const joined = [audiences.join('a', feed, never), audiences.join('a', feed, never)] as const;
  feed.send(head, key('k1'));
  const [quick, slow] = [await begun(joined[0]), await begun(joined[1])];
  expect(await take(quick, 2)).toEqual(['head', 'k1']);
  feed.send(picture('1'), picture('2'));
  expect(await take(quick, 2)).toEqual(['1', '2']);
  feed.send(key('k2'), picture('3'));
  expect(await take(quick, 2)).toEqual(['k2', '3']);
  expect(await take(slow, 3)).toEqual(['head', 'k2', '3']);
  // One that has begun with what is there may take the rest of it.
  feed.send(picture('4'), key('k3'));
  expect(await take(slow, 2)).toEqual(['4', 'k3']);
});

it('are held no more than 4 MB for', async () => {
  const feed = startFeed();
  const audiences = createAudiences();
  const joined = audiences.join('a', feed, never);
  feed.send(head, key('k1'));
  const viewer = await begun(joined);
  expect(await take(viewer, 2)).toEqual(['head', 'k1']);
  feed.send(picture('1', 3_000_000), picture('2', 3_000_000), picture('3'));
  feed.send(key('k2'), picture('4'));
  expect(await take(viewer, 2)).toEqual(['k2', '4']);
});

it('wait for a key frame where what came since the last is too much to be held', async () => {
  const feed = startFeed();
  const audiences = createAudiences();
  const joined = audiences.join('a', feed, never);
  feed.send(head, key('k1', 3_000_000), picture('1', 3_000_000));
  const first = await begun(joined);
  const late = await begun(audiences.join('a', feed, never));
  feed.send(picture('2'), key('k2'));
  expect(await take(late, 2)).toEqual(['head', 'k2']);
  await Promise.all([first.return?.(), late.return?.()]);
});

it('end with the video, are given what came before, and those who come then begin another', async () => {
  const feed = startFeed();
  const audiences = createAudiences();
  const joined = audiences.join('a', feed, never);
  feed.send(head, key('k1'), end);
  const viewer = await begun(joined);
  const next = audiences.join('a', feed, never);
  feed.send(head, key('other'));
  expect(await take(viewer, 3)).toEqual(['head', 'k1', 'end']);
  expect(await take(await begun(next), 2)).toEqual(['head', 'other']);
  expect(feed.watched.begun).toBe(2);
});

it('are told why where nothing comes', async () => {
  const feed = startFeed();
  const joined = createAudiences().join('a', feed, never);
  feed.send({ is: 'end', why: { code: 'no_live_video', message: 'the camera sends a JPEG for each picture' } });
  await expect(joined).rejects.toMatchObject({ code: 'no_live_video', message: 'the camera sends a JPEG for each picture' });
  const gone: FeedVideo = { ...feed, watch(onPart) { onPart(end); return () => undefined; } };
  await expect(createAudiences().join('a', gone, never)).rejects.toMatchObject({ code: 'stream_ended' });
});

it('may leave while nothing comes, and the video is asked for no more', async () => {
  const feed = startFeed();
  const audiences = createAudiences();
  const leaving = new AbortController();
  const waiting = audiences.join('a', feed, leaving.signal);
  leaving.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'stream_ended' });
  expect(feed.watched).toEqual({ begun: 1, ended: 1 });

  const leavingLater = new AbortController();
  const joined = audiences.join('a', feed, leavingLater.signal);
  feed.send(head);
  const viewer = await begun(joined);
  expect(await take(viewer, 1)).toEqual(['head']);
  const next = take(viewer, 1);
  leavingLater.abort();
  expect(await next).toEqual(['end']);
  expect(feed.watched).toEqual({ begun: 2, ended: 2 });
});

it('wait a minute for a key frame, and no longer', async () => {
  vi.useFakeTimers();
  try {
    const feed = startFeed();
    const joined = createAudiences().join('a', feed, never);
    const refused = expect(joined).rejects.toMatchObject({ code: 'stream_stalled', message: 'no key frame came within 60 s' });
    await vi.advanceTimersByTimeAsync(59_000);
    expect(feed.watched.ended).toBe(0);
    await vi.advanceTimersByTimeAsync(2000);
    await refused;
    expect(feed.watched.ended).toBe(1);
  } finally {
    vi.useRealTimers();
  }
});
