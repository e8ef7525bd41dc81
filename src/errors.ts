/** The closed table of errors: what each code means, the HTTP status it answers with, whether trying again may help. */

interface ErrorKind {
  readonly status: number;
  readonly retry: boolean;
  /** What to try, in words. */
  readonly advice: string;
}

export const ERRORS = {
  bad_request: { status: 400, retry: false, advice: 'correct the request' },
  unknown_model: { status: 400, retry: false, advice: 'use one of the models named' },
  forbidden_scheme: { status: 400, retry: false, advice: 'use an allowed URL scheme, or add it to allow_schemes' },
  forbidden_address: { status: 400, retry: false, advice: 'use the address of a camera, or add it to allow_hosts' },
  unauthorized: { status: 401, retry: false, advice: 'send the token: Authorization: Bearer <token>' },
  forbidden_origin: { status: 403, retry: false, advice: 'call from the host that serves Lookout, or add it to allowed_hosts' },
  not_found: { status: 404, retry: false, advice: 'check the name' },
  method_not_allowed: { status: 405, retry: false, advice: 'use one of the methods in the Allow header' },
  too_many_streams: { status: 409, retry: false, advice: 'remove streams that are not needed, or raise max_streams' },
  not_running: { status: 409, retry: true, advice: 'start the camera\'s stream' },
  not_a_picture: { status: 415, retry: false, advice: 'send a JPEG or a PNG as the body, as it is' },
  no_live_video: { status: 415, retry: false, advice: 'watch stream.mjpeg; live video and clips need a camera of H.264 or H.265 by RTSP over TCP, captured by libav' },
  too_large: { status: 413, retry: false, advice: 'send less' },
  too_many_tries: { status: 429, retry: true, advice: 'wait a minute, and send the right token' },
  internal: { status: 500, retry: false, advice: 'see the log; please report it' },
  shutting_down: { status: 503, retry: true, advice: 'wait until Lookout runs again' },
  config_invalid: { status: 500, retry: false, advice: 'correct the settings named' },
  listen_failed: { status: 500, retry: false, advice: 'choose an address of this machine with --host, and a port that is free with --port' },
  file_damaged: { status: 500, retry: false, advice: 'mend the file named, or move it away' },
  file_unreadable: { status: 503, retry: true, advice: 'let the user that Lookout runs as read the file; the log names it' },
  ffmpeg_missing: { status: 500, retry: false, advice: 'install ffmpeg; `lookout doctor` names the command' },
  ffmpeg_failed: { status: 500, retry: true, advice: 'see the reason; the machine may be short of processes, memory, open files or room on its disk' },
  stream_connect: { status: 502, retry: true, advice: 'check the address and that the camera is on' },
  stream_auth: { status: 502, retry: true, advice: 'check user name and password' },
  stream_not_found: { status: 502, retry: true, advice: 'check the path of the URL' },
  stream_stalled: { status: 502, retry: true, advice: 'check the camera and the network' },
  stream_ended: { status: 502, retry: true, advice: 'check that the camera is on' },
  stream_codec: { status: 502, retry: true, advice: 'set the camera to H.264, H.265 or MJPEG' },
  too_many_at_once: { status: 503, retry: true, advice: 'wait until others are done' },
  not_ready: { status: 503, retry: true, advice: 'wait until the model is provisioned' },
  overloaded: { status: 503, retry: true, advice: 'give the model more speed or instances, or cameras a longer interval' },
  resting: { status: 503, retry: true, advice: 'see why its runner ended; it is started again after a while' },
  quarantined: { status: 503, retry: true, advice: 'see why the model\'s runner ends with this camera\'s pictures' },
  target_away: { status: 502, retry: true, advice: 'see the reason; what waits is delivered once the target is there again' },
  late: { status: 504, retry: true, advice: 'raise join_deadline_seconds or give the model more speed' },
  model_unavailable: { status: 500, retry: false, advice: 'mend what the reason names; it is tried again when the folder changes' },
  runner_failed: { status: 500, retry: true, advice: 'see the runner\'s last words' },
  runner_died: { status: 500, retry: true, advice: 'see the runner\'s last words' },
  runner_timeout: { status: 504, retry: true, advice: 'raise the model\'s deadline' },
  bad_frame: { status: 422, retry: false, advice: 'look at the picture' },
  log_failed: { status: 500, retry: true, advice: 'make room, or let the file of records be written; nothing is lost meanwhile' },
  disk_full: { status: 503, retry: true, advice: 'make room on the disk, or set records_max_bytes; what runs goes on by itself' },
  disk_failed: { status: 503, retry: true, advice: 'see why the disk cannot be written, e.g. that it was made read-only; what runs goes on by itself' },
  locked: { status: 503, retry: true, advice: 'stop the other process that uses the same folder' },
  lock_lost: { status: 503, retry: true, advice: 'start Lookout again, and leave the folders that end in .lock alone while it runs; what was captured is taken up' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERRORS;

/** An error with a code of the table. The message says what, which and why; `cause` keeps the error underneath. */
export class LookoutError extends Error {
  readonly code: ErrorCode;
  /** Facts for the HTTP body or the log beside the message. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; details?: Record<string, unknown> } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = 'LookoutError';
    this.code = code;
    this.details = options.details ?? {};
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  get retry(): boolean {
    return ERRORS[this.code].retry;
  }
}

/** Any thrown thing as code and message, for statuses and records. */
export function errorInfo(error: unknown): { code: ErrorCode; message: string } {
  if (error instanceof LookoutError) return { code: error.code, message: error.message };
  return { code: 'internal', message: error instanceof Error ? error.message : String(error) };
}
