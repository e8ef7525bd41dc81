/** The front page: asks for streams, models, cameras and records, each at its own pace. */
import { addressOf, ask } from './dom.js';
import { isLive, keepAsking, setWaitingFor, tell } from './keep-asking.js';
import { createRecordList } from './record-list.js';
import { enhanceForm, foldForm, refreshCameras, showModels } from './start-form.js';
import { createStreamList } from './stream-list.js';

/** Records beside a few streams; many streams have more than can be followed here. */
const RECORDS = 6;
/** There the form stands before the pictures. */
const PHONE = matchMedia('(max-width: 599px)');

let [version, many] = [null, false];
let isAnswered = () => undefined;
const answered = new Promise((resolve) => { isAnswered = resolve; });
const records = createRecordList(document.querySelector('#record-list'));
const streams = createStreamList(refreshStreams, (grown, some) => {
  many = grown;
  document.body.classList.toggle('many', many);
  if (many) records.show([]);
  foldForm(many || (some && PHONE.matches));
});

async function refreshStreams() {
  try {
    const answer = await ask(version === null ? 'api/streams' : `api/streams?since=${encodeURIComponent(version)}`);
    setWaitingFor(answer.not_ready);
    streams.show(answer);
    ({ version } = answer);
  } finally {
    isAnswered();
  }
}

async function refreshModels() {
  const answer = await ask('api/models');
  streams.showModels(new Map(answer.models.map((model) => [model.name, model])));
  showModels(answer);
}

/** Beside many streams there are none: who wants to see them knows where. */
async function refreshRecords() {
  await answered;
  if (many) return;
  records.show(await records.newest({ limit: RECORDS }));
  document.querySelector('#no-records').hidden = records.size > 0;
}

enhanceForm(async (number) => {
  await Promise.all([refreshStreams(), refreshCameras()]);
  if (number > 0 && PHONE.matches) document.querySelector('#streams').scrollIntoView();
});
// What became of a form that was sent belongs to this visit only.
const address = new URL(addressOf(''));
for (const name of ['q', 'state']) if (new URLSearchParams(location.search).has(name)) address.searchParams.set(name, new URLSearchParams(location.search).get(name));
address.hash = location.hash;
if (address.href !== location.href) history.replaceState(null, '', address);
setInterval(() => {
  if (document.hidden) return;
  streams.tick(isLive());
  tell();
}, 1000);
void keepAsking('models', refreshModels, 3);
void keepAsking('streams', refreshStreams, 1.5);
void keepAsking('records', refreshRecords, 4);
void keepAsking('cameras', refreshCameras, 30);
