/** Pictures that are named on the command line. */
import { imageSizeFromFile } from 'image-size/fromFile';
import { LookoutError } from '../errors.ts';

/** Throws `bad_frame`. */
export async function sizeOf(image: string): Promise<{ width: number; height: number; type?: string; orientation?: number }> {
  try {
    return await imageSizeFromFile(image);
  } catch (error) {
    throw new LookoutError('bad_frame', `${image} cannot be read as a picture: ${String(error)}`, { cause: error });
  }
}
