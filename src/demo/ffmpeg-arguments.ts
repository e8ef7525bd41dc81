/** What a camera shows, and the arguments with which ffmpeg makes it. */
import { clockFilters } from './clock-face.ts';
import { pastureFilters, PHOTOGRAPH } from './pasture.ts';
import { sceneGraph } from './scene.ts';

export type Scene =
  | {
    /** Drawn while it is watched. */
    readonly kind: 'scene';
    readonly width?: number;
    readonly height?: number;
    readonly fps?: number;
    readonly keyframe_seconds?: number;
    /** Pictures leave `b_frames + 1` pictures late: at 25 a second and three B-frames 0.16 s. */
    readonly b_frames?: number;
    /** As ffmpeg takes it, e.g. `4M`; default: as much as the picture needs. */
    readonly bitrate?: string;
    /** Draws the wall clock as a binary clock; see clock-face.ts. */
    readonly clock?: boolean;
    readonly codec?: 'h264' | 'h265';
  }
  | {
    /** Sheep and lambs. */
    readonly kind: 'pasture';
  }
  | {
    /** A video file, repeated for ever without encoding it again. */
    readonly kind: 'clip';
    readonly file: string;
  };

/** Of a scene that is drawn while it is watched. */
export type SceneChange = Partial<Omit<Extract<Scene, { kind: 'scene' }>, 'kind'>>;

/** Others stay as they are. */
export function changed(scene: Scene, change: SceneChange | null): Scene {
  return scene.kind === 'scene' ? { ...scene, ...change } : scene;
}

export interface ClipOptions {
  readonly seconds: number;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly bitrate: string;
  readonly keyframe_seconds: number;
  readonly b_frames: number;
  /** Draws the clip's own time, from 0, as a binary clock. */
  readonly clock: boolean;
  /** How hard x264 works for its bits, and a decoder after it; default: `veryfast`. */
  readonly preset?: string;
}

/** ffmpeg that plays the scene in real time and pushes it to an RTSP server at `url`. */
export function playArguments(scene: Scene, url: string): readonly string[] {
  return [...QUIET, ...source(scene), '-f', 'rtsp', '-rtsp_transport', 'tcp', url];
}

function source(scene: Scene): readonly string[] {
  switch (scene.kind) {
    case 'clip': return ['-re', ...clip(scene.file)];
    case 'pasture': return pasture();
    case 'scene': return ['-re', ...live(scene)];
  }
}

/** ffmpeg that encodes a clip to `file`: noise over the scene makes it need the bitrate that is asked for. */
export function clipArguments(file: string, options: ClipOptions): readonly string[] {
  const { seconds, width, height, fps, bitrate, clock, preset = 'veryfast' } = options;
  const graph = sceneGraph({ width, height, fps, clock, noise: 20 });
  return [
    ...QUIET, '-f', 'lavfi', '-i', graph, '-t', String(seconds), '-c:v', 'libx264', '-preset', preset,
    '-bf', String(options.b_frames), ...keyFrames(options), ...rate(bitrate), '-f', 'mp4', '-y', file,
  ];
}

const USUAL = { width: 1280, height: 720, fps: 12, keyframe_seconds: 2 };
/** Parameter sets before every key frame too, not in the session description alone. */
const SELF_CONTAINED = ['-bsf:v', 'dump_extra'];
const QUIET = ['-hide_banner', '-nostdin', '-loglevel', 'error'];

function clip(file: string): readonly string[] {
  return ['-stream_loop', '-1', '-i', file, '-map', '0:v:0', '-c', 'copy'];
}

/** The photograph is read once; each picture is a part of it. */
function pasture(): readonly string[] {
  const { fps, keyframe_seconds } = USUAL;
  return [
    '-filter_threads', '1', '-i', PHOTOGRAPH, '-vf', pastureFilters(USUAL), '-r', String(fps), '-preset', 'ultrafast', '-threads', '1',
    ...h264(0), ...keyFrames({ fps, keyframe_seconds }), ...SELF_CONTAINED,
  ];
}

function live(scene: Scene & { kind: 'scene' }): readonly string[] {
  const { width = USUAL.width, height = USUAL.height, fps = USUAL.fps, keyframe_seconds = USUAL.keyframe_seconds, b_frames = 0, bitrate, clock = false, codec = 'h264' } = scene;
  return [
    '-filter_threads', '1', '-f', 'lavfi', '-i', sceneGraph({ width, height, fps, clock: false, noise: 0 }),
    // When it leaves: newer versions of ffmpeg make a picture of their input as soon as the one before has left.
    ...(clock ? ['-vf', clockFilters('time(0)', width, height).join(',')] : []), '-preset', 'ultrafast', '-threads', '1',
    ...(codec === 'h264' ? h264(b_frames) : h265(b_frames)), ...keyFrames({ fps, keyframe_seconds }),
    ...(bitrate === undefined ? [] : rate(bitrate)),
    ...SELF_CONTAINED,
  ];
}

/** Without B-frames no picture waits; with them (x264's usual pyramid) each waits for one more than there are B-frames. */
function h264(bFrames: number): readonly string[] {
  return bFrames === 0
    ? ['-c:v', 'libx264', '-tune', 'zerolatency']
    : ['-c:v', 'libx264', '-bf', String(bFrames), '-x264-params', 'ref=3:b-pyramid=normal:b-adapt=0:rc-lookahead=0:sync-lookahead=0'];
}

function h265(bFrames: number): readonly string[] {
  const reorder = bFrames === 0 ? [] : [`bframes=${bFrames}`, `rc-lookahead=${bFrames + 1}`];
  const params = ['log-level=error', 'pools=none', 'frame-threads=1', ...reorder];
  return ['-c:v', 'libx265', '-tune', 'zerolatency', '-x265-params', params.join(':')];
}

/** Key frames at equal distances and nowhere else. */
function keyFrames({ fps, keyframe_seconds }: { readonly fps: number; readonly keyframe_seconds: number }): readonly string[] {
  const distance = String(Math.max(1, Math.round(fps * keyframe_seconds)));
  return ['-g', distance, '-keyint_min', distance, '-sc_threshold', '0'];
}

function rate(bitrate: string): readonly string[] {
  return ['-b:v', bitrate, '-maxrate', bitrate, '-bufsize', bitrate];
}
