/** Notes the name of every frame that ever appears in a frames folder, from outside of Lookout. */
import { mkdirSync, readdirSync, watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';

export interface FrameWatcher {
  /** Every frame ever seen, as `<session>/<file>`. */
  readonly frames: ReadonlySet<string>;
  close(): void;
}

/**
 * The kernel reports each name that appears in a watched folder. What appears in a session's folder before it is watched
 * is found by reading it once: frames live at least until their batch is recorded.
 */
export function watchFrames(folder: string): FrameWatcher {
  mkdirSync(folder, { recursive: true });
  const frames = new Set<string>();
  const watchers = new Map<string, FSWatcher>();

  function note(session: string, file: string | null): void {
    if (file !== null && /_\d{8}T\d{12}Z\.jpg$/.test(file)) frames.add(`${session}/${file}`);
  }

  function look(session: string): void {
    // Under its draft name it holds no frame yet, or no more.
    if (session.endsWith('.tmp') || watchers.has(session)) return;
    try {
      const own = watch(join(folder, session), (_event, file) => { note(session, file); });
      own.on('error', () => { watchers.delete(session); });
      watchers.set(session, own);
      for (const file of readdirSync(join(folder, session))) note(session, file);
    } catch {
      // A file, or gone again.
    }
  }

  const all = watch(folder, (_event, session) => {
    if (session !== null) look(session);
  });
  for (const session of readdirSync(folder)) look(session);
  return {
    frames,
    close() {
      all.close();
      for (const own of watchers.values()) own.close();
    },
  };
}
