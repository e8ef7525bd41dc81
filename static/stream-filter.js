/** Which streams are shown: by their state, and by words of their name, address and models. Kept in the page's address. */
import { element, keyed, setText } from './dom.js';
import { FILTERS } from './trouble.js';

/** `changed` is called when somebody has chosen otherwise. `holds(one)` and `tell(all, many)` get `{condition, words}`; among few nobody needs to look for one. */
export function createFilter(changed) {
  const form = document.querySelector('#filter');
  const text = form.elements.q;
  const states = form.querySelector('#states');
  const asked = new URLSearchParams(location.search);
  text.value = (asked.get('q') ?? '').slice(0, text.maxLength);
  let chosen = FILTERS.find(({ name }) => name === asked.get('state')) ?? FILTERS[0];

  const wanted = () => text.value.toLowerCase().split(/\s+/).filter(Boolean);
  const isSet = () => chosen.name !== '' || wanted().length > 0;

  function choose() {
    const address = new URL(location.href);
    for (const [name, value] of [['q', text.value.trim()], ['state', chosen.name]]) {
      if (value === '') address.searchParams.delete(name);
      else address.searchParams.set(name, value);
    }
    history.replaceState(null, '', address);
    changed();
  }

  const press = (filter) => () => {
    chosen = filter;
    choose();
  };

  text.addEventListener('input', choose);
  form.addEventListener('submit', (event) => { event.preventDefault(); });
  document.querySelector('#clear-filter').addEventListener('click', () => {
    text.value = '';
    press(FILTERS[0])();
    text.focus();
  });

  return {
    holds: ({ condition, words }) => chosen.holds(condition) && wanted().every((word) => words.includes(word)),
    tell(all, many) {
      form.hidden = !many && !isSet();
      if (form.hidden) return;
      const counts = FILTERS.map((filter) => ({ filter, number: all.filter(({ condition }) => filter.holds(condition)).length }));
      const offered = counts.filter(({ filter, number }) => number > 0 || filter === FILTERS[0] || filter === chosen);
      keyed(states, offered, ({ filter }) => filter.name, ({ filter }) => {
        const button = element('button', { type: 'button', className: `choice-chip ${filter.name}` }, element('span', { textContent: filter.label }), ' ', element('b'));
        button.addEventListener('click', press(filter));
        return button;
      }, (button, { filter, number }) => {
        setText(button.querySelector('b'), number.toLocaleString('en'));
        const pressed = String(filter === chosen);
        if (button.ariaPressed !== pressed) button.ariaPressed = pressed;
      });
    },
  };
}
