/** An event and a silence in the words of the page. No DOM in here. */

const WHY_NOT = {
  rule: 'its rule alerts nobody',
  too_old: 'it was looked at too long after it was captured',
  silenced: 'somebody asked for silence',
  hours: 'it is outside the hours of its rule',
  stationary: 'it stands where one of its class has alerted already',
  cooldown: 'its rule had alerted of this class just before',
  daily_limit: 'its rule had used up its alerts of the day',
};

const ENDINGS = {
  not_looked: 'nobody could look any longer',
  max_seconds: 'what is still there is the next event',
  interrupted: 'its stream or its rule was ended',
};

/** '': it alerted. */
export function whyNoAlert({ alert, suppressed }) {
  return alert ? '' : `No alert: ${WHY_NOT[suppressed] ?? suppressed}.`;
}

/** How long it lasted, or has until it was last seen, and where it did not end by itself, why it ended. */
export function lasting({ began_at, last_seen_at, ended_at, ended_by }) {
  const seconds = Math.max(0, Date.parse(ended_at ?? last_seen_at) - Date.parse(began_at)) / 1000;
  if (ended_at === null) return seconds < 1 ? 'just begun' : `${duration(seconds)} so far`;
  return [seconds < 1 ? 'seen for a moment' : `lasted ${duration(seconds)}`, ENDINGS[ended_by]].filter(Boolean).join('; ');
}

/** `12 s`, `3 min 5 s`, `2 h 10 min`. */
export function duration(seconds) {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}\u00a0s`;
  const [big, small, units] = whole < 3600 ? [whole / 60, whole % 60, ['min', 's']] : [whole / 3600, (whole % 3600) / 60, ['h', 'min']];
  return `${Math.floor(big)}\u00a0${units[0]}${Math.floor(small) === 0 ? '' : ` ${Math.floor(small)}\u00a0${units[1]}`}`;
}

/** `rule` of null: all of the camera's. */
export function silencedInWords({ camera_id, rule, until }) {
  const end = new Date(until);
  const isSoon = end - Date.now() < 20 * 3_600_000;
  return `${rule === null ? `All of ${camera_id} is silenced` : 'Silenced'} until ${isSoon ? end.toLocaleTimeString([], { timeStyle: 'short' }) : end.toLocaleString()}`;
}
