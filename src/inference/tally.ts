/** What became of the frames that models were asked about: counted by model, camera and reason, and said once a minute where some were let go. */
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Answers, Frame, Look, ModelStatus, SkipReason } from '../types.ts';

export interface Tally {
  /** Told of every look, in the order of capture within a stream. */
  looked(camera: string, frame: Frame, model: string, look: Look): void;
  /** Told of the looks of every batch. */
  batch(answers: Answers): void;
  of(model: string): Pick<ModelStatus, 'batches' | 'inference_seconds' | 'looks' | 'cameras'>;
  close(): void;
}

interface Counts {
  looked: number;
  failed: number;
  skipped: Partial<Record<SkipReason, number>>;
}

const MINUTE_MS = 60_000;
const nothing = (): Counts => ({ looked: 0, failed: 0, skipped: {} });

export function createTally(clock: Pick<Clock, 'after' | 'monotonic'>, log: Log): Tally {
  const ever = new Map<string, Map<string, Counts>>();
  const batches = new Map<string, number>();
  const inferenceMs = new Map<string, number>();
  let lately = new Map<string, Map<string, Counts>>();
  let since = clock.monotonic();
  let cancel = clock.after(MINUTE_MS, tell);

  function tell(): void {
    cancel = clock.after(MINUTE_MS, tell);
    const seconds = (clock.monotonic() - since) / 1000;
    since = clock.monotonic();
    for (const [model, cameras] of lately) {
      const sentence = inWords(model, [...cameras.values()], seconds);
      if (sentence !== null) log.warn(sentence);
    }
    lately = new Map();
  }

  return {
    looked(camera, _frame, model, look) {
      for (const counts of [ever, lately]) count(countsOf(counts, model, camera), look);
      if ('detections' in look) inferenceMs.set(model, (inferenceMs.get(model) ?? 0) + look.inference_ms);
    },
    batch(answers) {
      for (const [model, looks] of Object.entries(answers)) {
        if (looks.some((look) => 'detections' in look)) batches.set(model, (batches.get(model) ?? 0) + 1);
      }
    },
    of(model) {
      const cameras = ever.get(model) ?? new Map<string, Counts>();
      return { batches: batches.get(model) ?? 0, inference_seconds: (inferenceMs.get(model) ?? 0) / 1000, looks: sum([...cameras.values()]), cameras: Object.fromEntries(cameras) };
    },
    close: () => { cancel(); },
  };
}

function countsOf(counts: Map<string, Map<string, Counts>>, model: string, camera: string): Counts {
  const cameras = counts.get(model) ?? new Map<string, Counts>();
  counts.set(model, cameras);
  const own = cameras.get(camera) ?? nothing();
  cameras.set(camera, own);
  return own;
}

function count(own: Counts, look: Look): void {
  if ('detections' in look) own.looked += 1;
  else if ('error' in look) own.failed += 1;
  else own.skipped[look.skipped] = (own.skipped[look.skipped] ?? 0) + 1;
}

function sum(all: readonly Counts[]): Counts {
  const total = nothing();
  for (const { looked, failed, skipped } of all) {
    total.looked += looked;
    total.failed += failed;
    for (const [reason, frames] of Object.entries(skipped) as [SkipReason, number][]) total.skipped[reason] = (total.skipped[reason] ?? 0) + frames;
  }
  return total;
}

const skippedOf = ({ skipped }: Counts): number => Object.values(skipped).reduce((all, frames) => all + frames, 0);
const asked = (counts: Counts): number => counts.looked + counts.failed + skippedOf(counts);
const share = (counts: Counts): number => Math.round((100 * (asked(counts) - skippedOf(counts))) / asked(counts));

/** null: nothing was let go. */
function inWords(model: string, cameras: readonly Counts[], seconds: number): string | null {
  const all = sum(cameras);
  if (skippedOf(all) === 0) return null;
  const rate = (frames: number): string => String(Number((frames / seconds).toPrecision(2)));
  const shares = cameras.map(share);
  const [least, most] = [Math.min(...shares), Math.max(...shares)];
  const why = Object.entries(all.skipped).map(([reason, frames]) => `${frames} ${reason}`).join(', ');
  const byCamera = cameras.length === 1 ? '' : `, ${least === most ? least : `${least} to ${most}`} % by camera`;
  return `${model} looks at ${rate(asked(all) - skippedOf(all))} frames/s of the ${rate(asked(all))} that ${cameras.length === 1 ? 'one camera brings' : `${cameras.length} cameras bring`}: ${share(all)} % in all${byCamera} (${why})`;
}
