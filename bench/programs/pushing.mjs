/**
 * Cameras that push one picture again and again, evenly apart: pushing.mjs <picture> <times a second> <JSON>, of which the
 * last is a list of `{url, headers}`, one for each camera. Prints for each line of its input what came since the last one,
 * `{answered, refused}`: the milliseconds until each answer, and why others were refused or broke off.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { createInterface } from 'node:readline';

const [, , file, perSecond, cameras] = process.argv;
const picture = await readFile(file);
const agent = new Agent({ keepAlive: true });
let answered = [];
let refused = [];

function push({ url, headers }) {
  const begun = performance.now();
  const posted = request(url, { agent, method: 'POST', headers: { ...headers, 'Content-Type': 'image/jpeg', 'Content-Length': picture.length } }, (answer) => {
    let text = '';
    answer.on('data', (piece) => { text += piece; }).once('end', () => {
      if (answer.statusCode < 300) answered.push(performance.now() - begun);
      else refused.push(`${answer.statusCode} ${text}`);
    });
  });
  posted.once('error', ({ message }) => { refused.push(message); });
  posted.end(picture);
}

const begun = performance.now();
const all = JSON.parse(cameras);
all.forEach((camera, index) => {
  let next = begun + (1000 * (index + 1)) / all.length / perSecond;
  const wait = () => setTimeout(() => {
    push(camera);
    next += 1000 / perSecond;
    wait();
  }, next - performance.now());
  wait();
});
const lines = createInterface({ input: process.stdin }).on('line', () => {
  console.log(JSON.stringify({ answered, refused }));
  [answered, refused] = [[], []];
});
await once(lines, 'close');
process.exit();
