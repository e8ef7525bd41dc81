/** The camera table against files as they really are. */
import { appendFile, mkdir, mkdtemp, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { createLog, silentLog } from '../../src/lib/log.ts';
import type { CameraTable } from '../../src/cameras/table.ts';
import { createCameraTable } from '../../src/cameras/table.ts';
import { isNoRoom } from '../../src/lib/transient.ts';
import { canMount, mountSmallDisk } from '../helpers/small-disk.ts';

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

  const utf16be = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();
  it.each<[string, string | Buffer]>([
    ['semicolons', 'cameraID;latitude;longitude\r\nCAM-1;26.4499;80.3319\r\n'],
    ['semicolons and decimal commas', '\ufeffcameraID;latitude;longitude\r\nCAM-1;26,4499;80,3319\r\n'],
    ['decimal commas in quotes', 'cameraID,latitude,longitude\nCAM-1,"26,4499","80,3319"\n'],
    ['tabs', 'cameraID\tlatitude\tlongitude\nCAM-1\t26.4499\t80.3319\n'],
    ['a sep= line', 'sep=,\r\ncameraID,latitude,longitude\r\nCAM-1,26.4499,80.3319\r\n'],
    ['a sep= line of another separator', '\ufeffSEP=|\ncameraID|latitude|longitude\nCAM-1|26.4499|80.3319\n'],
    ['UTF-16, as Unicode text', Buffer.from('\ufeffcameraID\tlatitude\tlongitude\r\nCAM-1\t26.4499\t80.3319\r\n', 'utf16le')],
    ['UTF-16 the other way round', utf16be('\ufeffcameraID;latitude;longitude\r\nCAM-1;26,4499;80,3319\r\n')],
    ['UTF-16 without a mark', Buffer.from('cameraID,latitude,longitude\nCAM-1,26.4499,80.3319\n', 'utf16le')],
    ['UTF-16 the other way round without a mark', utf16be('"cameraID";"latitude";"longitude"\r\n"CAM-1";"26,4499";"80,3319"\r\n')],
    ['decimal commas in powers of ten', 'cameraID;latitude;longitude\nCAM-1;2,64499E+01;8,03319E+01\n'],
    ['vertical lines', 'cameraID|latitude|longitude\nCAM-1|26.4499|80.3319\n'],
    ['empty rows above its header', ';;;\r\n;;;\r\n;cameraID;latitude;longitude\r\n;CAM-1;26,4499;80,3319\r\n'],
    ['a header over two lines', 'latitude;longitude;"camera\nID"\n26,4499;80,3319;CAM-1\n'],
    ['Windows-1252', Buffer.from('cameraID,latitude,longitude,street\nCAM-1,26.4499,80.3319,Stra\xdfe\n', 'latin1')],
    ['names for its cameras beside their ids', 'Camera,cameraID,camera_id,lat,latitude,longitude\nGate,CAM-1,7,9,26.4499,80.3319\n'],
    ['names of its own', 'Camera_ID,street,LAT,Lng\nCAM-1,x,26.4499,80.3319\n'],
    ['other names', 'cam id;Lon;lat\nCAM-1;80.3319;26.4499\n'],
    ['a quote that is never closed before it', 'cameraID,latitude,longitude\n"CAM-0,1,2\nCAM-1,26.4499,80.3319\n'],
    ['a quote that is never closed after it', 'cameraID;latitude;longitude\nCAM-1;26.4499;80.3319\n"CAM-2;1;2\n'],
    ['quotes that are never closed on both sides', 'cameraID,latitude,longitude\n"CAM-0,1,2\nCAM-1,26.4499,80.3319\n"CAM-2,1,2\n'],
    ['a quote that is never closed before one that is', 'cameraID,name,latitude,longitude\nCAM-0,"12 m mast,1,2\nCAM-1,x,26.4499,80.3319\nCAM-2,"a, b",1,2\n'],
    ['its own row over two lines and a quote that is never closed', 'cameraID,name,latitude,longitude\nCAM-1,"gate\nnorth",26.4499,80.3319\n"CAM-2,x,1,2\n'],
    ['inches', 'cameraID,name,latitude,longitude\nCAM-0,"3" mast,1,2\nCAM-1,12" mast,26.4499,80.3319\n'],
  ])('finds a camera in a table with %s', async (_name, text) => {
    await writeFile(file, text);
    expect(await table.lookup('CAM-1')).toEqual({ id: 'CAM-1', latitude: 26.4499, longitude: 80.3319 });
  });

  it.each([
    ['no header at all', 'CAM-1,26.4499,80.3319\n', '"CAM-1,26.4499,80.3319", has no column cameraID, latitude, longitude'],
    ['a header that is nobody\'s', 'name;x;y\nCAM-1;1;2\n', '"name;x;y", has no column cameraID, latitude, longitude'],
    ['a column too few', 'cameraID,latitude\nCAM-1,1\n', '"cameraID,latitude", has no column longitude'],
  ])('says once what is wrong with %s, and nothing of the cameras', async (_name, text, words) => {
    await writeFile(file, text);
    for (const id of ['CAM-1', 'CAM-2', 'CAM-1']) expect(await table.lookup(id)).toEqual({ id, latitude: null, longitude: null });
    expect(warnings).toEqual([expect.stringContaining(`its first line, ${words}; write cameraID,latitude,longitude above the rows`)]);
    await expect(table.add({ cameraID: 'CAM-3', latitude: '1', longitude: '2' }, signal)).rejects.toMatchObject({ code: 'bad_request', message: expect.stringContaining(words) as string });
  });

  it.each<[string, string, string]>([
    ['a workbook', 'PK\u0003\u0004\u0014\u0000', 'it is a workbook, not a text; save it as CSV'],
    ['quotes around its lines', '"cameraID,latitude,longitude"\n"CAM-1,1,2"\n', 'its lines stand in quotes as a whole, so that cameraID,latitude,longitude is one column; take these quotes away'],
    ['a title above its header', 'Cameras;;\ncameraID;latitude;longitude\nCAM-1;1;2\n', 'its first line, "Cameras;;", has no column'],
  ])('says what is wrong with a table that is or has %s', async (_name, text, words) => {
    await writeFile(file, text);
    await table.lookup('CAM-1');
    expect(warnings).toEqual([expect.stringContaining(words)]);
    await expect(table.add({ cameraID: 'CAM-3', latitude: '1', longitude: '2' }, signal)).rejects.toThrow(words);
  });

  it('tells which line is no row', async () => {
    await writeFile(file, 'cameraID,latitude,longitude\n"CAM-0,1,2\nCAM-1,1,2\n');
    for (let times = 0; times < 2; times += 1) await table.lookup('CAM-1');
    expect(warnings).toEqual([expect.stringContaining('is left out, because it is no row: "CAM-0,1,2')]);
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

  it.each(['abc', '', '90.01', '-91', '0x10', '1,234,5', 'NaN', 'Infinity', '37.7N'])('answers null for the latitude %j, with one warning', async (latitude) => {
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

  it.each([
    ['half of it is there', (): Promise<void> => writeFile(file, GROWN.slice(0, GROWN.indexOf('.0060')))],
    ['nothing of it is there', (): Promise<void> => writeFile(file, '')],
    ['it is gone', (): Promise<void> => rm(file)],
  ])('uses the state before while somebody saves the file and %s', async (_what, save) => {
    await writeFile(file, GROWN);
    await table.lookup('CAM-003');
    await save();
    for (let times = 0; times < 2; times += 1) expect(await table.lookup('CAM-003')).toEqual({ id: 'CAM-003', latitude: 40.7128, longitude: -74.006 });
    expect(warnings).toEqual([]);
    await writeFile(file, GROWN.replace('-74.0060', '-75'));
    expect((await table.lookup('CAM-003')).longitude).toBe(-75);
  });

  it('takes a table whose last line has no end, or none, once it has been so for two seconds', async () => {
    await writeFile(file, GROWN);
    await table.lookup('CAM-1');
    await writeFile(file, 'cameraID,latitude,longitude\nCAM-1,1,1');
    expect((await table.rows()).length).toBe(4);
    await utimes(file, Date.now() / 1000 - 3, Date.now() / 1000 - 3);
    expect(await table.lookup('CAM-1')).toMatchObject({ latitude: 1 });
    await rm(file);
    expect((await table.rows()).length).toBe(1);
    await setTimeout(2100);
    expect(await table.rows()).toEqual([]);
  });

  it('uses the last good state while the file is damaged', async () => {
    await writeFile(file, GROWN);
    await table.lookup('CAM-001');
    // Nobody can read it, not even who may do everything.
    await rm(file);
    await mkdir(file);
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
    ['in each column once', 'Camera,cameraID,lat,latitude,longitude\n', ',CAM-5,,1.5,-2.5\n'],
    ['in the columns of the header', '\ufefflongitude,name,cameraID,latitude\n', '-2.5,,CAM-5,1.5\n'],
    ['to an empty file', '', 'cameraID,latitude,longitude\nCAM-5,1.5,-2.5\n'],
  ])('appends %s', async (_what, text, appended) => {
    expect(await grownBy(text)).toBe(appended);
  });

  it.each<[string, string | Buffer, string | Buffer]>([
    ['semicolons and decimal commas', 'cameraID;latitude;longitude\r\nA;1,5;2,5\r\n', 'CAM-9;26,4499;-80,3319\r\n'],
    ['semicolons', 'longitude;cameraID;latitude\nx;A;1.5', '\n-80.3319;CAM-9;26.4499\n'],
    ['UTF-16 without a mark', Buffer.from('cameraID,latitude,longitude\n', 'utf16le'), Buffer.from('CAM-9,26.4499,-80.3319\n', 'utf16le')],
    ['tabs in UTF-16', Buffer.from('\ufeffcameraID\tlatitude\tlongitude\r\n', 'utf16le'), Buffer.from('CAM-9\t26.4499\t-80.3319\r\n', 'utf16le')],
    ['Windows-1252', Buffer.from('stra\xdfe,camera_id,lat,lng\nx,A,1,2\n', 'latin1'), ',CAM-9,26.4499,-80.3319\n'],
    ['a quote that is never closed', 'cameraID,latitude,longitude\n"A,1,2\n', 'CAM-9,26.4499,-80.3319\n'],
  ])('writes as the table does: %s', async (_name, before, added) => {
    await writeFile(file, before);
    await table.add({ cameraID: 'CAM-9', latitude: '26.4499', longitude: '-80.3319' }, signal);
    expect(await readFile(file)).toEqual(Buffer.concat([Buffer.from(before), Buffer.from(added)]));
    expect(await table.lookup('CAM-9')).toEqual({ id: 'CAM-9', latitude: 26.4499, longitude: -80.3319 });
  });

  it('refuses what the table\'s encoding does not have, and leaves it as it was', async () => {
    const before = Buffer.from('cameraID,latitude,longitude\nStra\xdfe,1,2\n', 'latin1');
    await writeFile(file, before);
    await expect(table.add({ cameraID: 'Кáмера', latitude: '1', longitude: '2' }, signal)).rejects.toThrow('the camera table is in Windows-1252, which has no К; save it as UTF-8 first');
    expect(await readFile(file)).toEqual(before);
    await table.add({ cameraID: 'Größe €', latitude: '1', longitude: '2' }, signal);
    expect(await table.lookup('Größe €')).toMatchObject({ latitude: 1 });
  });

  it('quotes what needs it', async () => {
    await table.add({ ...row, cameraID: 'gate, "north"' }, signal);
    expect((await table.rows())[0]?.cameraID).toBe('gate, "north"');
  });

  it('refuses an id that is there, spaces apart', async () => {
    await writeFile(file, 'cameraID,latitude,longitude\n CAM-5 ,1,1\n');
    await expect(table.add(row, signal)).rejects.toMatchObject({ code: 'bad_request', message: 'Camera ID already exists' });
  });

  it.skipIf(!canMount)('leaves the table as it was where the disk has no room for all of the row (needs leave to mount)', async () => {
    const disk = mountSmallDisk(1);
    try {
      const small = createCameraTable({ file: join(disk.folder, 'cameras.csv'), log: silentLog });
      const before = `cameraID,latitude,longitude\n${'x'.repeat(4096 - 28 - 10)},1.5,-2.5`;
      await writeFile(join(disk.folder, 'cameras.csv'), before);
      await writeFile(join(disk.folder, 'filler'), Buffer.alloc(2e6)).catch(() => undefined);
      for (const cameraID of ['Höhe', 'CAM']) expect(isNoRoom(await small.add({ ...row, cameraID }, signal).catch((error: unknown) => error))).toBe(true);
      expect((await readFile(join(disk.folder, 'cameras.csv'), 'utf8')).slice(4000)).toBe(before.slice(4000));
      await rm(join(disk.folder, 'filler'));
      await small.add(row, signal);
      expect(await small.lookup(row.cameraID)).toMatchObject({ latitude: 1.5, longitude: -2.5 });
    } finally {
      disk.unmount();
    }
  });

  it('refuses a file whose columns are not ours', async () => {
    await writeFile(file, 'id,lat,lon\n1,2,3\n');
    await expect(table.add(row, signal)).rejects.toThrow('"id,lat,lon", has no column cameraID; write');
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
