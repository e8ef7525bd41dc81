/** What /metrics tells: every family of samples and where its values come from. Docs, dashboard and tests go by this table. */
import type { FollowerStatus, LookCounts, ModelState, ModelStatus, StorageStatus, StreamState, StreamStatus } from '../types.ts';

/** What one scrape reads. */
export interface Seen {
  readonly version: string;
  readonly ready: boolean;
  readonly streams: readonly StreamStatus[];
  readonly models: readonly ModelStatus[];
  readonly storage: readonly StorageStatus[];
  readonly followers: readonly FollowerStatus[];
}

export interface Family {
  /** Base units; counters end in `_total`. */
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly labels: readonly string[];
  readonly samples: (seen: Seen) => readonly Sample[];
}

/** Values of the labels, in their order, and the value: a number, never NaN. */
export type Sample = readonly [labels: readonly string[], value: number];

const STREAM_STATES = ['starting', 'provisioning', 'running', 'reconnecting', 'failed', 'asleep', 'stopped'] as const satisfies readonly StreamState[];
const MODEL_STATES = ['idle', 'provisioning', 'ready', 'busy', 'failed'] as const satisfies readonly ModelState[];

export const FAMILIES: readonly Family[] = [
  {
    name: 'lookout_build_info', type: 'gauge', labels: ['version'], help: 'Always 1; its version.',
    samples: ({ version }) => [[[version], 1]],
  },
  {
    name: 'lookout_ready', type: 'gauge', labels: [], help: '1 while /readyz says ready.',
    samples: ({ ready }) => [[[], Number(ready)]],
  },
  ofStorage('lookout_storage_free_bytes', 'What may still be written where data and frames lie.', ({ free_bytes }) => free_bytes),
  ofStorage('lookout_storage_size_bytes', 'Of the file system where data and frames lie.', ({ size_bytes }) => size_bytes),
  ofStorage('lookout_storage_free_inodes', 'Files that may still be made where data and frames lie; absent where they are not numbered.', ({ free_inodes }) => free_inodes),

  ofStreams('lookout_stream_state', 'gauge', 'Of each stream, 1 for the state that it is in and 0 for the others.', ['state'], ({ state }) => oneOf(STREAM_STATES, state)),
  ofStream('lookout_stream_interval_seconds', 'gauge', 'How far apart its frames are to be.', ({ options }) => options.interval_seconds),
  ofStream('lookout_stream_frame_age_seconds', 'gauge', 'Since its newest frame was captured; absent before the first, and while it is asleep or stopped.', ({ capturing, last_frame_at: at }) => ageOf(capturing, at)),
  ofStream('lookout_stream_record_age_seconds', 'gauge', 'Since its last record was written; absent before the first, while it is stopped, and of a stream on demand.', ({ capturing, options, last_record_at: at }) => ageOf(capturing && !options.on_demand, at)),
  ofStream('lookout_stream_reconnects_total', 'counter', 'New tries to connect after its camera was away.', ({ reconnects }) => reconnects),
  ofStream('lookout_stream_waiting_batches', 'gauge', 'Closed batches that wait for a model.', ({ queued }) => queued),

  ofStream('lookout_frames_captured_total', 'counter', 'Frames; always those recorded, dead-lettered, dropped and in the spool.', ({ books }) => books.captured),
  ofStream('lookout_frames_recorded_total', 'counter', 'Frames whose batch has its record.', ({ books }) => books.recorded),
  ofStreams('lookout_frames_dropped_total', 'counter', 'Frames that were let go.', ['reason'], ({ books }) => Object.entries(books.dropped).map(([reason, frames]) => [[reason], frames])),
  ofStream('lookout_frames_dead_lettered', 'gauge', 'Frames that lie in the dead letters and in no record; they leave by a replay, or dropped for room.', ({ books }) => books.dead_lettered),
  ofStream('lookout_frames_in_spool', 'gauge', 'Frames whose batch is under way.', ({ books }) => books.in_spool),
  ofStream('lookout_records_written_total', 'counter', 'Records.', ({ records }) => records),

  ofModels('lookout_model_state', 'gauge', 'Of each model, 1 for the state that it is in and 0 for the others.', ['state'], ({ state }) => oneOf(MODEL_STATES, state)),
  ofLooks('lookout_model_frames_looked_total', 'Frames that it looked at.', [], ({ looked }) => [[[], looked]]),
  ofLooks('lookout_model_frames_failed_total', 'Frames that it could not read, or failed on.', [], ({ failed }) => [[[], failed]]),
  ofLooks('lookout_model_frames_skipped_total', 'Frames that it did not look at.', ['reason'], ({ skipped }) => Object.entries(skipped).map(([reason, frames]) => [[reason], frames])),
  ofModels('lookout_model_inference_seconds_total', 'counter', 'Of the frames that it looked at; over their number it is the mean.', [], ({ inference_seconds }) => [[[], inference_seconds]]),
  ofModels('lookout_model_batches_total', 'counter', 'Batches of which it looked at a frame at least.', [], ({ batches }) => [[[], batches]]),
  ofModels('lookout_runner_restarts_total', 'counter', 'Runners that ended and were not meant to.', [], ({ restarts }) => [[[], restarts]]),
  ofModels('lookout_runner_up', 'gauge', '1 for each runner that is up.', ['runner'], ({ runners }) => runners.map(({ number }) => [[String(number)], 1])),
  ofModels('lookout_runner_memory_bytes', 'gauge', 'Of a runner and all that it started, as far as it is in memory.', ['runner'], ({ runners }) => (
    runners.flatMap(({ number, memory_bytes: bytes }): Sample[] => (bytes === null ? [] : [[[String(number)], bytes]])))),

  ofFollowers('lookout_follower_up', 'gauge', '0 while its target is away, or it cannot go on here.', ({ state }) => Number(state !== 'waiting')),
  ofFollowers('lookout_follower_lag_items', 'gauge', 'Items of the logs behind its cursor.', ({ lag_items }) => lag_items),
  ofFollowers('lookout_follower_lag_seconds', 'gauge', 'Age of the item that is being delivered.', ({ lag_seconds }) => lag_seconds),
  ofFollowers('lookout_follower_delivered_total', 'counter', 'Items that its target took.', ({ delivered }) => delivered),
  ofFollowers('lookout_follower_lost_total', 'counter', 'Items that went from the logs before they were delivered, or cannot be read there.', ({ lost }) => lost),
  ofFollowers('lookout_follower_set_aside', 'gauge', 'Items that its target refused.', ({ set_aside }) => set_aside),
];

function ofFollowers(name: string, type: Family['type'], help: string, value: (follower: FollowerStatus) => number): Family {
  return { name, type, help, labels: ['follower'], samples: ({ followers }) => followers.map((one) => [[one.name], value(one)]) };
}

function ofStorage(name: string, help: string, value: (storage: StorageStatus) => number | null): Family {
  return {
    name, type: 'gauge', help, labels: ['folder'],
    samples: ({ storage }) => storage.flatMap((one) => below(one.folder, known(value(one)))),
  };
}

function ofStreams(name: string, type: Family['type'], help: string, labels: readonly string[], samples: (stream: StreamStatus) => readonly Sample[]): Family {
  return { name, type, help, labels: ['camera_id', ...labels], samples: ({ streams }) => streams.flatMap((stream) => below(String(stream.camera_id), samples(stream))) };
}

/** null: nothing is to be told of it yet. */
function ofStream(name: string, type: Family['type'], help: string, value: (stream: StreamStatus) => number | null): Family {
  return ofStreams(name, type, help, [], (stream) => known(value(stream)));
}

function ofModels(name: string, type: Family['type'], help: string, labels: readonly string[], samples: (model: ModelStatus) => readonly Sample[]): Family {
  return { name, type, help, labels: ['model', ...labels], samples: ({ models }) => models.flatMap((model) => below(model.name, samples(model))) };
}

/** By camera, of the streams that there are: however many come and go, their number is bounded. */
function ofLooks(name: string, help: string, labels: readonly string[], samples: (looks: LookCounts) => readonly Sample[]): Family {
  return {
    name, type: 'counter', help, labels: ['model', 'camera_id', ...labels],
    samples: ({ models, streams }) => {
      const ids = streams.map(({ camera_id }) => String(camera_id));
      return models.flatMap(({ name: model, cameras }) => below(model, ids.flatMap((camera) => {
        const looks = Object.hasOwn(cameras, camera) ? cameras[camera] : undefined;
        return looks ? below(camera, samples(looks)) : [];
      })));
    },
  };
}

function known(value: number | null): readonly Sample[] {
  return value === null ? [] : [[[], value]];
}

function below(label: string, samples: readonly Sample[]): readonly Sample[] {
  return samples.map(([labels, value]) => [[label, ...labels], value]);
}

function ageOf(capturing: boolean, at: string | null): number | null {
  return !capturing || at === null ? null : Math.max(0, Date.now() - Date.parse(at)) / 1000;
}

function oneOf(states: readonly string[], current: string): readonly Sample[] {
  return states.map((state) => [[state], Number(state === current)]);
}
