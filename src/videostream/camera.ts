/** The one camera of the push-frame server that Lookout stands in for: what is uploaded, watched and told of it. */
import { LookoutError } from '../errors.ts';
import type { Log } from '../lib/log.ts';
import { createTurns } from '../lib/turns.ts';
import type { Config, PushCamera, PushedPicture } from '../types.ts';
import { openHistory } from './history.ts';
import { jpegOf } from './picture.ts';
import { createShow } from './show.ts';

/** What its own camera says that it has seen, and the section of records in which that is a complaint. */
export const OIL_SPILL = 'oil_spill';

export interface PushCameraParts {
  readonly config: Pick<Config, 'data_dir' | 'jpeg_quality'>;
  /** To its stream. */
  readonly push: (picture: PushedPicture) => Promise<unknown>;
  /** RFC 3339 with milliseconds, as the clock on the wall shows it. */
  readonly localTime: (moment: string) => string;
  readonly expectOurs: () => Promise<void>;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export async function createPushCamera({ config, push, localTime, expectOurs, log, signal }: PushCameraParts): Promise<PushCamera & { close(): Promise<void> }> {
  const history = await openHistory(config.data_dir, expectOurs, log);
  const show = createShow();
  /** Pictures that are no JPEG are made one one after the other. */
  const inTurn = createTurns();
  let lastFrameTime = history.state.last_frame_time;

  /** What could not be written now is written with the next change. */
  function change(what: Parameters<typeof history.change>[0]): Promise<void> {
    return history.change({ ...what, last_frame_time: lastFrameTime }).catch((error: unknown) => {
      log.repeated('error', 'what the camera has been through could not be written', null, { reason: String(error) });
    });
  }

  async function alert(jpeg: Uint8Array, moment: string): Promise<void> {
    log.warn('OIL SPILL DETECTED - Alert triggered!');
    await history.add(jpeg, localTime(moment));
  }

  /** Whether it is to be told that oil is seen: it was not seen in the picture before. */
  function see(isSpill: boolean): boolean {
    const { stream_active, stopped, oil_spill_detected } = history.state;
    const isActive = !stopped;
    const isOver = oil_spill_detected && !isSpill;
    if (isOver || stream_active !== isActive) void change({ stream_active: isActive, ...(isOver && { oil_spill_detected: false }) });
    return isSpill && !oil_spill_detected;
  }

  return {
    async upload(bytes, isSpill) {
      const moment = new Date();
      const jpeg = await inTurn(() => jpegOf(bytes, config.jpeg_quality, signal));
      if (!jpeg) return 'no_picture';
      lastFrameTime = moment.getTime() / 1000;
      const isNew = see(isSpill);
      show.show(jpeg);
      const captured_at = moment.toISOString();
      const pushed = push({ bytes: jpeg, captured_at, findings: isSpill ? [{ class: OIL_SPILL, confidence: 1 }] : [] });
      try {
        await Promise.all([pushed, isNew && alert(jpeg, captured_at)]);
      } finally {
        // However many watch: the camera is answered first.
        setImmediate(() => { show.changed(); });
      }
      return 'received';
    },
    async setActive(isActive) {
      await change({ stream_active: isActive, stopped: !isActive });
      show.changed();
    },
    status() {
      const { stream_active, oil_spill_detected } = history.state;
      return { stream_active, oil_spill_detected, last_frame_time: lastFrameTime, oil_spill_events: history.total };
    },
    events: () => history.events,
    latest: () => (history.state.stream_active ? show.latest : null),
    watch(ended) {
      if (!history.state.stream_active) throw new LookoutError('not_running', 'No active stream');
      return show.parts(() => history.state.stream_active, ended);
    },
    async close() {
      if (lastFrameTime !== history.state.last_frame_time) await change({});
    },
  };
}
