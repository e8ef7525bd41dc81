/** Debian's Mosquitto, on a free port, which lets everybody in. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './port.mjs';
import { start, stop } from './programs.mjs';

const PROGRAM = '/usr/sbin/mosquitto';
export const hasBroker = existsSync(PROGRAM);

export async function openBroker(folder) {
  const port = await freePort();
  const settings = join(folder, 'mosquitto.conf');
  await writeFile(settings, `listener ${port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n`);
  const child = start(PROGRAM, ['-c', settings], { stdio: ['ignore', 'ignore', 'ignore'] });
  for (let tries = 0; !(await answers(port)); tries += 1) {
    if (tries > 50) throw new Error(`${PROGRAM} does not listen`);
    await sleep(100);
  }
  return { url: `mqtt://127.0.0.1:${port}`, close: () => stop(child, 'SIGTERM') };
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); });
    socket.on('error', () => { resolve(false); });
  });
}
