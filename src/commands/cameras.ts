/** `lookout cameras`: the keys of cameras that push. */
import { LookoutError } from '../errors.ts';
import { createCameraKeys } from '../store/camera-keys.ts';
import { isCameraId } from '../words/camera-id.ts';
import { prepareCommand, print, type CommandContext } from './context.ts';

/** Also while the server runs, which goes by it at once. */
export async function makeCameraKey(context: CommandContext, camera: string): Promise<number> {
  const { config } = await prepareCommand(context);
  if (!isCameraId(camera)) throw new LookoutError('bad_request', 'the camera must be named by its id, without / and \\');
  print(await createCameraKeys(config.data_dir).make(camera));
  return 0;
}
