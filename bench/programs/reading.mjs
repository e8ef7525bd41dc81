/** Lookout's own RTSP client alone: reading.mjs <urls>. It plays them until its input ends, and prints how many pictures came, and how many of them damaged. */
import { setMaxListeners } from 'node:events';
import { play } from '../../dist/sources/rtsp/client.js';

const stop = new AbortController();
// Every connection listens to it.
setMaxListeners(0, stop.signal);
const came = { pictures: 0, damaged: 0 };
const count = ({ damaged }) => {
  came.pictures += 1;
  if (damaged) came.damaged += 1;
};
const playing = await Promise.all(process.argv.slice(2).map((url) => play({ url, tls: 'verify', videoTrack: 1 }, null, count, stop.signal)));
process.stdin.resume().on('end', () => {
  console.log(JSON.stringify(came));
  stop.abort();
});
await Promise.all(playing.map(({ ended }) => ended));
