/** The files of the page, kept in memory: whoever wants to see what is wrong gets them while a disk hangs, too. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { RequestHandler } from 'express';

export interface PageFile {
  readonly bytes: Buffer;
  /** As HTTP writes times. */
  readonly modified: string;
}

/** Those in a folder, by name. */
export function readPageFiles(folder: string): ReadonlyMap<string, PageFile> {
  const files = new Map<string, PageFile>();
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    const stats = statSync(file);
    if (stats.isFile()) files.set(name, { bytes: readFileSync(file), modified: stats.mtime.toUTCString() });
  }
  return files;
}

export function servePageFiles(files: ReadonlyMap<string, PageFile>): RequestHandler {
  return ({ method, path }, response, next) => {
    const name = path.slice(1);
    const file = method === 'GET' || method === 'HEAD' ? files.get(name) : undefined;
    if (!file) {
      next();
      return;
    }
    response.set({ 'Cache-Control': 'no-cache', 'Last-Modified': file.modified }).type(extname(name)).send(file.bytes);
  };
}
