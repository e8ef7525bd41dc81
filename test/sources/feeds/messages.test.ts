/** What Lookout and a capture host say to each other. */
import { expect, it } from 'vitest';
import { lineOf } from '../../../src/sources/feeds/messages.ts';

it('a message is one line for everybody, whatever a camera says', () => {
  const message = { is: 'ended', feed: 1, failure: { code: 'stream_connect', message: 'sends us on to a\u2028b\u2029c\n', unsupported: false } } as const;
  const line = lineOf(message);
  expect(line).not.toMatch(/[\u2028\u2029\n]./);
  expect(JSON.parse(line)).toEqual(message);
});
