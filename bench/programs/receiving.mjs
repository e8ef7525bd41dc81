/** What any server of pushed pictures costs: receiving.mjs <folder> writes each body that is posted to a file of its own. Prints its URL; ends with its input. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

const [, , folder] = process.argv;
let count = 0;
const server = createServer((request, response) => {
  pipeline(request, createWriteStream(join(folder, `${count += 1}.jpg`))).then(() => { response.writeHead(202).end(); }, () => { response.destroy(); });
}).listen(0, '127.0.0.1');
await once(server, 'listening');
console.log(`http://127.0.0.1:${server.address().port}`);
await once(process.stdin.resume(), 'end');
process.exit();
