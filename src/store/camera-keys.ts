/** The keys of cameras that push, under `data/camera-keys`: a file for each camera, which holds no key but what one is known by. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chown } from 'node:fs/promises';
import { join } from 'node:path';
import { LookoutError } from '../errors.ts';
import { makeFolder, mayNot, readIfPresent, writeAtomically } from '../lib/files.ts';
import { isObject } from '../lib/objects.ts';
import { keeperOf, type Keeper } from './keeper.ts';
import { safeName } from './names.ts';

export interface CameraKeys {
  /** A new key, in place of the one that there was. It is told this once. */
  make(cameraId: string): Promise<string>;
  /** Takes as long whether it is right or not. Throws `file_unreadable`, whose cause says why. */
  readonly isRight: (cameraId: string, key: string) => Promise<boolean>;
}

const BYTES = 32;
const OWNER_ONLY = 0o600;
/** Cameras that bring a picture a second need not have it read each time. */
const FRESH_MS = 10_000;

export function createCameraKeys(dataDir: string): CameraKeys {
  const folder = join(dataDir, 'camera-keys');
  /** Of cameras that have one. */
  const lately = new Map<string, { readonly wanted: Buffer; readonly readMs: number }>();
  const fileOf = (cameraId: string): string => join(folder, `${safeName(cameraId)}.json`);

  return {
    async make(cameraId) {
      // Made by chance and this long, it cannot be found from its hash.
      const key = randomBytes(BYTES).toString('base64url');
      await makeFolder(folder);
      await writeAtomically(fileOf(cameraId), `${JSON.stringify({ camera_id: cameraId, sha256: hash(key).toString('hex'), made_at: new Date().toISOString() })}\n`, { mode: OWNER_ONLY });
      const keeper = process.geteuid?.() === 0 ? await keeperOf(dataDir) : null;
      if (keeper) for (const path of [folder, fileOf(cameraId)]) await giveTo(path, keeper);
      return key;
    },
    async isRight(cameraId, key) {
      const sent = hash(key);
      const known = lately.get(cameraId);
      if (known && performance.now() - known.readMs < FRESH_MS && timingSafeEqual(sent, known.wanted)) return true;
      // Read anew: a key is made while the server runs.
      const wanted = hashIn(await read(fileOf(cameraId)), cameraId);
      if (wanted) lately.set(cameraId, { wanted, readMs: performance.now() });
      else lately.delete(cameraId);
      return timingSafeEqual(sent, wanted ?? NOBODYS) && wanted !== null;
    },
  };
}

/** Where the system does not let it be given, the server that cannot read it says so. */
async function giveTo(path: string, { uid, gid }: Keeper): Promise<void> {
  await chown(path, uid, gid).catch((error: unknown) => { if (!mayNot(error)) throw error; });
}

/** null: there is none. */
function read(file: string): Promise<Buffer | null> {
  return readIfPresent(file).catch((error: unknown) => {
    throw new LookoutError('file_unreadable', 'The camera\'s key cannot be read for now; the log says why.', { cause: error });
  });
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
