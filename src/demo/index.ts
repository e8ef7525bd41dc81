/** The demo camera that demo, tests and benchmarks share. */
export { type DemoCamera, type DemoCameraOptions, startDemoCamera } from './camera.ts';
export { makeClip } from './clip.ts';
export type { ClipOptions, Scene } from './ffmpeg-arguments.ts';
