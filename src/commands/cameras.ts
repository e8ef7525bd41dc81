/** `lookout cameras`: the keys of cameras that push. */
import { LookoutError } from '../errors.ts';
import { createCameraKeys } from '../store/camera-keys.ts';
import { keeperOf } from '../store/keeper.ts';
import { isCameraId } from '../words/camera-id.ts';
import { prepareCommand, print, type CommandContext } from './context.ts';

/** Also while the server runs, which goes by it at once. */
export async function makeCameraKey(context: CommandContext, camera: string): Promise<number> {
  const { config: { data_dir }, log } = await prepareCommand(context);
  if (!isCameraId(camera)) throw new LookoutError('bad_request', 'the camera must be named by its id, without / and \\');
  if (await keeperOf(data_dir) === null) throw new LookoutError('config_invalid', `there is no data folder ${data_dir}, and so no server that would know the key; name the server's own with --data-dir, or start it once`);
  const key = await createCameraKeys(data_dir).make(camera);
  log.info(`the server whose data folder is ${data_dir} knows the key of ${camera}`);
  print(key);
  return 0;
}
