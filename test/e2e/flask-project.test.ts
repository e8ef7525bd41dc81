/** A folder of the Flask orchestrator, continued in place: its script, its models, its files, its clients. */
import { execa } from 'execa';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startDemoCamera, type DemoCamera } from '../../src/demo/index.ts';
import type { Detection } from '../../src/types.ts';
import { startTestApp, type TestApp } from '../helpers/app.ts';

const SCRIPT = `
import argparse, json
parser = argparse.ArgumentParser()
for flag in ("--model-name", "--frames", "--output-file"):
    parser.add_argument(flag, required=True)
args = parser.parse_args()
import tinydep
print("noise on stdout")
results = [
    {"frame_path": frame, "detections": [{"label": f"{args.model_name} imports tinydep {tinydep.VERSION}", "confidence": 0.5, "bbox": [1, 2, 3, 4]}], "inference_time_ms": 2}
    for frame in json.loads(args.frames)
]
with open(args.output_file, "w") as file:
    json.dump(results, file)
`;
const OLD_RECORD = {
  basic: { camID: 'CAM-001', Latitude: 37.7749, Longitude: -122.4194, Date: '08/10/2025', timestamp: '16:45:10', IP: '127.0.1.1', complaint_type: { stray_animal: 1, pothole: 0 }, frame_base64: 'AAAA' },
  stray_animal: { detections: [{ class: 'dog', confidence: 0.89, box: [120, 240, 180, 300] }] },
  pothole: null,
};

let project: string;
let camera: DemoCamera;
let lookout: TestApp;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'lookout-flask-'));
  await writeFile(join(project, 'run_inference.py'), SCRIPT);
  await writeFile(join(project, 'camera_data.csv'), 'cameraID,latitude,longitude\nCAM-001,37.7749,-122.4194\n\n\nCAM-004,24.5,81.3\r\n');
  await writeFile(join(project, 'predictions.json'), JSON.stringify([OLD_RECORD], null, 2));
  const makeWheel = fileURLToPath(new URL('../fixtures/packages/make_wheel.py', import.meta.url));
  for (const [model, version] of [['animals', '1.0'], ['cracks', '2.0']] as const) {
    await execa('/usr/bin/python3', [makeWheel, join(project, 'wheels'), 'tinydep', version]);
    await mkdir(join(project, 'models', model), { recursive: true });
    await writeFile(join(project, 'models', model, `requirements_${model}.txt`), `--no-index\n--find-links ${join(project, 'wheels')}\ntinydep==${version}\n`);
  }
  camera = await startDemoCamera({ cameras: { street: { kind: 'scene', keyframe_seconds: 0.5 } } }, new AbortController().signal);
  lookout = await startTestApp({ project }, project);
});

afterAll(async () => {
  await lookout.close();
  await camera.close();
  await rm(project, { recursive: true, force: true });
});

it('runs the old script for two models whose packages differ, and writes both into one record', async () => {
  await lookout.post('/start_stream', { rtsp_url: camera.url('street'), camera_id: 'CAM-004', model_name: ['animals', 'cracks'], interval_seconds: 0.5 });
  const [record] = await lookout.records('CAM-004', 1, 90_000);
  expect(record).toMatchObject({
    basic: { camID: 'CAM-004', Latitude: 24.5, Longitude: 81.3, complaint_type: { stray_animal: 1, pothole: 0 } },
    pothole: null,
    models: { animals: { runtime: 'python', error: null }, cracks: { runtime: 'python', error: null } },
  });
  const classes = (section: unknown): string[] => [...new Set((section as { detections: Detection[] }).detections.map((one) => one.class))];
  expect(classes(record?.stray_animal)).toEqual(['animals imports tinydep 1.0']);
  expect(classes(record?.cracks)).toEqual(['cracks imports tinydep 2.0']);
});

it('goes on with the old records, which stay to the letter', async () => {
  const text = await readFile(join(project, 'predictions.json'), 'utf8');
  expect(text.startsWith(JSON.stringify([OLD_RECORD], null, 2).replace(/\s*\]$/, ''))).toBe(true);
  const records = JSON.parse(text) as unknown[];
  expect(records.length).toBeGreaterThanOrEqual(2);
  expect(records[0]).toEqual(OLD_RECORD);
});

it('serves the old camera table as it stands', async () => {
  expect(await (await fetch(`${lookout.url}/api/cameras`)).json()).toEqual({
    cameras: [
      { cameraID: 'CAM-001', latitude: '37.7749', longitude: '-122.4194' },
      { cameraID: 'CAM-004', latitude: '24.5', longitude: '81.3' },
    ],
  });
});
