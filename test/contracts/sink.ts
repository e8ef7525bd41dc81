/** What every sink must do, whatever it writes to. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Sink } from '../../src/types.ts';
import { sampleRecord } from '../sinks/sample-record.ts';

const never = new AbortController().signal;

/** `open` gives a sink that keeps its records in or under the name of `folder`; opened again, the same records. */
export function sinkContract(name: string, open: (folder: string) => Promise<Sink>): void {
  describe(`the sink ${name}`, () => {
    let folder: string;
    let sink: Sink;

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), `lookout-sink-`));
      sink = await open(folder);
    });
    afterEach(async () => {
      await sink.close();
      await rm(folder, { recursive: true, force: true });
    });

    const reopen = async (): Promise<void> => {
      await sink.close();
      sink = await open(folder);
    };

    it('has what was written and nothing else', async () => {
      expect(await sink.has('a')).toBe(false);
      await sink.write(sampleRecord('a'), never);
      expect(await sink.has('a')).toBe(true);
      expect(await sink.has('b')).toBe(false);
    });

    it('still has everything when it is opened again', async () => {
      await sink.write(sampleRecord('a'), never);
      await reopen();
      await sink.write(sampleRecord('b'), never);
      await reopen();
      expect(await Promise.all(['a', 'b'].map((id) => sink.has(id)))).toEqual([true, true]);
    });

    it('takes many records at once', async () => {
      const ids = Array.from({ length: 25 }, (_, number) => `many-${number}`);
      await Promise.all(ids.map((id) => sink.write(sampleRecord(id), never)));
      await reopen();
      for (const id of ids) expect(await sink.has(id)).toBe(true);
    });

    it('does not write when the signal has aborted, and writes afterwards', async () => {
      await expect(sink.write(sampleRecord('a'), AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
      expect(await sink.has('a')).toBe(false);
      await sink.write(sampleRecord('a'), never);
      expect(await sink.has('a')).toBe(true);
    });

    it('finishes what was asked for before it closes, and refuses what comes later', async () => {
      const writing = sink.write(sampleRecord('a'), never);
      await sink.close();
      await writing;
      await expect(sink.write(sampleRecord('b'), never)).rejects.toMatchObject({ code: 'sink_failed' });
      sink = await open(folder);
      expect(await Promise.all(['a', 'b'].map((id) => sink.has(id)))).toEqual([true, false]);
    });

    it('can be closed twice', async () => {
      await sink.close();
      await sink.close();
    });
  });
}
