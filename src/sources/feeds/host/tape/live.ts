/** Copies what a camera sends for those who watch it: a head, then a fragment for each picture. */
import { headOf } from '../../native/head.ts';
import type { VideoPart } from '../../video-pipe.ts';
import { createCopying, type Copying } from './copying.ts';
import { createFragments, type Fragments } from './fragments.ts';
import type { NativeSteps } from './native-steps.ts';
import type { VideoCodec } from './track.ts';

export function createLive(codec: VideoCodec, send: (part: VideoPart) => void, { mark, run }: NativeSteps): Copying {
  let fragments: Fragments | null = null;
  return createCopying(codec, {
    async open(track) {
      fragments = createFragments(track);
      send({ is: 'head', bytes: await run(() => headOf(track, mark)) });
    },
    write(bytes, pts, key) {
      const fragment = fragments?.write(bytes, pts, key);
      if (fragment) send({ is: fragment.key ? 'key' : 'picture', bytes: fragment.bytes });
      return Promise.resolve();
    },
    complete: () => Promise.resolve(),
    close: () => Promise.resolve(),
  });
}
