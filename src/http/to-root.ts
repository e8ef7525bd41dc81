/** Addresses in answers are relative: under a reverse proxy only the client knows the path before them. */
import type { Request } from 'express';

/** The way from a request's address to the root, e.g. `../`. */
export function toRoot({ path }: Request): string {
  return '../'.repeat(path.split('/').length - 2) || './';
}
