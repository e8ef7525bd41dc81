/** Medians and loads: what a noisy machine's figures need. */
import { loadavg } from 'node:os';

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export const digits = (value, count = 3) => (Number.isFinite(value) ? String(Number(value.toPrecision(count))) : 'nothing');

/** Processes that wanted a processor in the last minute: what else was going on. */
export const load = () => loadavg()[0].toFixed(1);
