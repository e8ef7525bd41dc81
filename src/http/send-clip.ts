/** Answers with the video of a clip, in ranges too, as players ask for them. */
import type { NextFunction, Response } from 'express';
import { LookoutError } from '../errors.ts';
import type { Clip } from '../types.ts';

export function sendClip({ id, bytes }: Clip, file: string | null, response: Response, next: NextFunction): void {
  // A longer one may come in place of that of events that go on.
  const headers = { 'Content-Type': 'video/mp4', 'Cache-Control': 'private, no-cache', 'Content-Disposition': `inline; filename="${encodeURIComponent(id)}.mp4"` };
  response.sendFile(file ?? '', { cacheControl: false, dotfiles: 'allow', headers }, (error) => {
    if (!error || response.headersSent) return;
    if ('status' in error && error.status === 416) response.status(416).type('json').set('Content-Range', `bytes */${bytes}`).json({ error: `Clip "${id}" has ${bytes} bytes, and not the range that was asked for.`, code: 'bad_request' });
    else next(new LookoutError('not_found', `Clip "${id}" is gone.`, { cause: error }));
  });
}
