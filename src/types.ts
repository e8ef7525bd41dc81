/**
 * The words of Lookout and the contracts between its parts. A file in types/ for each of them, which import nothing else.
 *
 * Data (what is stored, sent or shown) is readonly JSON with snake_case names, the same in memory, on disk and on the
 * wire; things that act have camelCase names. Every long call takes an AbortSignal last and honours it within a second.
 * Returning means done; throwing means not done.
 */

export type * from './types/json.ts';
export type * from './types/stream.ts';
export type * from './types/batch.ts';
export type * from './types/finding.ts';
export type * from './types/look.ts';
export type * from './types/record.ts';
export type * from './types/source.ts';
export type * from './types/video.ts';
export type * from './types/lane.ts';
export type * from './types/stage.ts';
export type * from './types/model.ts';
export type * from './types/log.ts';
export type * from './types/follower.ts';
export type * from './types/event.ts';
export type * from './types/status.ts';
export type * from './types/videostream.ts';
export type * from './types/face.ts';
export type * from './types/config.ts';
