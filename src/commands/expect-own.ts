/** Root leaves folders that the user of a service cannot enter: what it runs beside one is run as that user. */
import { LookoutError } from '../errors.ts';
import { keeperOf } from '../store/keeper.ts';
import type { Config } from '../types.ts';

/** Throws `config_invalid` for root where the data folder is somebody else's. One that is not there yet becomes its own. */
export async function expectOwn({ data_dir, runner_user }: Config): Promise<void> {
  if (process.geteuid?.() !== 0 || runner_user !== null) return;
  const { uid } = await keeperOf(data_dir) ?? { uid: 0 };
  if (uid !== 0) throw new LookoutError('config_invalid', `the folder ${data_dir} is of the user ${uid}, who could not enter what root leaves there; run this as that user, with sudo -u '#${uid}' before it, or name another folder with --data-dir`);
}
