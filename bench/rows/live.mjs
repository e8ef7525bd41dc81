/** What live video costs: the first viewer of a camera, and each further one, against an ffmpeg that copies the same. */
import { setTimeout as sleep } from 'node:timers/promises';
import { over } from '../harness/capturing.mjs';
import { digits, median } from '../harness/numbers.mjs';
import { readLines, start, startOwn, stop } from '../harness/programs.mjs';
import { openServer } from '../harness/server.mjs';

const CAMERAS = 8;
/** As many as may watch one. */
const VIEWERS = 8;

export const lines = {
  first: { what: `live video of ${CAMERAS} cameras: CPU for the first viewer, over an ffmpeg that copies the same`, atMost: 0.5 },
  further: { what: 'the same for each further viewer', atMost: 0.1 },
};

export async function measure(column, { quick, say }) {
  const times = quick ? { warm: 4, window: 8, rounds: 1 } : { warm: 6, window: 20, rounds: 3 };
  const cameras = await column.cameras(CAMERAS);
  const names = cameras.urls.map((_, index) => `CAM-${index + 1}`);
  // Pictures so rare that what they cost does not show.
  const options = { interval_seconds: 600 };
  const server = await openServer(`${column.folder}/live`, { streams: cameras.urls.map((url, index) => ({ camera_id: names[index], url, models: ['motion'], options })) });
  try {
    await sleep(15_000);
    const rounds = [];
    for (let round = 0; round < times.rounds; round += 1) {
      const [none, one, all] = [await watched(0), await watched(1), await watched(VIEWERS)];
      const copying = await ffmpegs(cameras.urls, times);
      const [first, further, copied] = [(one - none) / CAMERAS, (all - one) / (CAMERAS * (VIEWERS - 1)), copying / CAMERAS];
      say(`in ${times.window} s: first ${digits(first)} s, each further ${digits(further)} s, an ffmpeg that copies ${digits(copied)} s; without viewers ${digits(none)} s for all`);
      rounds.push({ first: first / copied, further: further / copied });
    }
    return { first: median(rounds.map(({ first }) => first)), further: median(rounds.map(({ further }) => further)) };
  } finally {
    await server.close();
    await cameras.close();
  }

  /** Processor seconds of Lookout with so many viewers of each camera. */
  async function watched(viewers) {
    const urls = names.map((name) => `${server.url}/api/cameras/${name}/live.mp4`);
    const child = startOwn('viewers', [String(viewers), ...urls]);
    try {
      const cpu = await over(times, () => [server.pid]);
      child.stdin.end();
      const { least } = JSON.parse((await readLines(child, 1))[0]);
      if (viewers > 0 && least === 0) throw new Error('a viewer was given nothing: nothing can be said about what it costs');
      return cpu;
    } finally {
      await stop(child);
    }
  }
}

/** Processor seconds of all. */
async function ffmpegs(urls, times) {
  const children = urls.map((url) => start('ffmpeg', ['-loglevel', 'error', '-rtsp_transport', 'tcp', '-i', url, '-map', '0:v', '-c', 'copy', '-f', 'mp4', '-movflags', 'empty_moov+default_base_moof+frag_every_frame', '-y', '/dev/null'], { stdio: ['ignore', 'ignore', 'inherit'] }));
  try {
    return await over(times, () => children.map(({ pid }) => pid));
  } finally {
    await Promise.all(children.map((child) => stop(child)));
  }
}
