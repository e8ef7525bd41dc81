import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { runCapture } from '../../src/lib/ffmpeg.ts';
import { ffmpegProgram, isTooOld } from '../../src/lib/ffmpeg-program.ts';
import { runFfmpeg } from '../../src/lib/ffmpeg-process.ts';
import { withFewDescriptors } from '../helpers/descriptors.ts';
import { alive } from '../runner/fixtures.ts';

const never = new AbortController().signal;
const run = (signal = never, onLine: (line: string) => void = () => undefined): Promise<Error | null> =>
  runFfmpeg({ source: Readable.from(['']), outputs: [{ target: 'pipe:1', options: ['-f', 'framecrc'] }], onLine: { 2: onLine } }, signal);

/** From now on ffmpeg is this shell script. */
async function ffmpegIs(script: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-ffmpeg-process-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'ffmpeg');
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
  vi.stubEnv('LOOKOUT_FFMPEG', file);
}
afterEach(() => { vi.unstubAllEnvs(); });

/** Starts the script and aborts it once it has said its pid; how long that took and whether it is gone. */
async function stopped(script: string): Promise<{ readonly ms: number; readonly gone: boolean; readonly lines: readonly string[] }> {
  await ffmpegIs(script);
  const stop = new AbortController();
  const lines: string[] = [];
  let asked = 0;
  await run(stop.signal, (line) => {
    lines.push(line);
    if (lines.length > 1) return;
    asked = performance.now();
    stop.abort();
  });
  return { ms: performance.now() - asked, gone: !alive(Number(lines[0])), lines };
}

describe('a run of ffmpeg', () => {
  // The first of them: fluent-ffmpeg would ask once per process.
  it('does not hang on an ffmpeg that cannot say what it can do', async () => {
    await ffmpegIs('case "$*" in *-formats*|*-encoders*) kill -9 $$;; esac; echo no such option >&2; exit 1');
    const lines: string[] = [];
    expect((await run(never, (line) => lines.push(line)))?.message).toContain('ffmpeg exited with code 1');
    expect(lines).toContain('no such option');
  });

  it('says which version is too old to know our words', async () => {
    await ffmpegIs('case "$*" in *-version*) echo "ffmpeg version 4.4.2-0ubuntu0 Copyright (c)"; exit;; esac; echo "[error] Unrecognized option \'fps_mode\'." >&2; exit 1');
    const options = { url: 'rtsp://127.0.0.1/x', transport: 'tcp', verify: true, track: 1, probe: false, tolerant: false, skip: 'none', intervalSeconds: 1, packets: 'none', jpegQuality: 90, maxWidth: null, realTime: false } as const;
    const events = { onDecoded: () => undefined, onPacket: () => undefined, onPicture: () => undefined };
    await expect(runCapture(options, tmpdir(), events, never)).rejects.toMatchObject({ code: 'ffmpeg_missing', message: 'ffmpeg version 4.4.2-0ubuntu0 is too old: install 5.1 or later' });
  });

  it.each([
    ['ffmpeg version 4.4.2-0ubuntu0.22.04.1 Copyright (c)', true], ['ffmpeg version 5.0.1', true], ['ffmpeg version 5.1.9-0+deb12u1', false],
    ['ffmpeg version n6.0', false], ['ffmpeg version 10.0', false], ['ffmpeg version N-112345-g0123abc', false], ['ffmpeg version 2024-01-01-git-x', false],
  ])('of %s: too old is %s', (line, old) => {
    expect(isTooOld(line)).toBe(old);
  });

  it('is found by a relative path wherever it runs', async () => {
    await ffmpegIs('echo "it runs in $PWD" >&2');
    vi.stubEnv('LOOKOUT_FFMPEG', relative('', ffmpegProgram()));
    const lines: string[] = [];
    await runFfmpeg({ source: 'x', outputs: [{ target: 'pipe:1', options: [] }], folder: import.meta.dirname, onLine: { 2: (line) => lines.push(line) } }, never);
    expect(lines).toEqual([`it runs in ${import.meta.dirname}`]);
  });

  it('calls cameras directly and speaks plainly, whatever the host has set for others', async () => {
    await ffmpegIs('env >&2');
    for (const name of ['http_proxy', 'https_proxy', 'HTTPS_PROXY', 'all_proxy']) vi.stubEnv(name, 'http://127.0.0.1:1');
    for (const name of ['AV_LOG_FORCE_COLOR', 'FFREPORT', 'LANG']) vi.stubEnv(name, 'x');
    const lines: string[] = [];
    await run(never, (line) => lines.push(line));
    expect(lines.some((line) => line.startsWith('PATH='))).toBe(true);
    expect(lines.filter((line) => /proxy|^AV_LOG_FORCE_COLOR|^FFREPORT|^LANG=/i.test(line))).toEqual([]);
  });

  it('is refused in words when there is no room for a process', async () => {
    // What is free is so little that no process can have its pipes.
    await withFewDescriptors(0, () => expect(run()).rejects.toMatchObject({ code: 'ffmpeg_failed', message: expect.stringMatching(/^ffmpeg cannot be started: spawn .* EMFILE$/) as string }));
  });

  it('is ended with time for a goodbye', async () => {
    const { lines, gone } = await stopped('trap "echo goodbye >&2; exit 255" TERM; echo $$ >&2; while :; do sleep 0.05; done');
    expect(lines).toContain('goodbye');
    expect(gone).toBe(true);
  });

  it('is ended by force when it does not hear', async () => {
    const { ms, gone } = await stopped('trap "" TERM; echo $$ >&2; while :; do sleep 0.05; done');
    expect(gone).toBe(true);
    expect(ms).toBeGreaterThan(450);
    expect(ms).toBeLessThan(1000);
  });
});
