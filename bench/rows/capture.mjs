/** What capture costs: all of Lookout with its models off, against bare ffmpegs, and against decoding everything. */
import { setTimeout as sleep } from 'node:timers/promises';
import { captureArguments } from '../../dist/lib/ffmpeg.js';
import { capturing, INTERVAL, over, STAGGER } from '../harness/capturing.mjs';
import { digits, median } from '../harness/numbers.mjs';
import { start, stop } from '../harness/programs.mjs';

const CAMERAS = 10;
/** Decoding everything keeps a tenth of a processor busy for each camera: few enough to be in time. */
const FULLY_DECODED = 4;

export const lines = {
  capture: { what: `capture CPU: ${CAMERAS} cameras, models off, over bare ffmpegs with the same arguments`, atMost: 0.65 },
  decoding: { what: 'the same for one camera, over decoding everything at the same cadence', atMost: 0.1 },
  byFfmpeg: { what: 'capture CPU where ffmpeg captures, over the same', atMost: 1.08 },
};

export async function measure(column, { quick, say }) {
  const times = quick ? { rest: 0, warm: 8, window: 10, pairs: 1 } : { rest: 30, warm: 15, window: 60, pairs: 4 };
  const cameras = await column.cameras(CAMERAS);
  try {
    const ours = [];
    const ratios = [];
    const byFfmpeg = [];
    // Machines that are shared go on slowly for a while after hard work, and whoever comes first would pay for it: so
    // they rest, and go first by turns.
    await sleep(times.rest * 1000);
    let words = null;
    for (let pair = 0; pair < times.pairs; pair += 1) {
      const bareFirst = pair % 2 === 1 ? await ffmpegs(cameras.urls, words, times) : null;
      const { cpu, frames } = await capturing('libav', cameras.urls, column.folder, times);
      const other = await capturing('ffmpeg', cameras.urls, column.folder, times);
      ({ words } = other);
      const bare = bareFirst ?? await ffmpegs(cameras.urls, words, times);
      ours.push(cpu);
      ratios.push(cpu / bare);
      byFfmpeg.push(other.cpu / bare);
      say(`Lookout ${digits(cpu)} s for ${frames} frames, by ffmpeg ${digits(other.cpu)} s, bare ${digits(bare)} s, in ${times.window} s: ${digits(cpu / bare, 4)}, ${digits(other.cpu / bare, 4)}`);
    }
    const everything = await ffmpegs(cameras.urls.slice(0, FULLY_DECODED), null, times);
    say(`decoding everything ${digits(everything / FULLY_DECODED)} s a camera, Lookout ${digits(median(ours) / CAMERAS)} s`);
    return { capture: median(ratios), byFfmpeg: median(byFfmpeg), decoding: median(ours) / CAMERAS / (everything / FULLY_DECODED) };
  } finally {
    await cameras.close();
  }
}

/** Processor seconds of ffmpegs alone, all that they write going to /dev/null. `words`: null for decoding everything. */
async function ffmpegs(urls, words, times) {
  const children = [];
  try {
    for (const url of urls) {
      const [file, ...args] = words ? toNull(words) : decodingEverything(url);
      const child = start(file, args, { stdio: ['pipe', 'ignore', 'ignore'] });
      child.stdin.end(captureArguments({ url, transport: 'tcp', verify: true, track: 1, probe: false, tolerant: false, skip: 'nokey', intervalSeconds: INTERVAL, packets: 'none', jpegQuality: 95, maxWidth: null, realTime: false }).script);
      children.push(child);
      await sleep(STAGGER);
    }
    const cpu = await over(times, () => children.map(({ pid }) => pid));
    const ended = children.filter(({ exitCode }) => exitCode !== null).length;
    if (ended > 0) throw new Error(`${ended} of ${children.length} ffmpegs ended by themselves`);
    return cpu;
  } finally {
    await Promise.all(children.map((child) => {
      child.kill('SIGKILL');
      return stop(child);
    }));
  }
}

/** The same words, but for where all that goes. */
function toNull(words) {
  const text = words.map((word) => (word === 'pipe:3' ? '/dev/null' : word));
  text.splice(words.indexOf('tee'), 2, 'mpjpeg', '/dev/null');
  return text;
}

/** As anybody would write it. */
const decodingEverything = (url) => [
  'ffmpeg', '-loglevel', 'error', '-rtsp_transport', 'tcp', '-i', url, '-an', '-vf', `fps=1/${INTERVAL}`, '-q:v', '2', '-f', 'mpjpeg', 'pipe:1',
];
