/**
 * Who may read what this process makes. One place decides for all of its files and folders, those of ffmpeg too: the
 * umask. What models and installers make is theirs to share: the leash gives them back the host's.
 */

/** `all`: whoever the host's umask lets. */
export type ShareWith = 'user' | 'group' | 'all';

const TAKEN: Readonly<Record<ShareWith, number>> = { user: 0o077, group: 0o027, all: 0 };

/** For the whole process, before it makes anything. */
export function shareFiles(shareWith: ShareWith): void {
  const host = process.umask(TAKEN[shareWith]);
  process.umask(host | TAKEN[shareWith]);
  process.env['LOOKOUT_UMASK'] = host.toString(8);
}
