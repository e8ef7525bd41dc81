/** What `lookout demo` has instead of the usual defaults; its help names them without loading the demo. */
import { join } from 'node:path';
import type { Config } from '../types.ts';

export const DEMO_SETTINGS: Partial<Config> = {
  data_dir: join('data', 'demo'), frames_dir: join('<data_dir>', 'frames'), default_models: ['motion', 'animals'], log_level: 'warn',
};
