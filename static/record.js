/** Reads a record of any generation (v1, or flat v2 and v3) into what the page shows. No DOM in here. */

const OF_LOOKOUT = new Set(['basic', 'batch', 'models', 'schema_version', 'complaint_type']);

export function readRecord(record) {
  const basic = record.basic ?? record;
  const batch = record.batch ?? null;
  const sections = readSections(record, basic);
  const flatTime = [basic.Date, basic.timestamp].filter(Boolean).join(' ');
  return {
    key: batch?.id ?? `${basic.camID} ${flatTime}`,
    /** Of the batch; null in records of the Flask orchestrator. */
    id: batch?.id ?? null,
    camera: String(basic.camID ?? 'unknown camera'),
    /** RFC 3339 where the record has it, else the text of the old generations. */
    startedAt: batch?.started_at ?? null,
    timeText: flatTime,
    frames: batch?.frames?.length ?? null,
    place: basic.Latitude == null || basic.Longitude == null ? null : `${basic.Latitude}, ${basic.Longitude}`,
    /** The snapshot in base64, where the record was asked for with it. */
    picture: basic.frame_base64 || null,
    pictures: readPictures(batch, sections),
    sections,
    faults: readFaults(record, sections),
    gaps: readGaps(record),
  };
}

/**
 * What can be shown of it, the best first: the frame of the surest box, if it was kept, and the snapshot, which may be of
 * another frame. Boxes are those of that frame and no other, in its pixels, of which a snapshot may have fewer.
 */
function readPictures(batch, sections) {
  const snapshot = batch?.snapshot?.index ?? null;
  const boxes = sections.flatMap(({ detections }) => detections.filter(({ box }) => Array.isArray(box)));
  const surest = boxes.reduce((best, one) => (one.confidence > (best?.confidence ?? -Infinity) ? one : best), null);
  return [...new Set([surest?.frame ?? snapshot, snapshot])].filter((index) => index !== null).map((index) => {
    const frame = batch?.frames?.find((candidate) => candidate.index === index) ?? null;
    return { index, isSnapshot: index === snapshot, size: frame ?? batch?.snapshot ?? null, capturedAt: frame?.captured_at ?? null, boxes: boxes.filter((one) => one.frame === index) };
  });
}

/** One per section that a model was asked for. */
function readSections(record, basic) {
  const nested = Object.entries(record).filter(([name, value]) => !OF_LOOKOUT.has(name) && Array.isArray(value?.detections));
  const flat = Object.entries(basic.complaint_type ?? {}).filter(([, value]) => Array.isArray(value));
  return [
    ...nested.map(([name, { detections }]) => ({ name, detections })),
    ...flat.map(([name, detections]) => ({ name, detections })),
  ];
}

function readFaults(record, sections) {
  const ofModels = Object.entries(record.models ?? {}).filter(([, model]) => model?.error && !isSkipped(model)).map(([name, model]) => `${name} failed: ${model.error.message}`);
  if (ofModels.length > 0) return ofModels;
  return Object.entries(record)
    .filter(([name, value]) => !OF_LOOKOUT.has(name) && value?.error && !isSkipped(ofModel(record, name)) && !sections.some((section) => section.name === name && section.detections.length > 0))
    .map(([name, value]) => `${name} failed: ${value.error.message}`);
}

/** What models did not look at: no failure of theirs. */
function readGaps(record) {
  const frames = record.batch?.frames?.length;
  return Object.entries(record.models ?? {}).flatMap(([name, model]) => {
    if (isSkipped(model)) return [`${name} did not look: ${model.error.message}`];
    return model?.looked < frames && !model.error ? [`${name} looked at ${model.looked} of ${frames} frames`] : [];
  });
}

/** A section may bear the name of something that every object has. */
function ofModel({ models = {} }, name) {
  return Object.hasOwn(models, name) ? models[name] : {};
}

function isSkipped({ error, skipped = [] }) {
  return Boolean(error) && skipped.some(({ reason }) => reason === error.code);
}

/** `[{class, times, best}]`, most confident first. */
export function countClasses(detections) {
  const classes = new Map();
  for (const { class: name, confidence } of detections) {
    const seen = classes.get(name) ?? { class: name, times: 0, best: 0 };
    classes.set(name, { class: name, times: seen.times + 1, best: Math.max(seen.best, confidence) });
  }
  return [...classes.values()].sort((a, b) => b.best - a.best);
}
