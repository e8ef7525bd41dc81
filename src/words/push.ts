/** Cameras that bring their pictures themselves: the address of their streams, and the model that their own findings are of. */

/** What a camera says that it has seen stands in records as what a model of this name found. */
export const CAMERA_MODEL = 'camera';

const PUSH = 'push:';

export function isPush(url: string): boolean {
  return url.toLowerCase() === PUSH;
}

/** With what its own camera says, if it brings its pictures. */
export function modelsThatLook(models: readonly string[], url: string): readonly string[] {
  return [...new Set([...models, ...(isPush(url) ? [CAMERA_MODEL] : [])])];
}
