/** What a model is doing, in the words of the page. */
import { setText } from './dom.js';

const MODEL_STATES = { idle: 'Idle', provisioning: 'Being prepared', ready: 'Ready', busy: 'Working', failed: 'Failed' };

export function showChip(chip, kind, text) {
  const name = `chip ${kind}`;
  if (chip.className !== name) chip.className = name;
  setText(chip, text);
}

export const modelState = ({ state }) => MODEL_STATES[state] ?? state;

/** What keeps a model from running, or its newest state from taking over; '': nothing. */
export function troubleOf({ state, reason, progress, successor }) {
  if (state === 'provisioning') return progress ?? reason;
  if (state === 'failed') return reason;
  if (successor === null) return '';
  return successor.state === 'failed' ? `Goes on as it was. ${successor.reason}` : `Works, while its new state is being prepared: ${successor.progress ?? successor.reason}`;
}
