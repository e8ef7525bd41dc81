/** Stray animals: a YOLO-family ONNX file when there is one in the weights folders, else the embedded detector. */
import { place, surest, toFrame } from './boxes.mjs';
import { openCenternet } from './centernet.mjs';
import { COCO } from './coco.mjs';
import { pictureReader } from './pictures.mjs';
import { findYolo, loadOnnx, nameOthers, openYolo } from './yolo.mjs';

/** What may be asked for in `options.classes`. A person is never a stray animal. */
const ANIMALS = ['bird', 'cat', 'dog', 'horse', 'sheep', 'cow', 'elephant', 'bear'];
const USUAL = ['dog', 'cat', 'horse', 'sheep', 'cow'];

let detector;
let read;
let settings;

export async function setup({ weights_folders, options }) {
  settings = options;
  const labels = wanted(options);
  const yolo = await findYolo(weights_folders);
  await nameOthers(weights_folders);
  read = pictureReader();
  const onnx = yolo === null ? null : loadOnnx(yolo);
  detector = onnx === null ? await openCenternet() : await openYolo(yolo, onnx);
  return { detector: detector.name, labels, device: detector.device };
}

export async function predict(frames, options) {
  const { classes, confidence } = { ...settings, ...options };
  const labels = wanted({ classes });
  const atLeast = confidence ?? detector.confidence;
  const answers = [];
  let coming = picture(frames[0]);
  for (const [index, frame] of frames.entries()) {
    const { pixels, placed, error } = await coming;
    // The next picture is read while the detector looks at this one.
    coming = picture(frames[index + 1]);
    answers.push(error === undefined ? report(await detector.detect(pixels, atLeast), labels, placed, frame) : { error });
  }
  return answers;
}

async function picture(frame) {
  if (frame === undefined) return null;
  const placed = place(frame, detector.input, detector.how);
  return { placed, ...(await read(frame, placed, detector.input)) };
}

function report(findings, labels, placed, frame) {
  return surest(findings.filter(({ label }) => labels.includes(COCO[label]))).map(({ label, confidence, box }) => ({
    class: COCO[label],
    confidence,
    box: toFrame(box, placed, frame),
  }));
}

function wanted({ classes }) {
  const names = [classes ?? USUAL].flat();
  const unknown = names.filter((name) => !ANIMALS.includes(name));
  if (unknown.length > 0) throw new Error(`options.classes: ${unknown.join(', ')} cannot be asked for; known: ${ANIMALS.join(', ')}`);
  return names;
}
