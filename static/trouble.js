/** How a stream is doing, in the words of the page, and how much that needs somebody. No DOM in here. */
import { sentence } from './sentence.js';

/** The worst first: the order of the tiles. `kind` is also the filter's word for it, and the class of its chip. */
const CONDITIONS = {
  failed: { rank: 0, label: 'Failed', attention: true },
  reconnecting: { rank: 1, label: 'Reconnecting', attention: true },
  late: { rank: 2, label: 'No new picture', attention: true },
  unseen: { rank: 3, label: 'Model failed', attention: true },
  provisioning: { rank: 4, label: 'Preparing model', attention: false },
  starting: { rank: 5, label: 'Starting', attention: false },
  running: { rank: 6, label: 'Running', attention: false },
  asleep: { rank: 7, label: 'Asleep', attention: false },
  stopped: { rank: 8, label: 'Stopped', attention: false },
};

/**
 * `age`: of its newest picture in seconds, null: there is none; `models` by name. `live`: the newest picture is as new as it
 * should be, so that a camera that reconnects between two of them needs nobody.
 */
export function conditionOf(stream, age, models) {
  const onTime = age !== null && age <= stream.late_after_seconds;
  const kind = stream.state === 'running' ? kindOfRunning(stream, age === null || onTime, models) : stream.state;
  const { rank, label, attention } = CONDITIONS[kind] ?? { rank: 4, label: kind, attention: false };
  const blinks = kind === 'reconnecting' && onTime;
  return { kind, label, rank: blinks ? CONDITIONS.starting.rank : rank, attention: attention && !blinks, live: stream.capturing && onTime };
}

function kindOfRunning({ models: names }, onTime, models) {
  if (!onTime) return 'late';
  return names.some((name) => models.get(name)?.state === 'failed') ? 'unseen' : 'running';
}

/** What can be filtered by: a name for the address, words, and which conditions it means. */
export const FILTERS = [
  { name: '', label: 'All', holds: () => true },
  { name: 'attention', label: 'Need attention', holds: ({ attention }) => attention },
  ...['failed', 'reconnecting', 'late', 'unseen'].map((kind) => ({ name: kind, label: CONDITIONS[kind].label, holds: (condition) => condition.kind === kind })),
  { name: 'starting', label: 'Starting', holds: ({ kind }) => kind === 'starting' || kind === 'provisioning' },
  ...['running', 'asleep', 'stopped'].map((kind) => ({ name: kind, label: CONDITIONS[kind].label, holds: (condition) => condition.kind === kind })),
];

const LONGEST_SENTENCE = 140;

/**
 * Why it is in its state, as one sentence, with the words of ffmpeg or of the system about a fault apart:
 * `the camera could not be reached: Connection refused; next try in 2.0 s`. `words` and `next` (try) are '' where there are none.
 */
export function inOneSentence({ reason, last_error: error }) {
  const [, said = reason, pause = ''] = /^([^]*); next try in ([^;]*)$/.exec(reason) ?? [];
  const next = pause === '' ? '' : `It is tried again ${pause} after it failed.`;
  const isFault = error !== null && reason.includes(error.message);
  const [, head = said, words = ''] = (isFault && /^(.+?)(?:: |; ffmpeg says: )([^]+)$/.exec(said)) || [];
  if (head.length > LONGEST_SENTENCE) return { sentence: `${head.slice(0, LONGEST_SENTENCE)} …`, words: said, next };
  return { sentence: sentence(head), words, next };
}
