/**
 * The project's own RTSP camera, apart from what is measured: camera.mjs <clip> <paths>.
 * Prints the URL of each path and plays until its input ends.
 */
import { once } from 'node:events';
import { startDemoCamera } from '../../dist/demo/index.js';

const [, , file, count] = process.argv;
const paths = Array.from({ length: Number(count) }, (_, index) => `camera-${index + 1}`);
const server = await startDemoCamera({ cameras: Object.fromEntries(paths.map((path) => [path, { kind: 'clip', file }])) }, new AbortController().signal);
for (const path of paths) console.log(server.url(path));
await once(process.stdin.resume(), 'end');
await server.close();
