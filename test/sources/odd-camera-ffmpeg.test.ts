/** What an ffmpeg for each makes of cameras that are not as others. */
import { oddCameras } from './odd-cameras.ts';

oddCameras('ffmpeg');
