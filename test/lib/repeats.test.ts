import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createLog, type Log } from '../../src/lib/log.ts';

const lines: string[] = [];
let log: Log;
beforeEach(() => {
  vi.useFakeTimers();
  onTestFinished(() => { vi.useRealTimers(); });
  lines.length = 0;
  log = createLog({ level: 'info', format: 'text', write: (line) => lines.push(line.replace(/^\S+ /, '').trim()) }).part('stream');
});

const trouble = (of: string, reason = 'ENOSPC: no space left on device, write', what = 'a frame could not be stored'): void => {
  log.repeated('error', what, of, { reason });
};

describe('a trouble that repeats', () => {
  it('is a line when it begins, one a minute while it goes on, and one when it is over', () => {
    for (let second = 0; second < 90; second += 1) {
      for (const camera of ['A', 'B', 'C']) trouble(camera);
      vi.advanceTimersByTime(1000);
    }
    vi.advanceTimersByTime(200_000);
    expect(lines).toEqual([
      'error stream: A: a frame could not be stored reason="ENOSPC: no space left on device, write"',
      'error stream: a frame could not be stored: 179 times more within a minute reason="ENOSPC: no space left on device, write" of="B (60), C (60), A (59)"',
      'error stream: a frame could not be stored: 90 times more within a minute reason="ENOSPC: no space left on device, write" of="A (30), B (30), C (30)"',
      'info  stream: no more for a minute: a frame could not be stored reason="ENOSPC: no space left on device, write" times=270',
    ]);
  });

  it('that names whom it befell is one of its own for each', () => {
    for (const camera of ['A', 'B', 'A', 'A']) log.repeated('info', `${camera}: reconnecting`, null, { reason: 'the stream ended; next try in 0.8 s' });
    vi.advanceTimersByTime(60_000);
    expect(lines).toEqual([
      'info  stream: A: reconnecting reason="the stream ended; next try in 0.8 s"', 'info  stream: B: reconnecting reason="the stream ended; next try in 0.8 s"',
      'info  stream: A: reconnecting: 2 times more within a minute reason="the stream ended; next try in 0.8 s"',
    ]);
  });

  it('that came once says no more, and is new when it comes back', () => {
    trouble('A');
    vi.advanceTimersByTime(200_000);
    trouble('A');
    expect(lines).toHaveLength(2);
  });

  it('hides no other: another reason, another thing, another part', () => {
    trouble('A');
    trouble('A', 'EROFS: read-only file system, write');
    trouble('A', 'ENOSPC: no space left on device, write', 'the latest picture could not be kept');
    log.part('pipeline').repeated('error', 'a frame could not be stored', 'A', { reason: 'ENOSPC: no space left on device, write' });
    expect(lines).toHaveLength(4);
  });

  it('is the same whatever file its reason names', () => {
    trouble('A', "ENOSPC: no space left on device, open '/frames/A_0a1b2c3d/A_20260701T120000000000Z.jpg.tmp'");
    trouble('B', "ENOSPC: no space left on device, open '/frames/B_0a1b2c3d/B_20260701T120001000000Z.jpg.tmp'");
    trouble('A', 'only 81920 of its 172031 bytes could be written');
    trouble('A', 'only 4096 of its 172031 bytes could be written');
    expect(lines).toHaveLength(2);
  });

  it('takes no time, however long the word that it comes with', () => {
    const began = performance.now();
    trouble('A', 'a'.repeat(100_000));
    expect(performance.now() - began).toBeLessThan(500);
  });

  it('is told by name for a few of many', () => {
    for (let camera = 0; camera < 20; camera += 1) trouble(`CAM-${camera}`);
    vi.advanceTimersByTime(60_000);
    expect(lines[1]).toMatch(/19 times more within a minute .* of="CAM-1 \(1\), .*, 14 others"$/);
  });

  it('beyond a thousand different ones is told each time', () => {
    const word = (number: number): string => String(number).replace(/\d/g, (digit) => 'abcdefghij'.charAt(Number(digit)));
    for (let number = 0; number < 1100; number += 1) trouble('A', word(number));
    trouble('A', word(1050));
    trouble('A', word(50));
    expect(lines).toHaveLength(1101);
  });
});
