/** The camera of the push-frame server that Lookout stands in for. */

/** An alert as the push-frame server tells it. */
export interface OilSpillEvent {
  /** Local time without its zone, with microseconds. */
  readonly datetime: string;
  /** In data_dir. */
  readonly frame_path: string;
  /** `YYYYMMDD_HHMMSS` */
  readonly timestamp: string;
}

/** The camera of the push-frame server that Lookout stands in for. */
export interface PushCamera {
  /** Throws what pushes throw. */
  upload(bytes: Uint8Array, isSpill: boolean): Promise<'received' | 'no_picture'>;
  /** Whether it may be watched; uploads are recorded in any case. */
  setActive(isActive: boolean): Promise<void>;
  status(): { readonly stream_active: boolean; readonly oil_spill_detected: boolean; /** Seconds since 1970; 0: never. */ readonly last_frame_time: number; readonly oil_spill_events: number };
  /** Oldest first. */
  events(): readonly OilSpillEvent[];
  /** Its newest picture; null: there is none, or it is stopped. */
  latest(): Uint8Array | null;
  /** Parts of multipart/x-mixed-replace with the boundary `frame`, until it is stopped. Throws `not_running`. */
  watch(signal: AbortSignal): AsyncIterable<Uint8Array>;
}
