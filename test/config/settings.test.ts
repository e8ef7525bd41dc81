/** The list of settings that flags, environment names and the README's table are made from. */
import { expect, it } from 'vitest';

import { loadConfig } from '../../src/config/load.ts';
import { membersSettings } from '../../src/config/members.ts';
import { SETTINGS } from '../../src/config/schema.ts';
import { fromText, listSettings } from '../../src/config/settings.ts';

it('names every setting but the lists of mappings by flag and environment variable', () => {
  const list = listSettings();
  expect(list.map(({ key }) => key)).toEqual(Object.keys(SETTINGS).filter((key) => !['streams', 'events', 'followers'].includes(key)));
  expect(list.find(({ key }) => key === 'interval_seconds')).toMatchObject({
    flag: '--interval-seconds', env: 'LOOKOUT_INTERVAL_SECONDS', kind: 'number', default: 3, range: '0.1 to 3600',
  });
  expect(list.find(({ key }) => key === 'record_when')?.range).toBe('always, found');
});

it('has a default for every setting that passes the check, whatever the folder', async () => {
  const { config } = await loadConfig({ flags: {}, env: {}, cwd: '/nowhere' });
  expect(Object.keys(config).sort()).toEqual(Object.keys(SETTINGS).sort());
  expect(JSON.stringify(config)).not.toContain('<data_dir>');
  expect(config).toMatchObject({
    host: '127.0.0.1', port: 5000, interval_seconds: 3, batch_size: 10, queue_per_stream: 3, queue_total: 200, record_format: 'v1', keep_frames: 'found',
  });
});

it('takes up the settings that members of families have for themselves, each of one part only', async () => {
  expect(Object.keys(await membersSettings([]))).toEqual(['pre_roll_seconds', 'capture_host_max_bytes', 'record_when', 'keep_frames', 'evidence_max_bytes', 'snapshot', 'snapshot_max_width']);
  await expect(membersSettings(['snapshot'])).rejects.toThrow('the setting snapshot of pipeline/stages/snapshot is another part\'s too');
});

it.each([
  ['port', ' 80 ', 80],
  ['port', '', ''],
  ['port', '80x', '80x'],
  ['offline', 'On', true],
  ['insecure', '0', false],
  ['offline', 'maybe', 'maybe'],
  ['max_width', 'none', null],
  ['snapshot', 'none', 'none'],
  ['keep_frames', 'none', 'none'],
  ['allow_schemes', 'rtsp,, srt ,', ['rtsp', 'srt']],
  ['token', ' 12 ', ' 12 '],
])('reads %s from the text %j as %j', (key, text, value) => {
  expect(fromText(key, text)).toEqual(value);
});
