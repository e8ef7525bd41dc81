/** An ffmpeg that reads SMJPEG and obeys the word in each picture; the pixels of its answer are all the picture's last byte. */
import { writeSync } from 'node:fs';

const LENGTH = 'P5\n160 90\n255\n'.length + 160 * 90;
let rest = Buffer.alloc(0);
let opened = false;

process.stdin.on('data', (bytes) => {
  rest = Buffer.concat([rest, bytes]);
  if (!opened) rest = rest.subarray(rest.indexOf('HEND') + 4);
  opened = true;
  while (rest.length >= 12 && rest.length >= 12 + rest.readUInt32BE(8)) {
    const [number, end] = [rest.readUInt32BE(4), 12 + rest.readUInt32BE(8)];
    obey(rest.subarray(12, end), number);
    rest = rest.subarray(end);
  }
});

function obey(picture, number) {
  const answer = Buffer.concat([Buffer.from(`0, ${number}, ${number}, 1, ${LENGTH}, 0x0\nP5\n160 90\n255\n`), Buffer.alloc(160 * 90, picture.at(-1))]);
  const [word] = picture.toString('latin1').split(' ');
  if (word === 'silence') return;
  if (word === 'hang') process.stdin.pause();
  else if (word === 'nothing') writeSync(2, 'it is damaged\n');
  else if (word === 'nonsense') writeSync(1, '0, what, is, this\n');
  else if (word === 'half') {
    writeSync(1, answer.subarray(0, 5000));
    process.exit(0);
  } else writeSync(1, word === 'twice' ? Buffer.concat([answer, answer]) : answer);
}
