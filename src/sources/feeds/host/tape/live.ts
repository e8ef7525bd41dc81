/** Copies what a camera sends for those who watch it: a head, then a fragment for each picture. */
import { createMuxer, type Muxer } from '../../native/live.ts';
import type { VideoPart } from '../../video-pipe.ts';
import { createCopying, type Copying } from './copying.ts';
import type { NativeSteps } from './native-steps.ts';
import type { VideoCodec } from './track.ts';

export function createLive(codec: VideoCodec, send: (part: VideoPart) => void, { mark, run }: NativeSteps): Copying {
  let muxer: Muxer | null = null;
  return createCopying(codec, {
    async open(track) {
      muxer = await run(() => createMuxer(track, mark));
      send({ is: 'head', bytes: muxer.head });
    },
    async write(bytes, pts, key) {
      const own = muxer;
      const fragment = own && await run(() => own.write(bytes, pts, key));
      if (fragment) send({ is: fragment.key ? 'key' : 'picture', bytes: fragment.bytes });
    },
    complete: () => Promise.resolve(),
    async close() {
      const own = muxer;
      if (own) await run(() => own.close());
    },
  });
}
