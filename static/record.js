/** Reads a record of any generation (v1, or flat v2 and v3) into what the page shows. No DOM in here. */

const OF_LOOKOUT = new Set(['basic', 'batch', 'models', 'schema_version', 'complaint_type']);

export function readRecord(record) {
  const basic = record.basic ?? record;
  const batch = record.batch ?? null;
  const index = batch?.snapshot?.index ?? null;
  const frame = batch?.frames?.find((candidate) => candidate.index === index);
  const sections = readSections(record, basic);
  const flatTime = [basic.Date, basic.timestamp].filter(Boolean).join(' ');
  return {
    key: batch?.id ?? `${basic.camID} ${flatTime}`,
    camera: String(basic.camID ?? 'unknown camera'),
    /** RFC 3339 where the record has it, else the text of the old generations. */
    capturedAt: frame?.captured_at ?? batch?.started_at ?? null,
    timeText: flatTime,
    frames: batch?.frames?.length ?? null,
    place: basic.Latitude == null || basic.Longitude == null ? null : `${basic.Latitude}, ${basic.Longitude}`,
    picture: basic.frame_base64 || null,
    /** Boxes are pixels of the frame, which may be larger than the snapshot made of it. What has none is shown in words only. */
    size: frame ?? batch?.snapshot ?? null,
    boxes: index === null ? [] : sections.flatMap(({ detections }) => detections.filter(({ frame: at, box }) => at === index && Array.isArray(box))),
    sections,
    faults: readFaults(record, sections),
    gaps: readGaps(record),
  };
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
