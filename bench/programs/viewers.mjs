/**
 * Watches what never ends: viewers.mjs <viewers of each> <URL>…, until its input ends. Prints the least bytes that one of
 * them was given. IDLE says how many of each read nothing; they do not count.
 */
import { once } from 'node:events';
import { get } from 'node:http';

const [, , each, ...urls] = process.argv;
const idle = Number(process.env.IDLE ?? 0);
const counts = urls.flatMap((url) => Array.from({ length: Number(each) }, (_, index) => {
  const count = { bytes: 0 };
  get(url, { agent: false }, (answer) => {
    if (answer.statusCode !== 200) throw new Error(`${url} is answered ${answer.statusCode}`);
    if (index >= idle) answer.on('data', ({ length }) => { count.bytes += length; });
  });
  return index < idle ? null : count;
})).filter((count) => count !== null);
await once(process.stdin.resume(), 'end');
console.log(JSON.stringify({ least: counts.length === 0 ? 0 : Math.min(...counts.map(({ bytes }) => bytes)) }));
process.exit();
