/** What capture hosts make of cameras that are not as others. */
import { oddCameras } from './odd-cameras.ts';

oddCameras('libav');
