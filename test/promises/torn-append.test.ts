/** A crash at any byte of an append leaves all records before it, and the one that was written if it is whole. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { logFolder } from '../log/log-folder.ts';
import { sampleRecord } from '../log/sample-record.ts';
import { inFull, tellFigure } from './figures.ts';

const never = new AbortController().signal;
const RECORD_BYTES = 2000;
/** A sample that meets every kind of byte: the step divides nothing. */
const STEP = inFull ? 1 : 61;

it.for(['json', 'ndjson'] as const)('a %s file keeps its records whichever byte of an append a crash comes at', { retry: 0, timeout: inFull ? 1_200_000 : 60_000 }, async (format, { onTestFinished }) => {
  const at = await logFolder();
  onTestFinished(() => at.remove());
  const write = async (id: string, picture = ''): Promise<void> => {
    const log = await at.open({ format });
    await log.append([sampleRecord(id, { picture })], never);
    await log.close();
  };
  const ids = async (): Promise<readonly string[]> => {
    const text = await readFile(at.files.predictions, 'utf8');
    const records = format === 'json' ? JSON.parse(text) as unknown[] : text.split('\n').filter(Boolean).map((line) => JSON.parse(line) as unknown);
    return records.map((record) => (record as ReturnType<typeof sampleRecord>).batch.id);
  };
  await write('first');
  await write('second');
  const before = await readFile(at.files.predictions);
  const index = await readFile(join(at.folder, 'records.idx'));
  const small = Buffer.byteLength(JSON.stringify(sampleRecord('torn', { picture: '' })));
  await write('torn', 'x'.repeat(RECORD_BYTES - small));
  const after = await readFile(at.files.predictions);
  const from = after.findIndex((byte, place) => byte !== before[place]);

  let tries = 0;
  for (let end = from; end <= after.length; end += end + STEP > after.length && end < after.length ? after.length - end : STEP) {
    await rm(at.folder, { recursive: true });
    await rebuild(Buffer.concat([after.subarray(0, end), before.subarray(end)]));
    await write('next');
    const [kept, torn] = [['first', 'second', 'next'], ['first', 'second', 'torn', 'next']];
    const found = await ids();
    expect(found, `torn at byte ${end - from} of ${after.length - from}`).toEqual(found.includes('torn') ? torn : kept);
    if (end === after.length) expect(found).toEqual(torn);
    tries += 1;
  }
  tellFigure('torn', `${format}: ${tries} of ${after.length - from + 1} offsets tried, every earlier record kept`);

  async function rebuild(records: Buffer): Promise<void> {
    await mkdir(at.folder);
    await writeFile(at.files.predictions, records);
    await writeFile(join(at.folder, 'records.idx'), index);
  }
});
