/** The tiles of all streams: the worst first, those that the filter lets through, their ages counted on whether the server answers or not. */
import { count, keyed, setText } from './dom.js';
import { createFilter } from './stream-filter.js';
import { makeTile } from './stream-tile.js';
import { conditionOf } from './trouble.js';

/** More than these are shown as small tiles, in the whole width. */
const FEW = 6;
/** The order holds still for so long after somebody's hand moved among the tiles. */
const STILL_MS = 3000;

const list = document.querySelector('#stream-list');
/** Of a server that ends: nothing can be started or removed any more. */
const STOPPING = 'Lookout is stopping';
const byName = new Intl.Collator('en', { numeric: true }).compare;

/** `refresh` asks the server for what has changed; `grew(many, some)` is told whether the streams are many, whenever that changes, and whether there are any. */
export function createStreamList(refresh, grew) {
  /** By the camera's name: what was told last, when its picture was taken by this machine's clock, and its tile. */
  const streams = new Map();
  let [models, books, many, movedAt] = [new Map(), null, null, 0];
  const filter = createFilter(arrange);
  for (const kind of ['pointermove', 'pointerdown', 'keydown']) list.addEventListener(kind, () => { movedAt = Date.now(); }, { passive: true });

  const ageOf = ({ takenAt }) => (takenAt === null ? null : (Date.now() - takenAt) / 1000);

  /** Its tile says what has become of it. `told`: the stream itself is another, not only older or looked at by other models. */
  function judge(one, told = false) {
    const condition = conditionOf(one.stream, ageOf(one), models);
    const changed = told || condition.kind !== one.condition.kind || condition.live !== one.condition.live;
    one.condition = condition;
    if (changed) one.tile.update(one.stream, condition, models);
    else one.tile.look(models);
  }

  /** Puts the tiles in order; nothing moves that is right. */
  function arrange() {
    const all = [...streams.values()];
    filter.tell(all, many);
    const shown = all.filter(filter.holds);
    if (Date.now() - movedAt > STILL_MS) shown.sort((a, b) => a.condition.rank - b.condition.rank || byName(a.name, b.name));
    else shown.sort((a, b) => a.place - b.place);
    const focused = list.contains(document.activeElement) ? document.activeElement : null;
    keyed(list, shown, ({ name }) => name, ({ tile }) => tile.node);
    // A tile that was moved has lost it.
    if (focused?.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
    shown.forEach((one, place) => { one.place = place; });
    document.querySelector('#no-streams').hidden = all.length > 0;
    document.querySelector('#none-shown').hidden = all.length === 0 || shown.length > 0;
    tellSummary(all);
  }

  function tellSummary(all) {
    const running = all.filter(({ stream }) => stream.state === 'running').length;
    const asleep = all.filter(({ stream }) => stream.state === 'asleep').length;
    const attention = all.filter(({ condition }) => condition.attention).length;
    const dropped = Object.values(books?.dropped ?? {}).reduce((sum, number) => sum + number, 0);
    setText(document.querySelector('#summary'), all.length === 0 ? '' : [
      `${running} of ${count(all.length, 'stream')} running`,
      asleep === 0 ? '' : `${asleep} asleep`,
      attention === 0 ? '' : `${count(attention, 'needs', 'need')} attention`,
      `${count(books?.captured ?? 0, 'frame')} captured`, dropped > 0 ? `${dropped.toLocaleString('en')} dropped` : '',
    ].filter(Boolean).join(' · '));
    const title = attention === 0 ? 'Lookout' : `(${attention}) Lookout`;
    if (document.title !== title) document.title = title;
  }

  function setNumber(number) {
    if (many === number > FEW) return;
    many = number > FEW;
    list.classList.toggle('compact', many);
    for (const { tile } of streams.values()) tile.fold(many);
    grew(many, number > 0);
  }

  function take(stream) {
    const name = String(stream.camera_id);
    const one = streams.get(name) ?? { name, stream, condition: null, place: Infinity, tile: null };
    one.stream = stream;
    one.takenAt = stream.last_frame_age_seconds === null ? null : Date.now() - stream.last_frame_age_seconds * 1000;
    one.words = [name, stream.url, ...stream.models].join(' ').toLowerCase();
    if (one.tile === null) {
      one.tile = makeTile(stream, refresh);
      one.tile.fold(many === true);
    }
    judge(one, true);
    one.tile.tick(ageOf(one));
    streams.set(name, one);
  }

  return {
    /** An answer of api/streams. */
    show({ complete, streams: told, removed, books: balance, not_ready }) {
      books = balance;
      list.classList.toggle('stopping', not_ready.includes(STOPPING));
      const names = new Set(told.map(({ camera_id }) => String(camera_id)));
      const gone = complete ? [...streams.keys()].filter((name) => !names.has(name)) : removed.map(String);
      for (const name of gone) streams.delete(name);
      // Known first, so that hundreds of tiles are not made unfolded.
      setNumber(new Set([...streams.keys(), ...names]).size);
      told.forEach(take);
      // Those of which nothing is new have become older.
      for (const one of streams.values()) if (!names.has(one.name)) judge(one);
      arrange();
    },
    /** `told` by name, as api/models says. */
    showModels(told) {
      models = told;
      for (const one of streams.values()) judge(one);
    },
    /** A second has passed. `live`: the server still answers. */
    tick(live) {
      list.classList.toggle('away', !live);
      for (const one of streams.values()) one.tile.tick(ageOf(one));
    },
  };
}
