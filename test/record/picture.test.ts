/** Which picture a record has of a frame. */
import { expect, it } from 'vitest';
import { pictureOf } from '../../src/record/picture.ts';

const frames = [0, 1].map((index) => ({ index, file: `s/${index}.jpg` }));
const record = { basic: { frame_base64: 'aGk=' }, batch: { snapshot: { index: 1 }, frames } };

it('is the snapshot for its own frame, and the kept one for the others', () => {
  const snapshot = { jpeg: Buffer.from('hi') };
  expect(pictureOf(record, null)).toEqual(snapshot);
  expect(pictureOf(record, 1)).toEqual(snapshot);
  expect(pictureOf(record, 0)).toEqual({ key: 's/0.jpg' });
  expect(pictureOf({ ...record, basic: { frame_base64: '' } }, 1)).toEqual({ key: 's/1.jpg' });
});

it('is the snapshot of flat records', () => {
  expect(pictureOf({ frame_base64: 'aGk=' }, null)).toEqual({ jpeg: Buffer.from('hi') });
});

it.each([undefined, null, 5, [], {}, { batch: 5 }, { batch: { frames: [null, 5] } }, { basic: { frame_base64: 5 } }, { batch: { snapshot: null, frames: [{ index: 0, file: 5 }] } }])('is none where %j says nothing', (odd) => {
  expect([pictureOf(odd, null), pictureOf(odd, 0)]).toEqual([null, null]);
});
