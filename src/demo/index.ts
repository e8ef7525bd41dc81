/** The demo camera that demo, tests and benchmarks share. */
export { type DemoCamera, type DemoCameraOptions, startDemoCamera } from './camera.ts';
export { makeClip } from './clip.ts';
export { FAULTS, type Fault, faultOf, type FaultName } from './faults.ts';
export type { ClipOptions, Scene } from './ffmpeg-arguments.ts';
export { type PacketRule, type Relay, type Rules, startRelay } from './relay.ts';
