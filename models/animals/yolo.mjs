/** A YOLO-family ONNX file as a detector, through onnxruntime-node. */
import { readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { load } from './packages.mjs';
import { COCO } from './coco.mjs';
import { decodeYolov8, planes, yoloxDecoder } from './yolo-tensors.mjs';

/** By file name, best first, as model.yaml has them: how pictures go in and how findings come out. */
const FAMILIES = [
  {
    files: /^yolox_.*\.onnx$/,
    how: 'corner',
    pixels: { order: 'bgr', scale: 1 },
    size: 416,
    dims: ([, , row]) => row === 5 + COCO.length,
    decoder(input) {
      const decode = yoloxDecoder(input);
      return ({ data }, atLeast) => decode(data, atLeast);
    },
  },
  {
    files: /^yolo(v8|11).*\.onnx$/,
    how: 'centre',
    pixels: { order: 'rgb', scale: 1 / 255 },
    size: 640,
    dims: ([, rows]) => rows === 4 + COCO.length,
    decoder: () => ({ data, dims }, atLeast) => decodeYolov8(data, dims[1], atLeast),
  },
];

/** The first usable file of the first folder that has one; null: none. */
export async function findYolo(folders) {
  for (const folder of folders) {
    const files = (await list(folder)).sort();
    for (const family of FAMILIES) {
      const file = files.find((name) => family.files.test(name));
      if (file !== undefined) return { file: join(folder, file), family };
    }
  }
  return null;
}

/** Says which files look like YOLO's and are of no family: who put them there counts on them. */
export async function nameOthers(folders) {
  const names = (await Promise.all(folders.map(list))).flat();
  const isExported = (name) => names.includes(name.replace(/\.pt$/i, '.onnx'));
  for (const name of names.filter((one) => /\.pt$/i.test(one) && !isExported(one))) {
    console.error(`${name} is not used: export it to ONNX (yolo export model=${name} format=onnx), or put it into models/yolo_v8, whose model runs it`);
  }
  for (const name of names.filter((one) => /^yolo.*\.onnx$/i.test(one) && !FAMILIES.some(({ files }) => files.test(one)))) {
    console.error(`${name} is not used: YOLO files must be of one of these families, and named so: yolox_*.onnx, yolov8*.onnx, yolo11*.onnx`);
  }
}

async function list(folder) {
  try {
    return await readdir(folder);
  } catch (error) {
    // A folder for weights need not exist.
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

/** null: it does not load here. Its library is made for glibc, and a file that was fetched must not cost the model. */
export function loadOnnx({ file }) {
  try {
    return load('onnxruntime-node');
  } catch (error) {
    console.error(`${basename(file)} cannot be used, the embedded detector looks instead: onnxruntime-node does not load here: ${error.message}`);
    return null;
  }
}

export async function openYolo({ file, family }, { InferenceSession, Tensor }) {
  const name = basename(file);
  const threads = Math.min(4, availableParallelism());
  const session = await open(InferenceSession, file, threads);
  const [inputName] = session.inputNames;
  const [outputName] = session.outputNames;
  const input = inputSize(session.inputMetadata?.[0]?.shape, family.size);
  const decode = family.decoder(input);
  const detector = {
    name,
    device: `cpu (${threads} threads)`,
    confidence: 0.45,
    input,
    how: family.how,
    async detect(pixels, atLeast) {
      const tensor = new Tensor('float32', planes(pixels, family.pixels), [1, 3, input.height, input.width]);
      const output = (await session.run({ [inputName]: tensor }, [outputName]))[outputName];
      if (!family.dims(output.dims)) throw new Error(`${name}: its output [${output.dims}] is not that of its family with COCO's ${COCO.length} classes; export it without NMS, or take the file away`);
      return decode(output, atLeast);
    },
  };
  // A file of another kind fails here, where it can be seen, and not in each batch.
  await detector.detect(new Uint8Array(3 * input.width * input.height), detector.confidence);
  return detector;
}

async function open(InferenceSession, file, threads) {
  try {
    // Threads that spin while they wait would take the processor from the next picture.
    return await InferenceSession.create(file, { intraOpNumThreads: threads, extra: { session: { intra_op: { allow_spinning: '0' } } } });
  } catch (error) {
    throw new Error(`${basename(file)} cannot be loaded: ${error.message}; replace it, or take it away to use the embedded detector`, { cause: error });
  }
}

/** Files with a free size say so with words instead of numbers. */
function inputSize(shape, otherwise) {
  const [height, width] = (shape ?? []).slice(2).map((side) => (Number.isInteger(side) && side > 0 ? side : otherwise));
  return { width: width ?? otherwise, height: height ?? otherwise };
}
