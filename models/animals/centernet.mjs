/** The embedded detector: MB3-CenterNet of the package @vladmandic/human, on tfjs' wasm backend. */
import { readFile } from 'node:fs/promises';
import { sep } from 'node:path';
import { load, packageFile } from './packages.mjs';

const INPUT = { width: 512, height: 512 };
const ROW = 6;

/**
 * The input is RGB, 0 to 255; the output has 100 rows of x1, y1, x2, y2 (pixels of the input), score, class. Frames are
 * squashed: with edges around them this detector takes one dog in three for a cat. tfjs has no wasm threads under Node.
 */
export async function openCenternet() {
  const tf = load('@tensorflow/tfjs-core');
  const wasm = load('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(packageFile('@tensorflow', 'tfjs-backend-wasm', 'dist') + sep);
  if (!(await tf.setBackend('wasm'))) throw new Error('the wasm backend of tfjs cannot be started');
  const model = await load('@tensorflow/tfjs-converter').loadGraphModel({ load: readArtifacts });

  return {
    name: 'centernet-mb3 (embedded)',
    device: 'cpu (wasm)',
    confidence: 0.3,
    input: INPUT,
    how: 'squash',
    async detect(pixels, atLeast) {
      const output = tf.tidy(() =>
        model.execute(tf.tensor4d(new Float32Array(pixels), [1, INPUT.height, INPUT.width, 3]), 'tower_0/detections'),
      );
      try {
        return findings(await output.data(), atLeast);
      } finally {
        output.dispose();
      }
    },
  };
}

function findings(rows, atLeast) {
  const found = [];
  for (let at = 0; at + ROW <= rows.length; at += ROW) {
    const [x1, y1, x2, y2, confidence, label] = rows.subarray(at, at + ROW);
    if (confidence >= atLeast) found.push({ box: [x1, y1, x2, y2], confidence, label });
  }
  return found;
}

/** tfjs would fetch the model over HTTP; it lies in the package. */
async function readArtifacts() {
  const path = (file) => packageFile('@vladmandic', 'human', 'models', file);
  const [text, bytes] = await Promise.all([readFile(path('centernet.json'), 'utf8'), readFile(path('centernet.bin'))]);
  const { format, signature, modelTopology, weightsManifest } = JSON.parse(text);
  return {
    format,
    signature,
    modelTopology,
    weightSpecs: weightsManifest.flatMap(({ weights }) => weights),
    weightData: new Uint8Array(bytes).buffer,
  };
}
