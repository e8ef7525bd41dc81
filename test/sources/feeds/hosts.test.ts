/** What becomes of a camera whose capture hosts end, with real hosts. */
import { expect, it } from 'vitest';
import { silentLog } from '../../../src/lib/log.ts';
import { requestOf } from '../../../src/sources/feeds/frames.ts';
import { createHosts } from '../../../src/sources/feeds/hosts.ts';
import { hostsOf } from '../../helpers/process-tree.ts';
import { server } from '../rtsp/answering.ts';
import { BOUNDS, never, NO_RULES, PICTURES, streamOf, VIDEO } from '../streams.ts';

it('a camera whose hosts end time after time before there is a picture is said to have failed', async ({ onTestFinished }) => {
  const camera = await server(() => '');
  const hosts = createHosts(VIDEO.capture_host_max_bytes, silentLog);
  onTestFinished(() => hosts.close());
  const stream = streamOf(`rtsp://127.0.0.1:${camera.port}/cam`);
  const kill = (host: number): void => {
    try {
      process.kill(host, 'SIGKILL');
    } catch {
      // It has ended since it was listed.
    }
  };
  const killer = setInterval(() => { hostsOf(process.pid).forEach(kill); }, 50);
  onTestFinished(() => { clearInterval(killer); });
  await expect(hosts.capture('CAM-1', () => requestOf(stream, '', { ...PICTURES, ...BOUNDS, ...VIDEO, ...NO_RULES }), () => undefined, never))
    .rejects.toMatchObject({ code: 'stream_ended', message: 'its capture host ended time after time: it was killed by SIGKILL, as the kernel does where memory runs out' });
});
