import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { startDemoCamera } from '../../src/demo/index.ts';
import { loadFamily } from '../../src/lib/family.ts';
import { silentLog } from '../../src/lib/log.ts';
import { createSources } from '../../src/parts.ts';
import { sourceContract, type SourceMember } from '../contracts/source.ts';
import { canUse, ENGINES, inWords, never } from './streams.ts';

it('no two sources claim one scheme', async () => {
  const members = [...(await loadFamily<SourceMember>(new URL('../../src/sources/', import.meta.url))).values()];
  const schemes = members.flatMap((member) => member.schemes);
  expect(schemes).toEqual(expect.arrayContaining(['rtsp', 'rtsps']));
  expect(new Set(schemes).size).toBe(schemes.length);
});

it('allow_schemes may name what sources open, and nothing else', async () => {
  const { config } = await loadConfig({ flags: {}, env: {}, cwd: tmpdir() });
  await expect(createSources({ ...config, allow_schemes: ['gopher', 'hls', 'sftp'] }, silentLog)).rejects.toMatchObject({
    code: 'config_invalid', message: 'allow_schemes: gopher, sftp cannot be opened; it may name file, hls, http, https, push, rtmp, rtmps, rtsp, rtsps, srt, udp',
  });
  const sources = await createSources({ ...config, allow_schemes: ['file', 'hls'] }, silentLog);
  expect([...sources].filter(([, { needsLeave = false }]) => needsLeave).map(([scheme]) => scheme)).toEqual(['file']);
});

for (const engine of ENGINES) {
  describe.skipIf(!canUse(engine))(`by ${inWords(engine)}`, () => {
    sourceContract(`RTSP, captured by ${engine}`, async () => {
      const camera = await startDemoCamera({ cameras: { street: { kind: 'scene', width: 320, height: 180, keyframe_seconds: 1 } } }, never);
      return { url: camera.url('street'), close: camera.close };
    }, engine);
  });
}
