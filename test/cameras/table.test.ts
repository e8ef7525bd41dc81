/** The camera table against files as they really are. */
import { appendFile, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { createLog, silentLog } from '../../src/lib/log.ts';
import type { CameraTable } from '../../src/cameras/table.ts';
import { createCameraTable } from '../../src/cameras/table.ts';

/** Blank lines, LF then CRLF: what years of edits and appends leave behind. */
const GROWN = 'cameraID,latitude,longitude\nCAM-001,37.7749,-122.4194\nCAM-002,34.0522,-118.2437\nCAM-003,40.7128,-74.0060\n\n\nCAM-004,24.5,81.3\r\n';

let folder: string;
let file: string;
let warnings: string[];
let table: CameraTable;
const signal = new AbortController().signal;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout-cameras-'));
  file = join(folder, 'camera_data.csv');
  warnings = [];
  table = createCameraTable({ file, log: createLog({ level: 'warn', format: 'text', write: (line) => warnings.push(line) }) });
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('lookup', () => {
  it('finds every camera of a grown file', async () => {
    await writeFile(file, GROWN);
    expect(await table.lookup('CAM-003')).toEqual({ id: 'CAM-003', latitude: 40.7128, longitude: -74.006 });
    expect(await table.lookup('CAM-004')).toEqual({ id: 'CAM-004', latitude: 24.5, longitude: 81.3 });
    expect(warnings).toEqual([]);
  });

  it.each([
    ['a BOM, spaces and other columns in another order', '\ufeffLongitude , name, Latitude,cameraID\r\n 80.3319 ,"gate, north", 26.4499 , CAM-1 \r\n'],
    ['no final newline', 'cameraID,latitude,longitude\nCAM-1,26.4499,80.3319'],
    ['quotes', '"cameraID","latitude","longitude"\n"CAM-1","26.4499","80.3319"\n'],
    ['too few and too many fields in other rows', 'cameraID,latitude,longitude\nx\nCAM-1,26.4499,80.3319,more\n   \n,,\n'],
    ['old Macintosh line ends', 'cameraID,latitude,longitude\rCAM-1,26.4499,80.3319\r'],
  ])('reads a file with %s', async (_what, text) => {
    await writeFile(file, text);
    expect(await table.lookup('CAM-1')).toEqual({ id: 'CAM-1', latitude: 26.4499, longitude: 80.3319 });
  });

  it('takes the exact id before one that differs in spaces only', async () => {
    await writeFile(file, 'cameraID,latitude,longitude\n CAM-1,1,1\nCAM-1,2,2\n');
    expect((await table.lookup('CAM-1')).latitude).toBe(2);
    expect((await table.lookup(' CAM-1')).latitude).toBe(1);
    expect((await table.lookup('CAM-1 ')).latitude).toBe(1);
  });

  it('answers null for an unknown camera, with one warning', async () => {
    expect(await table.lookup('CAM-9')).toEqual({ id: 'CAM-9', latitude: null, longitude: null });
    await writeFile(file, GROWN);
    expect(await table.lookup('CAM-9')).toEqual({ id: 'CAM-9', latitude: null, longitude: null });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('CAM-9');
  });

  it.each(['abc', '', '90.01', '-91', '0x10', '1,5', 'NaN', 'Infinity', '37.7N'])('answers null for the latitude %j, with one warning', async (latitude) => {
    await writeFile(file, `cameraID,latitude,longitude\nCAM-1,"${latitude}",80.5\n`);
    expect(await table.lookup('CAM-1')).toEqual({ id: 'CAM-1', latitude: null, longitude: 80.5 });
    await table.lookup('CAM-1');
    expect(warnings).toHaveLength(1);
  });

  it.each([['-90', -90], ['+12.5', 12.5], ['.5', 0.5], ['1e1', 10], ['0', 0]])('reads the latitude %s', async (text, value) => {
    await writeFile(file, `cameraID,latitude,longitude\nCAM-1,${text},0\n`);
    expect((await table.lookup('CAM-1')).latitude).toBe(value);
  });

  it('sees changes of the file, also when it is replaced', async () => {
    await writeFile(file, 'cameraID,latitude,longitude\nCAM-1,1,1\n');
    expect((await table.lookup('CAM-1')).latitude).toBe(1);
    await writeFile(`${file}.new`, 'cameraID,latitude,longitude\nCAM-1,2,2\n');
    await rename(`${file}.new`, file);
    expect((await table.lookup('CAM-1')).latitude).toBe(2);
    await appendFile(file, 'CAM-2,3,3\n');
    expect((await table.lookup('CAM-2')).latitude).toBe(3);
  });

  it('uses the last good state while the file is damaged', async () => {
    await writeFile(file, GROWN);
    await table.lookup('CAM-001');
    await writeFile(file, 'cameraID,latitude,longitude\n"CAM-001,1,1\n');
    expect((await table.lookup('CAM-001')).latitude).toBe(37.7749);
    await table.lookup('CAM-001');
    expect(warnings).toHaveLength(1);
  });
});

describe('rows', () => {
  it('are the texts of the file, untouched', async () => {
    await writeFile(file, 'cameraID,latitude,longitude\n CAM-1,26.44990,abc\n\nCAM-2,,\n');
    expect(await table.rows()).toEqual([
      { cameraID: ' CAM-1', latitude: '26.44990', longitude: 'abc' }, { cameraID: 'CAM-2', latitude: '', longitude: '' },
    ]);
  });

  it('are none where there is no file', async () => {
    expect(await table.rows()).toEqual([]);
  });
});

describe('add', () => {
  const row = { cameraID: 'CAM-5', latitude: '1.5', longitude: '-2.5' };
  const grownBy = async (text: string): Promise<string> => {
    await writeFile(file, text);
    await table.add(row, signal);
    const now = await readFile(file, 'utf8');
    expect(now.startsWith(text)).toBe(true);
    return now.slice(text.length);
  };

  it('makes the folder of the file where there is none', async () => {
    const other = createCameraTable({ file: join(folder, 'cams/cams.csv'), log: silentLog });
    await other.add(row, signal);
    expect(await other.rows()).toEqual([row]);
  });

  it('makes the file where there is none', async () => {
    await table.add(row, signal);
    expect(await readFile(file, 'utf8')).toBe('cameraID,latitude,longitude\nCAM-5,1.5,-2.5\n');
    expect(await table.lookup('CAM-5')).toEqual({ id: 'CAM-5', latitude: 1.5, longitude: -2.5 });
  });

  it.each([
    ['after a grown file', GROWN, 'CAM-5,1.5,-2.5\n'],
    ['after a last line that has no end', 'cameraID,latitude,longitude\nCAM-4,1,1', '\nCAM-5,1.5,-2.5\n'],
    ['with the line ends of the header', 'cameraID,latitude,longitude\r\nCAM-4,1,1', '\r\nCAM-5,1.5,-2.5\r\n'],
    ['in the columns of the header', '\ufefflongitude,name,cameraID,latitude\n', '-2.5,,CAM-5,1.5\n'],
    ['to an empty file', '', 'cameraID,latitude,longitude\nCAM-5,1.5,-2.5\n'],
  ])('appends %s', async (_what, text, appended) => {
    expect(await grownBy(text)).toBe(appended);
  });

  it('quotes what needs it', async () => {
    await table.add({ ...row, cameraID: 'gate, "north"' }, signal);
    expect((await table.rows())[0]?.cameraID).toBe('gate, "north"');
  });

  it('refuses an id that is there, spaces apart', async () => {
    await writeFile(file, 'cameraID,latitude,longitude\n CAM-5 ,1,1\n');
    await expect(table.add(row, signal)).rejects.toMatchObject({ code: 'bad_request', message: 'Camera ID already exists' });
  });

  it('refuses a file whose columns are not ours', async () => {
    await writeFile(file, 'id,lat,lon\n1,2,3\n');
    await expect(table.add(row, signal)).rejects.toThrow('no column cameraID, latitude, longitude');
  });

  it.each(['=1+1', ' =A1', '@SUM(A1)', '-1+cmd|x', '+A1*2', 'a\tb', 'a\nb'])('refuses %j, which a spreadsheet may run or break', async (cameraID) => {
    await expect(table.add({ ...row, cameraID }, signal)).rejects.toMatchObject({ code: 'bad_request' });
    await expect(table.add({ ...row, latitude: cameraID }, signal)).rejects.toMatchObject({ code: 'bad_request' });
    expect(await table.rows()).toEqual([]);
  });

  it.each(['-1', '+7', '-gate 3', '007', 'Кáмера'])('takes %j, which is no formula', async (cameraID) => {
    await table.add({ ...row, cameraID }, signal);
    expect((await table.lookup(cameraID)).latitude).toBe(1.5);
  });

  it('adds the rows of all who add at once', async () => {
    const ids = Array.from({ length: 40 }, (_, index) => `CAM-${String(index).padStart(2, '0')}`);
    await Promise.all(ids.map((cameraID) => table.add({ ...row, cameraID }, signal)));
    expect((await table.rows()).map(({ cameraID }) => cameraID).sort()).toEqual(ids);
    expect(await readdir(folder)).toEqual(['camera_data.csv']);
  });

  it('keeps every row, and one of each id, when many add at once', async () => {
    const ids = Array.from({ length: 8 }, (_, index) => `CAM-${index}`);
    const outcomes = await Promise.allSettled([...ids, ...ids].map((cameraID) => table.add({ ...row, cameraID }, AbortSignal.timeout(20_000))));
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(ids.length);
    expect((await table.rows()).map(({ cameraID }) => cameraID).sort()).toEqual(ids);
  });
});
