/** Models, the environments that they run in, and their runners: the contract of the runtimes. */
import type { Json } from './json.ts';
import type { Prediction } from './look.ts';

/** Told what happens during long set-up, in words a user can read. */
export type Progress = (line: string) => void;

/** A model folder, read and checked. Paths are absolute. */
export interface Model {
  readonly name: string;
  readonly folder: string;
  readonly version: string;
  /** `python`, `node`, `command`: a file in src/runtimes. */
  readonly runtime: string;
  /** `lines`: the runner protocol over stdio. `oneshot`: one process per batch, the Flask orchestrator's contract. */
  readonly protocol: 'lines' | 'oneshot';
  /** The model's own program, given to the runtime's harness (`lines`) or run as it is (`oneshot`). */
  readonly entry: string;
  /** Further arguments of the entry; for `command` the words after the program. */
  readonly args: readonly string[];
  /** Files that say what the environment must hold: requirements, package.json, lock files. */
  readonly requirements: readonly string[];
  /** Where findings stand in the record, and whether they count as a complaint. null: under the model's own name. */
  readonly section: string | null;
  /** Classes kept, in the model's own words; null: all. */
  readonly classes: readonly string[] | null;
  /** Renames classes: the model's word to the record's. */
  readonly class_map: Readonly<Record<string, string>>;
  /** Findings below are left out; null: the model decides. */
  readonly confidence: number | null;
  readonly deadline_seconds: number | null;
  /** How long its set-up may take, once its environment is there; null: as long as usual. */
  readonly setup_deadline_seconds: number | null;
  /** `stream`: remembers earlier frames of a stream. */
  readonly state: 'none' | 'stream';
  /** What it is asked about: frames as they come, or whole batches once they are closed. */
  readonly look: 'frame' | 'batch';
  /** Frames of one call at the most. */
  readonly max_batch: number;
  /** Whether a call may hold frames of several streams and sizes; null: the runner says. */
  readonly mix: boolean | null;
  /** Runners behind its door. */
  readonly instances: number;
  /** Import probe run in the environment before its first use, as the runtime's interpreter takes it. */
  readonly probe: string | null;
  readonly weights: readonly Weights[];
  /** Where weights are looked for, in order: the user's folder, the model's own, the one for fetched files. */
  readonly weights_folders: readonly string[];
  /** Options handed to the model's program with every call. */
  readonly options: { readonly [key: string]: Json };
  /** Variables that its processes get beside those that everybody gets, as written: `${NAME}` takes one of Lookout's own. */
  readonly env: Readonly<Record<string, string>>;
  /** Megabytes (of a million bytes) that a runner and what it started may hold; null: any. */
  readonly memory_mb: number | null;
  /** Threads that libraries are told to use; null: as they like. */
  readonly cpus: number | null;
  /** A virtual environment in the Flask orchestrator's folder that is used in place; null: none. */
  readonly adopted_venv: string | null;
  readonly origin: 'built-in' | 'user';
  /** Something a user should know, e.g. that the built-in model stands in; null: nothing. */
  readonly notice: string | null;
}

/** A file of weights. `required`: without it the model cannot run. */
export interface Weights {
  /** Relative to the model's folder. A `*` in the name matches any text. */
  readonly file: string;
  readonly url: string | null;
  readonly sha256: string | null;
  readonly required: boolean;
}

/** A prepared model: starts runners, says what they run in. */
export interface Prepared {
  readonly fingerprint: string | null;
  /** Its environment is in use: those that nobody has used for long go when others are built. */
  markUsed(): Promise<void>;
  /** `print` gets what the runner and its model print, by line; `watched`: somebody reads it as it comes, and errors need not quote it. */
  start(print: Progress, signal: AbortSignal, watched?: boolean): Promise<Runner>;
}

/** Provisions isolated environments. `prepare` is idempotent, may take minutes, and is cancelled by its signal. */
export interface Runtime {
  prepare(model: Model, progress: Progress, signal: AbortSignal): Promise<Prepared>;
}

/** A frame as runners see it: the only place where a path leaves the spool. */
export interface RunnerFrame {
  readonly index: number;
  /** The camera's session: what a model that keeps state keys it by. */
  readonly stream: string;
  /** Whole, from 0: rises within a stream in the order of capture, also when the clock is set back. */
  readonly sequence: number;
  readonly file: string;
  readonly captured_at: string;
  readonly width: number;
  readonly height: number;
}

/** What a runner said when it became ready. */
export interface Ready {
  readonly detector: string | null;
  readonly labels: readonly string[] | null;
  readonly device: string | null;
  /** Whether one call may hold frames of several streams; null: it did not say. */
  readonly mix: boolean | null;
  /** How many calls it takes at once. */
  readonly slots: number;
}

/** Does the inference, usually a warm subprocess. Throws `runner_failed` (this call) or `runner_died` (the process). */
export interface Runner {
  readonly ready: Ready;
  /** Resolves when the process has ended, however it ended, with the reason in words. Never rejects. */
  readonly ended: Promise<string>;
  predict(frames: readonly RunnerFrame[], options: Json, signal: AbortSignal): Promise<RunnerAnswer>;
  /** Bytes of its processes that are in memory; null: none are, or that cannot be told here. */
  memory(): Promise<number | null>;
  close(): Promise<void>;
}

export interface RunnerAnswer {
  readonly predictions: readonly Prediction[];
  /** Milliseconds of inference for the whole call as the runner measured it. */
  readonly inference_ms: number;
}
