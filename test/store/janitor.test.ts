import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { NOTHING, type Amount } from '../../src/lib/amount.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createLog, silentLog } from '../../src/lib/log.ts';
import { createForecast } from '../../src/store/forecast.ts';
import { createJanitor, type Expendable, type Janitor, type Kind } from '../../src/store/janitor.ts';
import { temporaryFolder } from '../models/fixtures.ts';
import { createManualClock } from '../helpers/manual-clock.ts';
import { canFreeze, canMount, mountHangingDisk, mountSmallDisk, type SmallDisk } from '../helpers/small-disk.ts';

const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
const MB = 1_000_000;

interface Kept {
  readonly janitor: Janitor;
  readonly disk: SmallDisk;
  /** Kinds in the order in which something of them went. */
  readonly gone: Kind[];
  readonly logged: () => string;
}

/** Ten files of each kind, of so many bytes, in a folder of their own; the last kind elsewhere if that is given. */
async function open(bytes: number, { min_free_bytes = MB, inodes = 10_000, elsewhere = null as SmallDisk | null } = {}): Promise<Kept> {
  const disk = mountSmallDisk(8, inodes);
  onTestFinished(() => { disk.unmount(); });
  const lines: string[] = [];
  const janitor = createJanitor({
    folders: [disk.folder, ...(elsewhere ? [elsewhere.folder] : [])], files: [], min_free_bytes, clock: systemClock, log: createLog({ level: 'debug', format: 'text', write: (line) => lines.push(line) }),
  });
  const gone: Kind[] = [];
  // Joined in another order than that in which they go.
  for (const kind of ['frames', 'unrecorded', 'recorded', 'evidence'] as const) {
    const folder = join(kind === 'evidence' && elsewhere ? elsewhere.folder : disk.folder, kind);
    await mkdir(folder);
    for (let number = 0; number < 10; number += 1) await writeFile(join(folder, String(number)), Buffer.alloc(bytes));
    janitor.join(kind, expendable(folder, bytes, () => gone.push(kind)));
  }
  return { janitor, disk, gone, logged: () => lines.join('') };
}

function expendable(folder: string, size: number, went: () => void): Expendable {
  return {
    folder,
    held: () => 0,
    async letGo(wanted) {
      let amount: Amount = NOTHING;
      for (const name of await readdir(folder)) {
        if (amount.bytes >= wanted.bytes && amount.files >= wanted.files) break;
        await rm(join(folder, name));
        went();
        amount = { bytes: amount.bytes + size, files: amount.files + 1 };
      }
      return amount;
    },
  };
}

const fill = (disk: SmallDisk, bytes: number): Promise<void> => writeFile(join(disk.folder, 'filler'), Buffer.alloc(bytes));

describe.skipIf(!canMount)('the janitor (needs leave to mount)', () => {
  it('leaves everything where it is while there is room', async () => {
    const { janitor, gone } = await open(100_000);
    expect(await janitor.failed(full)).toBe(false);
    expect(gone).toEqual([]);
    expect(janitor.trouble).toBeNull();
  });

  it('lets go in the order of the table, and no more than is needed', async () => {
    const { janitor, disk, gone, logged } = await open(100_000);
    await fill(disk, 3_800_000);
    expect(await janitor.failed(full)).toBe(true);
    expect(new Set(gone)).toEqual(new Set(['evidence']));
    expect(gone.length).toBeLessThan(10);
    for (const bytes of [4_900_000, 5_900_000]) {
      await fill(disk, bytes);
      expect(await janitor.failed(full)).toBe(true);
    }
    expect([...new Set(gone)]).toEqual(['evidence', 'recorded', 'unrecorded']);
    expect(gone.length).toBeLessThan(30);
    expect(janitor.trouble).toBeNull();
    expect(logged()).toMatch(/room is short: kept pictures are let go .*files_since_start=\d since_start="0\.\d MB"/);
  });

  it('says that the disk is full once nothing is left, and takes it back with a margin', async () => {
    const { janitor, disk, gone } = await open(1000);
    await fill(disk, 7_900_000);
    expect(await janitor.failed(full)).toBe(true);
    expect(await janitor.failed(full)).toBe(false);
    expect(gone).toHaveLength(40);
    expect(janitor.trouble).toMatchObject({ code: 'disk_full', message: expect.stringMatching(/^0\.\d MB are free for .*, where 1\.0 MB are to stay free, and nothing is left/) as string });
    await fill(disk, 7_300_000);
    await janitor.failed(full);
    expect(janitor.trouble).not.toBeNull();
    await fill(disk, 6_500_000);
    await janitor.failed(full);
    expect(janitor.trouble).toBeNull();
  });

  it('lets go last of what is to be kept', async () => {
    const { janitor, disk, gone } = await open(1000);
    janitor.join('kept', expendable(join(disk.folder, 'evidence'), 1000, () => gone.push('kept')));
    janitor.join('evidence', { folder: disk.folder, held: () => 0, letGo: () => Promise.resolve(NOTHING) });
    await fill(disk, 7_900_000);
    expect(await janitor.failed(full)).toBe(true);
    expect([...new Set(gone)]).toEqual(['recorded', 'unrecorded', 'frames', 'kept']);
    expect(janitor.trouble).toBeNull();
  });

  it('counts files as well as bytes', async () => {
    const { janitor, disk, gone } = await open(10, { inodes: 100 });
    for (let number = 0; number < 52; number += 1) await writeFile(join(disk.folder, `other-${number}`), '');
    expect(await janitor.failed(full)).toBe(true);
    expect(gone.every((kind) => kind === 'evidence')).toBe(true);
    expect(gone.length).toBeGreaterThan(1);
  });

  it('does not let go of what lies on another disk than the one that is full', async () => {
    const elsewhere = mountSmallDisk(8);
    onTestFinished(() => { elsewhere.unmount(); });
    const { janitor, disk, gone } = await open(100_000, { elsewhere });
    await fill(disk, 4_800_000);
    await janitor.failed(full);
    expect([...new Set(gone)]).toEqual(['recorded']);
  });

  it('lets go on a disk of clips alone, by a reserve of its own, and captures though nothing is left there', async () => {
    const [main, small] = [mountSmallDisk(8), mountSmallDisk(2)];
    onTestFinished(() => { for (const disk of [main, small]) disk.unmount(); });
    const clips = join(main.folder, 'clips');
    await symlink(small.folder, clips);
    await writeFile(join(small.folder, 'one'), Buffer.alloc(1000));
    const janitor = createJanitor({ folders: [main.folder], files: [], min_free_bytes: 3 * MB, clock: systemClock, log: silentLog });
    let gone = 0;
    janitor.join('clips', expendable(clips, 1000, () => { gone += 1; }));
    expect([await janitor.failed(full), gone]).toEqual([false, 0]);
    await writeFile(join(small.folder, 'two'), Buffer.alloc(2 * MB));
    expect([await janitor.failed(full), gone, janitor.trouble]).toEqual([true, 2, null]);
    expect(await janitor.failed(full)).toBe(false);
    await small.readOnly();
    expect([await janitor.failed(full), janitor.trouble]).toEqual([false, null]);
  });

  it('looks after the disk that a file leads to, once it is there', async () => {
    const [main, small] = [mountSmallDisk(8), mountSmallDisk(2)];
    onTestFinished(() => { for (const disk of [main, small]) disk.unmount(); });
    const [link, file] = [join(main.folder, 'records'), join(small.folder, 'records')];
    await symlink(file, link);
    const janitor = createJanitor({ folders: [], files: [link], min_free_bytes: MB, clock: systemClock, log: silentLog });
    await janitor.failed(full);
    expect(janitor.trouble).toBeNull();
    await writeFile(file, Buffer.alloc(1.5 * MB));
    await janitor.failed(full);
    expect(janitor.trouble?.code).toBe('disk_full');
  });

  it('forgets the trouble of a disk in whose place there is another', async () => {
    const [small, large] = [mountSmallDisk(2), mountSmallDisk(8)];
    onTestFinished(() => { for (const disk of [small, large]) disk.unmount(); });
    const folder = await temporaryFolder();
    const place = join(folder, 'records');
    await symlink(small.folder, place);
    const janitor = createJanitor({ folders: [place], files: [], min_free_bytes: MB, clock: systemClock, log: silentLog });
    await fill(small, 1.5 * MB);
    await janitor.failed(full);
    expect(janitor.trouble?.code).toBe('disk_full');
    await rm(place);
    await symlink(large.folder, place);
    await janitor.failed(full);
    expect(janitor.trouble).toBeNull();
  });

  it('looks by itself, and lets those wait who capture', async () => {
    const { janitor, disk } = await open(10);
    await fill(disk, 7_900_000);
    const stop = new AbortController();
    const running = janitor.run(stop.signal);
    await expect.poll(() => janitor.trouble?.code, { timeout: 6000 }).toBe('disk_full');
    await rm(join(disk.folder, 'filler'));
    await janitor.wait(stop.signal);
    expect(janitor.trouble).toBeNull();
    stop.abort();
    await running;
  });

  it.skipIf(!canFreeze)('knows a disk that hangs though it tells how much room it has, and keeps nobody waiting for what is read there (needs leave to mount, and ext4)', async () => {
    const disk = mountHangingDisk(8);
    onTestFinished(() => { disk.unmount(); });
    const clock = createManualClock(0);
    const janitor = createJanitor({ folders: [disk.folder], files: [], min_free_bytes: 0, clock, log: silentLog });
    disk.freeze();
    const stop = new AbortController();
    const running = janitor.run(stop.signal);
    const begun = expect(janitor.read(() => new Promise(() => undefined))).rejects.toMatchObject({ code: 'disk_failed', message: expect.stringContaining(disk.folder) as string });
    // It may take its time.
    await systemClock.sleep(300, stop.signal);
    clock.pass(14);
    expect(janitor.silence).toBeNull();
    clock.pass(2);
    expect(janitor.silence?.message).toMatch(/gives no answer/);
    await begun;
    await expect(janitor.read(() => Promise.resolve(1))).rejects.toMatchObject({ code: 'disk_failed' });
    disk.thaw();
    await expect.poll(() => janitor.silence).toBeNull();
    expect(await janitor.read(() => Promise.resolve(1))).toBe(1);
    stop.abort();
    await running;
  });

  it('knows a disk to which nothing can be written though it has room', async () => {
    const { janitor, disk, gone } = await open(10);
    await disk.readOnly();
    expect(await janitor.failed(Object.assign(new Error('EROFS'), { code: 'EROFS' }))).toBe(false);
    expect(janitor.trouble).toMatchObject({ code: 'disk_failed', message: expect.stringContaining('EROFS') as string });
    expect(gone).toEqual([]);
    disk.writable();
    await janitor.failed(full);
    expect(janitor.trouble).toBeNull();
  });

  it('keeps no reserve but its files where it is told so', async () => {
    const { janitor, disk, gone } = await open(10, { min_free_bytes: 0 });
    await fill(disk, 7_000_000);
    expect(await janitor.failed(Object.assign(new Error('EMFILE'), { code: 'EMFILE' }))).toBe(false);
    expect(gone).toEqual([]);
    expect(janitor.trouble).toBeNull();
  });
});

describe('the forecast', () => {
  const MINUTE = 60_000;
  /** Room at each minute. */
  const after = (minutes: number, room: (minute: number) => number): number | null => {
    const forecast = createForecast();
    let hours: number | null = null;
    for (let minute = 0; minute <= minutes; minute += 1) hours = forecast.hoursLeft(room(minute), minute * MINUTE);
    return hours;
  };

  it('is the hours that are left at the rate of the last hour', () => {
    expect(after(60, (minute) => 700 * MB - minute * MB)).toBeCloseTo(640 / 60);
    // What was before does not count.
    expect(after(200, (minute) => (minute < 130 ? 1000 * MB : 1000 * MB - (minute - 130) * MB))).toBeCloseTo(930 / 60);
  });

  it.each([
    ['before it is known', 9, (minute: number) => 100 * MB - minute * MB],
    ['while room does not shrink', 60, () => 100 * MB],
    ['while it grows', 60, (minute: number) => 100 * MB + minute],
    ['where it takes days', 60, (minute: number) => 10_000 * MB - minute * MB],
  ])('says nothing %s', (_case, minutes, room) => {
    expect(after(minutes, room)).toBeNull();
  });
});
