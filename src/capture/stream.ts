/** One stream: what its camera brings is collected; it connects again when the source gives up. */
import { errorInfo, LookoutError, type ErrorCode } from '../errors.ts';
import type { Pacer } from '../lib/pacer.ts';
import { hideCredentials } from '../lib/secrets.ts';
import { asOfDisk } from '../lib/transient.ts';
import type { Session } from '../store/spool.ts';
import type { LatestPicture, Source, StreamSpec, StreamState } from '../types.ts';
import { createCollector, type CollectorParts } from './collector.ts';
import type { Demand } from './on-demand.ts';
import { createRefusals, pauseMsAfter, REFUSED_MS } from './pauses.ts';

export interface StreamParts extends CollectorParts {
  readonly source: Source;
  /** Batches come soon that this model is to look at: time to set it up. */
  readonly wanted: (model: string) => void;
  /** Gives turns to connect: it costs a processor much, and cameras that connect together tick together. */
  readonly pacer: Pacer;
  readonly demand: Demand;
}

/** What a stream knows of itself. */
export interface StreamView {
  readonly session: string | null;
  readonly state: StreamState;
  readonly reason: string;
  readonly since: string;
  readonly reconnects: number;
  readonly capture_mode: string | null;
  readonly camera_clock_offset_seconds: number | null;
  readonly last_frame_at: string | null;
  readonly open_batch: number;
  readonly last_error: { readonly code: ErrorCode; readonly message: string; readonly at: string } | null;
  readonly latest: LatestPicture | null;
}

export interface Stream {
  readonly spec: StreamSpec;
  view(): StreamView;
  /** Ends the capture and closes the open batch; resolves when its manifest is written. */
  stop(reason: string): Promise<void>;
  /** Resolves when it has ended by itself (its duration is over) or was stopped. */
  readonly ended: Promise<void>;
}

/** Pictures for this long make the next failure count as a first one again. */
const HEALTHY_MS = 10_000;
/** One that gave pictures so lately comes back before those that have been away for long. */
const LATELY_MS = 600_000;
/** Until an ffmpeg has made its first picture, with a margin for what runs already. */
const FFMPEG_MS = 400;
const ASLEEP = 'nobody asks for its pictures; it wakes as soon as somebody does';

/** `startedMs`, monotonic: when its user started it, from which its duration counts; other runs of it may have been before. */
export function startStream(spec: StreamSpec, parts: StreamParts, startedMs = parts.clock.monotonic()): Stream {
  const { source, spool, room, clock, log } = parts;
  const { options } = spec;
  const stopping = new AbortController();
  const collector = createCollector(spec, parts, (error) => remember(error).message, stopping.signal);
  const refusals = createRefusals(clock);
  let session: Session | null = null;
  let [state, reason]: [StreamState, string] = options.on_demand ? ['asleep', ASLEEP] : ['starting', 'connecting'];
  let since = new Date(clock.now()).toISOString();
  let reconnects = 0;
  let capture_mode: string | null = null;
  let camera_clock_offset_seconds: number | null = null;
  let last_frame_at: string | null = null;
  let last_error: StreamView['last_error'] = null;

  const stopped = (): boolean => stopping.signal.aborted;

  function become(next: StreamState, why: string): void {
    if (next !== state) {
      since = new Date(clock.now()).toISOString();
      log.repeated('info', `${spec.camera_id}: ${next}`, null, { reason: why });
    }
    state = next;
    reason = why;
  }

  function remember(error: unknown): NonNullable<StreamView['last_error']> {
    const info = errorInfo(asOfDisk(error));
    last_error = { ...info, message: hideCredentials(info.message), at: new Date(clock.now()).toISOString() };
    return last_error;
  }

  /** One connection; returns or throws when it ends. */
  async function captureOnce(own: Session, signal: AbortSignal): Promise<void> {
    const folder = await spool.folderOf(own);
    for await (const captured of source.frames(spec, folder, signal)) {
      // Who brings a picture is told that it was not taken, and never of one that was.
      if (source.push && room.trouble) throw room.trouble;
      const taken = await collector.take(own, captured);
      if ('frame' in taken) {
        refusals.clear();
        last_frame_at = taken.frame.captured_at;
        capture_mode = captured.mode;
        camera_clock_offset_seconds = captured.clock_offset_seconds ?? null;
        become('running', `capturing (${captured.mode})`);
      } else if (source.push) {
        throw taken.lost;
      }
      if (!source.push && room.trouble) throw room.trouble;
    }
    if (!signal.aborted) throw new LookoutError('stream_ended', 'the stream ended');
  }

  /** null: its time was over before there was one. */
  async function openSession(signal: AbortSignal): Promise<Session | null> {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        session = await spool.open(spec);
        return session;
      } catch (error) {
        const pauseMs = pauseMsAfter(attempt);
        const { message } = remember(error);
        become('starting', `its frames cannot be stored: ${message}; next try in ${inWords(pauseMs)}`);
        log.repeated('error', 'its frames cannot be stored', spec.camera_id, { reason: message });
        if (await room.failed(error)) continue;
        await clock.sleep(pauseMs, signal);
      }
    }
    return null;
  }

  /** While the disk is full there is nothing to connect for. */
  async function untilRoom(signal: AbortSignal): Promise<void> {
    if (!room.trouble) return;
    const { message } = remember(room.trouble);
    become('failed', `${message}; goes on by itself once that is over`);
    await room.wait(signal);
    if (!signal.aborted) become('reconnecting', 'the disk can be written again');
  }

  /** However often it is woken, its camera is not asked sooner than its last refusal allows. */
  async function untilAllowed(signal: AbortSignal): Promise<void> {
    const pauseMs = refusals.leftMs;
    if (pauseMs === 0) return;
    become('failed', `${last_error?.message ?? 'it refused the login'}; next try in ${inWords(pauseMs)}`);
    await clock.sleep(pauseMs, signal);
  }

  /** Throws as `frames` does where nobody is there: who is not takes no turn from others, and no processor. */
  async function untilTurn(failures: number, signal: AbortSignal): Promise<void> {
    const ms = await source.connectMs?.(spec) ?? FFMPEG_MS;
    if (failures > 0 || parts.pacer.busy) await source.knock?.(spec, signal);
    const isWell = failures === 0 || (last_frame_at !== null && Date.parse(last_frame_at) > clock.now() - LATELY_MS);
    await parts.pacer.turn(isWell ? (options.on_demand ? 'awaited' : 'well') : 'failing', ms, signal);
  }

  /** Connects, again and again, until the signal aborts. */
  async function capture(own: Session, signal: AbortSignal): Promise<void> {
    const over = (): boolean => signal.aborted;
    /** Connections in a row that gave nothing for long. */
    let failures = 0;
    await untilAllowed(signal);
    while (!over()) {
      await untilRoom(signal);
      if (over()) break;
      const before = last_frame_at;
      let connectedAt = clock.monotonic();
      try {
        // Who brings its pictures costs nothing until then.
        if (!source.push) await untilTurn(failures, signal);
        if (over()) break;
        connectedAt = clock.monotonic();
        await captureOnce(own, signal);
      } catch (error) {
        if (over()) break;
        if (await room.failed(error) || room.trouble) continue;
        const { code, message } = remember(error);
        const healthy = last_frame_at !== before && clock.monotonic() - connectedAt > HEALTHY_MS;
        failures = healthy ? 0 : failures + 1;
        const pauseMs = code === 'stream_auth' ? refusals.add(collector.latest !== null) : pauseMsAfter(failures);
        become(pauseMs < REFUSED_MS ? 'reconnecting' : 'failed', `${message}; ${source.push ? 'goes on with the next picture' : `next try in ${inWords(pauseMs)}`}`);
        log.debug(`${spec.camera_id}: ${code}`, { reason: message });
        await (source.push ? source.push.called(spec.camera_id, signal) : clock.sleep(pauseMs, signal));
        reconnects += 1;
      }
    }
  }

  async function run(): Promise<void> {
    let own: Session | null = null;
    for await (const time of parts.demand.times(spec.camera_id, options.on_demand ? options.linger_seconds * 1000 : null, stopping.signal)) {
      if (options.on_demand) {
        become('starting', 'connecting');
        // What it showed before it slept is shown, and nobody's idea of now.
        last_frame_at = null;
      }
      for (const model of spec.models) parts.wanted(model);
      own ??= await openSession(time);
      if (own) {
        await capture(own, time);
        collector.closeBatch(own, 'stopped');
      }
      if (options.on_demand && !stopped()) become('asleep', ASLEEP);
    }
    if (!own) return;
    await collector.settle();
    const { name } = own;
    await spool.end(name).catch((error: unknown) => {
      log.warn(`the folder of session ${name} is left until the next start`, { reason: errorInfo(error).message });
    });
  }

  let stopReason = 'stopped';
  const ended = run()
    .then(() => { become('stopped', stopReason); })
    .catch((error: unknown) => {
      become('failed', remember(error).message);
      log.error(`${spec.camera_id}: the stream failed`, { reason: errorInfo(error).message });
    });

  function stop(why: string): Promise<void> {
    if (!stopped()) stopReason = why;
    stopping.abort();
    return ended;
  }

  if (options.duration_seconds !== null) {
    const seconds = options.duration_seconds;
    void clock.sleep(Math.max(0, startedMs + seconds * 1000 - clock.monotonic()), stopping.signal).then(() => stop(`its ${seconds} s are over`));
  }

  return {
    spec,
    ended,
    stop,
    view: () => ({ session: session?.name ?? null, state, reason, since, reconnects, capture_mode, camera_clock_offset_seconds, last_frame_at, open_batch: collector.size, last_error, latest: collector.latest }),
  };
}

function inWords(pauseMs: number): string {
  return pauseMs < 60_000 ? `${(pauseMs / 1000).toFixed(1)} s` : `${Math.round(pauseMs / 60_000)} min`;
}
