import { expect, it } from 'vitest';
import { startDemoCamera } from '../../src/demo/index.ts';
import { loadFamily } from '../../src/lib/family.ts';
import { sourceContract, type SourceMember } from '../contracts/source.ts';
import { never } from './streams.ts';

it('no two sources claim one scheme', async () => {
  const members = [...(await loadFamily<SourceMember>(new URL('../../src/sources/', import.meta.url))).values()];
  const schemes = members.flatMap((member) => member.schemes);
  expect(schemes).toEqual(expect.arrayContaining(['rtsp', 'rtsps']));
  expect(new Set(schemes).size).toBe(schemes.length);
});

sourceContract('RTSP', async () => {
  const camera = await startDemoCamera({ cameras: { street: { kind: 'scene', width: 320, height: 180, keyframe_seconds: 1 } } }, never);
  return { url: camera.url('street'), close: camera.close };
});
