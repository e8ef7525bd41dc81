import { describe, expect, it } from 'vitest';
import { LookoutError } from '../../src/errors.ts';
import { asOfDisk, isNoRoom, isOfDisk, isTransient } from '../../src/lib/transient.ts';

const failed = (code: string): Error => Object.assign(new Error(code), { code });

describe('a failure that passes', () => {
  it.each(['EMFILE', 'ENFILE', 'ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'ENOMEM', 'EAGAIN', 'ENOBUFS'])('is %s', (code) => {
    expect(isTransient(failed(code))).toBe(true);
  });

  it.each(['ENOENT', 'EACCES', 'ENOTDIR', 'runner_died'])('is not %s', (code) => {
    expect(isTransient(failed(code))).toBe(false);
  });

  it('is known through errors that were made for it', () => {
    const inner = failed('ENOSPC');
    expect(isTransient(new LookoutError('log_failed', 'it cannot be written', { cause: inner }))).toBe(true);
    expect(isNoRoom(new LookoutError('log_failed', 'it', { cause: new AggregateError([failed('ENOENT'), inner]) }))).toBe(true);
    const loop = new Error('loop');
    loop.cause = loop;
    expect(isTransient(loop)).toBe(false);
    expect(isTransient('ENOSPC')).toBe(false);
  });

  it('is the disk\'s or not', () => {
    expect(['ENOSPC', 'EDQUOT', 'EIO', 'EROFS'].every((code) => isOfDisk(failed(code)))).toBe(true);
    expect(isOfDisk(failed('EMFILE'))).toBe(false);
    expect(isNoRoom(failed('EIO'))).toBe(false);
  });

  it('is told as the disk\'s, and what is of something else as it was', () => {
    expect(asOfDisk(failed('EDQUOT'))).toMatchObject({ code: 'disk_full', message: 'EDQUOT' });
    expect(asOfDisk(failed('EROFS'))).toMatchObject({ code: 'disk_failed', message: 'EROFS' });
    const others = [failed('EMFILE'), new LookoutError('log_failed', 'it', { cause: failed('EIO') }), 'ENOSPC'];
    expect(others.map(asOfDisk)).toEqual(others);
  });
});
