/** What others cost at the same cadence: a loop with OpenCV that drains and keeps one picture, and Debian's motion with snapshots. */
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { capturing, INTERVAL, over } from '../harness/capturing.mjs';
import { digits, median } from '../harness/numbers.mjs';
import { programFile, start, stop } from '../harness/programs.mjs';

const CAMERAS = 10;
/** Each keeps a tenth of a processor busy and more: few enough to be in time. */
const THEIRS = 3;

export const lines = {
  opencv: { what: `capture CPU for one camera over a loop with OpenCV that keeps a picture every ${INTERVAL} s`, atMost: 0.1 },
  motion: { what: 'the same over Debian\'s motion with snapshots', atMost: 0.1 },
};

export async function measure(column, { quick, say }) {
  const lacking = [['/usr/bin/python3', ['-c', 'import cv2']], ['motion', ['-h']]].filter(([file, args]) => spawnSync(file, args).error || (args[0] === '-c' && spawnSync(file, args).status !== 0));
  if (lacking.length > 0) throw new Error('apt-get install python3-opencv motion, to have what is compared');
  const times = quick ? { warm: 8, window: 10, pairs: 1 } : { warm: 12, window: 40, pairs: 2 };
  const cameras = await column.cameras(CAMERAS);
  try {
    const rounds = [];
    for (let pair = 0; pair < times.pairs; pair += 1) {
      const own = (await capturing('libav', cameras.urls, column.folder, times)).cpu / CAMERAS;
      const urls = cameras.urls.slice(0, THEIRS);
      const opencv = (await running('/usr/bin/python3', [programFile('opencv').replace(/mjs$/, 'py'), String(INTERVAL), ...urls])) / THEIRS;
      const motion = (await running('motion', ['-n', '-c', await motionSettings(urls)])) / THEIRS;
      say(`for one camera in ${times.window} s: Lookout ${digits(own)} s, OpenCV ${digits(opencv)} s, motion ${digits(motion)} s`);
      rounds.push({ opencv: own / opencv, motion: own / motion });
    }
    return { opencv: median(rounds.map(({ opencv }) => opencv)), motion: median(rounds.map(({ motion }) => motion)) };
  } finally {
    await cameras.close();
  }

  async function running(file, args) {
    const child = start(file, args, { stdio: ['ignore', 'ignore', 'ignore'] });
    try {
      const cpu = await over(times, () => [child.pid]);
      if (child.exitCode !== null) throw new Error(`${file} ended by itself`);
      return cpu;
    } finally {
      await stop(child, 'SIGTERM');
    }
  }

  /** Its own detection is off: Lookout's models are too. */
  async function motionSettings(urls) {
    const folder = join(column.folder, 'motion');
    await mkdir(folder, { recursive: true });
    const files = [];
    for (const [index, url] of urls.entries()) {
      files.push(join(folder, `camera-${index}.conf`));
      await writeFile(files[index], `camera_id ${index + 1}\nnetcam_url ${url}\nnetcam_params rtsp_transport=tcp\nwidth 1920\nheight 1080\nframerate 25\ntarget_dir ${folder}\n`);
    }
    const main = join(folder, 'motion.conf');
    await writeFile(main, `daemon off\nlog_level 3\nsnapshot_interval ${INTERVAL}\npicture_output off\nmovie_output off\nwebcontrol_port 0\nstream_port 0\n${files.map((file) => `camera ${file}`).join('\n')}\n`);
    return main;
  }
}
