/** Medians and loads: what a noisy machine's figures need. */
import { loadavg } from 'node:os';

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The value that this share of them does not exceed. */
export function quantile(values, share) {
  return [...values].sort((a, b) => a - b)[Math.ceil(share * values.length) - 1];
}

export const digits = (value, count = 3) => (Number.isFinite(value) ? String(Number(value.toPrecision(count))) : 'nothing');

/** Processes that wanted a processor in the last minute: what else was going on. */
export const load = () => loadavg()[0].toFixed(1);
