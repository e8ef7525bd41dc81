/** The keys of cameras that push, under `data/camera-keys`: a file for each camera, which holds no key but what one is known by. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chown, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, readIfPresent, writeAtomically } from '../lib/files.ts';
import { isObject } from '../lib/objects.ts';
import { safeName } from './names.ts';

export interface CameraKeys {
  /** A new key, in place of the one that there was. It is told this once. */
  make(cameraId: string): Promise<string>;
  /** Takes as long whether it is right or not. */
  readonly isRight: (cameraId: string, key: string) => Promise<boolean>;
}

const BYTES = 32;
const OWNER_ONLY = 0o600;

export function createCameraKeys(dataDir: string): CameraKeys {
  const folder = join(dataDir, 'camera-keys');
  const fileOf = (cameraId: string): string => join(folder, `${safeName(cameraId)}.json`);

  return {
    async make(cameraId) {
      // Made by chance and this long, it cannot be found from its hash.
      const key = randomBytes(BYTES).toString('base64url');
      await makeFolder(folder);
      await writeAtomically(fileOf(cameraId), `${JSON.stringify({ camera_id: cameraId, sha256: hash(key).toString('hex'), made_at: new Date().toISOString() })}\n`, { mode: OWNER_ONLY });
      if (process.getuid?.() === 0) {
        // The server may run as whom the folder belongs to.
        const { uid, gid } = await stat(dataDir);
        for (const path of [folder, fileOf(cameraId)]) await chown(path, uid, gid);
      }
      return key;
    },
    // Read anew each time: a key is made while the server runs.
    async isRight(cameraId, key) {
      const wanted = hashIn(await readIfPresent(fileOf(cameraId)), cameraId);
      return timingSafeEqual(hash(key), wanted ?? NOBODYS) && wanted !== null;
    },
  };
}

const NOBODYS = Buffer.alloc(32);

function hash(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

/** null: there is none, or what is there is no camera's, or another one's. */
function hashIn(file: Buffer | null, cameraId: string): Buffer | null {
  if (file === null) return null;
  try {
    const stored: unknown = JSON.parse(file.toString('utf8'));
    if (!isObject(stored) || stored['camera_id'] !== cameraId || typeof stored['sha256'] !== 'string') return null;
    const bytes = Buffer.from(stored['sha256'], 'hex');
    return bytes.length === NOBODYS.length ? bytes : null;
  } catch {
    // Damaged: no key is right until another one is made.
    return null;
  }
}
