/** Which events are asked for: of a camera, of a class, only those that alert. Kept in the page's address. */
import { cameraIn } from './dom.js';

/** `changed` is called when somebody has chosen otherwise. */
export function createEventFilter(changed) {
  const form = document.querySelector('#event-filter');
  const { camera_id: camera, class: name, alert } = form.elements;
  const asked = new URLSearchParams(location.search);
  for (const field of [camera, name]) field.value = (asked.get(field.name) ?? '').slice(0, field.maxLength);
  alert.checked = asked.get('alert') === 'true';

  /** As the server takes it; empty: all are. */
  function wanted() {
    const all = { camera_id: cameraIn(camera), class: name.value.trim(), alert: alert.checked ? 'true' : '' };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
  }

  function choose() {
    const address = new URL(location.href);
    address.search = new URLSearchParams(wanted());
    history.replaceState(null, '', address);
    changed();
  }

  form.addEventListener('submit', (event) => { event.preventDefault(); });
  form.addEventListener('input', choose);
  document.querySelector('#clear-filter').addEventListener('click', () => {
    [camera.value, name.value, alert.checked] = ['', '', false];
    camera.focus();
    choose();
  });

  return {
    wanted,
    isSet: () => Object.keys(wanted()).length > 0,
    holds: (entry) => Object.entries(wanted()).every(([key, value]) => String(entry[key]) === value),
  };
}
