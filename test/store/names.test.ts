import { describe, expect, it } from 'vitest';
import { batchId, capturedAt, frameFile, safeName, sessionName } from '../../src/store/names.ts';

const AT = '2026-07-01T12:34:56.789Z';

describe('a camera\'s name as a file name', () => {
  it.each([
    ['CAM-001', 'CAM-001'],
    ['a.b_c-9', 'a.b_c-9'],
    ['Tor 3/Süd', 'Tor%203%2FS%C3%BCd'],
    ['100%', '100%25'],
    ['..\\..', '..%5C..'],
    ['a~b', 'a%7Eb'],
    ['😀', '%F0%9F%98%80'],
  ])('of %s is %s', (id, name) => {
    expect(safeName(id)).toBe(name);
  });

  it('is cut where it would be too long, and still tells cameras apart', () => {
    const names = ['x', 'y'].map((last) => safeName(`${'カ'.repeat(127)}${last}`));
    expect(new Set(names).size).toBe(2);
    for (const name of names) expect(frameFile(`${'カ'.repeat(127)}x`, AT).length, name).toBeLessThanOrEqual(255 - '.12345678.tmp'.length);
  });
});

describe('the names in the spool', () => {
  it('are these', () => {
    expect(sessionName('CAM 1')).toMatch(/^CAM%201_[0-9a-f]{8}$/);
    expect(frameFile('CAM 1', AT)).toBe('CAM%201_20260701T123456789000Z.jpg');
    expect(frameFile('CAM 1', AT, 2)).toBe('CAM%201_20260701T123456789002Z.jpg');
    expect(batchId('CAM%201_0a1b2c3d', `CAM%201_0a1b2c3d/${frameFile('CAM 1', AT, 2)}`)).toBe('CAM%201_0a1b2c3d-20260701T123456789002Z');
  });

  it('give every run of a camera another session', () => {
    expect(new Set(Array.from({ length: 50 }, () => sessionName('a'))).size).toBe(50);
  });

  it('hold the time at which a frame was captured, and only a frame\'s do', () => {
    for (const round of [0, 7, 999, 12_345]) expect(capturedAt(frameFile('a_20250101T000000000000Z.jpg', AT, round))).toBe(AT);
    for (const other of ['session.json', 'latest.jpg', 'a_20260701T123456789000Z.jpg.tmp', 'a_20260701T123456Z.jpg', `${batchId('a_0a1b2c3d', frameFile('a', AT))}.json`]) {
      expect(capturedAt(other)).toBeNull();
    }
  });
});
