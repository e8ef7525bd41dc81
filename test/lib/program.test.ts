import { describe, expect, it } from 'vitest';
import { ask } from '../../src/lib/program.ts';

describe('asking a program', () => {
  it('gives its first line', async () => {
    expect(await ask('sh', ['-c', 'echo one; echo two'])).toBe('one');
    expect(await ask(process.execPath, ['--version'])).toBe(process.version);
  });

  it('gives null when it is not there or fails', async () => {
    expect(await ask('no-such-program', [])).toBeNull();
    expect(await ask('sh', ['-c', 'echo one; exit 3'])).toBeNull();
  });
});
