/** What stands in a record: golden texts of the three formats, the section rules, and times. */
import { describe, expect, it } from 'vitest';

import { chooseSnapshot, enrich } from '../../src/record/enrich.ts';
import { checkRecord } from '../../src/record/schema.ts';
import type { BatchRecord } from '../../src/types.ts';
import { answer, batchOf, dog, failure, fog, input, person, skipped } from './parts.ts';

const ANIMALS = { animals: 'stray_animal' };
const settings = (record_format: 'v1' | 'v2' | 'v3', time_zone = 'UTC') => ({ record_format, record_when: null, time_zone });

const BATCH = `"batch":{"id":"CAM-1_0a1b2c3d-20260701T120000250000Z","session":"CAM-1_0a1b2c3d","closed_by":"count",\
"started_at":"2026-07-01T14:00:00.250+02:00","ended_at":"2026-07-01T14:00:03.250+02:00","frames":[\
{"index":0,"captured_at":"2026-07-01T14:00:00.250+02:00","file":"CAM-1_0a1b2c3d/CAM-1_20260701T120000250000Z.jpg","width":640,"height":360},\
{"index":1,"captured_at":"2026-07-01T14:00:03.250+02:00","file":"CAM-1_0a1b2c3d/CAM-1_20260701T120003250000Z.jpg","width":640,"height":360}],\
"snapshot":{"index":0,"width":640,"height":360}},\
"models":{"animals":{"version":"1.0.0","runtime":"node","detector":"centernet","fingerprint":"f00d","code":"c0de","inference_ms":12,"error":null,"looked":2,"skipped":[]}}`;
const DOG = '{"class":"dog","confidence":0.8765,"box":[10,20.5,110,220],"frame":1}';

describe('golden records', () => {
  const text = (record_format: 'v1' | 'v2' | 'v3') =>
    JSON.stringify(enrich(input({ animals: answer([], [dog]) }, ANIMALS, { settings: settings(record_format, 'Europe/Berlin') })));

  it('v1 are nested like the Flask orchestrator\'s, and then say what those lack', () => {
    expect(text('v1')).toBe(
      '{"basic":{"camID":"CAM-1","Latitude":26.4499,"Longitude":80.3319,"Date":"01/07/2026","timestamp":"14:00:00","IP":"192.0.2.1",' +
      `"complaint_type":{"stray_animal":1,"pothole":0},"frame_base64":"/9j/2Q=="},"stray_animal":{"detections":[${DOG}]},"pothole":null,"schema_version":1,${BATCH}}`,
    );
  });

  it('v2 are flat', () => {
    expect(text('v2')).toBe(
      '{"camID":"CAM-1","Latitude":26.4499,"Longitude":80.3319,"Date":"01/07/2026 14:00:00","IP":"192.0.2.1",' +
      `"complaint_type":{"stray_animal":[${DOG}],"pothole":0},"frame_base64":"/9j/2Q==","schema_version":2,${BATCH}}`,
    );
  });

  it('v3 are flat with three lists', () => {
    expect(text('v3')).toBe(
      '{"camID":"CAM-1","Latitude":26.4499,"Longitude":80.3319,"Date":"01/07/2026 14:00:00","IP":"192.0.2.1",' +
      `"complaint_type":{"stray_animal":[${DOG}],"pothole":[],"garbage":[]},"frame_base64":"/9j/2Q==","schema_version":3,${BATCH}}`,
    );
  });
});

describe('a golden record of everything that findings may say', () => {
  const PERSON = '{"class":"person","confidence":0.75,"box":[10,20.5,110,220],"frame":0,"track":"p-7","polygon":[[10,20.5],[110,20.5],[110,220]],' +
    '"mask":{"size":[4,5],"counts":[6,2,2,2,8]},"keypoints":[{"x":50,"y":40.25,"confidence":0.5,"name":"nose"},{"x":55,"y":60}],' +
    '"attributes":{"colour":"red","bags":2,"running":true},"embedding":[0.125,-3],"extra":{"plate":["AB",null],"sure":false}}';
  const FOG = '{"class":"fog","confidence":0.9,"frame":1}';
  const made = (record_format: 'v1' | 'v2' | 'v3', section: string | null) =>
    enrich(input({ scene: answer([person], [fog]) }, { scene: section }, { settings: settings(record_format) }));

  it.each(['v1', 'v2', 'v3'] as const)('holds all of it in %s, in a section, in a complaint, and as its schema says', (format) => {
    for (const section of [null, 'pothole']) {
      const record = made(format, section);
      expect(JSON.stringify(record)).toContain(`[${PERSON},${FOG}]`);
      expect(() => { checkRecord(JSON.parse(JSON.stringify(record)) as BatchRecord); }).not.toThrow();
    }
  });

  it('says beside it which model it came from where two share a section', () => {
    const shared = enrich(input({ scene: answer([person], []), other: answer([fog], []) }, { scene: 'x', other: 'x' }));
    expect(shared?.['x']).toMatchObject({ detections: [{ track: 'p-7', frame: 0, model: 'scene' }, { class: 'fog', frame: 0, model: 'other' }] });
    expect(() => { checkRecord(shared as BatchRecord); }).not.toThrow();
  });

  it('shows nothing else that an answer may carry', () => {
    const more = { ...fog, mood: 'bad', frame: 9 };
    expect(enrich(input({ scene: answer([more], []) }, { scene: null }))?.['scene']).toEqual({ detections: [{ ...fog, frame: 0 }] });
  });
});

describe('sections of v1', () => {
  const sections = (...given: Parameters<typeof input>) => {
    const record = enrich(input(...given));
    if (record === null) throw new Error('v1 records every batch');
    const { basic, models, ...rest } = record;
    const facts = new Set(['schema_version', 'batch']);
    return {
      complaint: (basic as { complaint_type: unknown }).complaint_type,
      errors: Object.values(models).map(({ error }) => error?.code ?? null),
      ...(Object.fromEntries(Object.entries(rest).filter(([name]) => !facts.has(name))) as { stray_animal: unknown }),
    };
  };
  const boxed = { class: 'dog', confidence: 0.8765, box: [10, 20.5, 110, 220] };

  it('are null with complaint 0 when no model was asked', () => {
    expect(sections({ motion: answer([dog], []) }, { motion: null })).toEqual({
      complaint: { stray_animal: 0, pothole: 0 }, errors: [null], stray_animal: null, pothole: null, motion: { detections: [{ ...boxed, frame: 0 }] },
    });
  });

  it('are empty with complaint 0 when nothing was found', () => {
    expect(sections({ animals: answer([], []) }, ANIMALS)).toMatchObject({ complaint: { stray_animal: 0 }, stray_animal: { detections: [] } });
  });

  it('say the error with complaint null when the model failed', () => {
    expect(sections({ animals: failure() }, ANIMALS)).toEqual({
      complaint: { stray_animal: null, pothole: 0 }, errors: ['runner_failed'], pothole: null,
      stray_animal: { detections: [], error: { code: 'runner_failed', message: 'took too long' } },
    });
  });

  it('name the frames that could not be read, and count what was found in the others', () => {
    expect(sections({ animals: answer('torn', [dog]) }, ANIMALS)).toMatchObject({
      complaint: { stray_animal: 1 }, errors: [null],
      stray_animal: { detections: [{ ...boxed, frame: 1 }], frame_errors: [{ frame: 0, message: 'torn' }] },
    });
  });

  it('count a model that could read no frame as failed, never as having found nothing', () => {
    expect(sections({ animals: answer('torn', 'torn too') }, ANIMALS)).toMatchObject({
      complaint: { stray_animal: null }, errors: ['bad_frame'],
      stray_animal: { detections: [], error: { code: 'bad_frame', message: 'torn' }, frame_errors: [{ frame: 0 }, { frame: 1 }] },
    });
  });

  it('that two models share say which model each thing came from', () => {
    const shared = { animals: 'stray_animal', yolo: 'stray_animal' };
    expect(sections({ animals: answer([dog], []), yolo: answer('torn', [dog]) }, shared).stray_animal).toEqual({
      detections: [{ ...boxed, frame: 0, model: 'animals' }, { ...boxed, frame: 1, model: 'yolo' }],
      frame_errors: [{ frame: 0, message: 'torn', model: 'yolo' }],
    });
  });

  it('that two models share keep what one found when the other failed', () => {
    const shared = { animals: 'stray_animal', yolo: 'stray_animal' };
    const error = { code: 'runner_failed', message: 'took too long', model: 'yolo' };
    expect(sections({ animals: answer([dog], []), yolo: failure() }, shared)).toMatchObject({
      complaint: { stray_animal: 1 }, errors: [null, 'runner_failed'], stray_animal: { detections: [{ model: 'animals' }], error },
    });
    expect(sections({ animals: answer([], []), yolo: failure() }, shared)).toMatchObject({
      complaint: { stray_animal: null }, stray_animal: { detections: [], error },
    });
  });

  it('of other names follow the two that are always there, with a complaint when a model names them', () => {
    const record = enrich(input({ garbage: answer([dog], []), objects: answer([], []), potholes: answer([], []) }, { garbage: 'garbage', objects: null, potholes: 'pothole' }));
    expect(Object.keys(record ?? {})).toEqual(['basic', 'stray_animal', 'pothole', 'garbage', 'objects', 'schema_version', 'batch', 'models']);
    expect(record?.basic).toMatchObject({ complaint_type: { stray_animal: 0, pothole: 0, garbage: 1 } });
  });

  it.each(['basic', 'batch', 'models', 'schema_version'])('cannot be named %s', (name) => {
    expect(() => enrich(input({ [name]: answer([], []) }))).toThrow(`a model's section cannot be named ${name}`);
  });
});

describe('complaints of v2 and v3', () => {
  const make = (format: 'v2' | 'v3', ...[answers, models]: Parameters<typeof input>) => enrich(input(answers, models, { settings: settings(format) }));

  it('are lists for what was asked, and pothole is 0 in v2 when it was not', () => {
    const asked = { animals: answer([], []), potholes: answer([dog], []) };
    const named = { ...ANIMALS, potholes: 'pothole' };
    expect(make('v2', asked, named)?.['complaint_type']).toMatchObject({ stray_animal: [], pothole: [{ class: 'dog', frame: 0 }] });
    expect(make('v2', { animals: answer([dog], []) }, ANIMALS)?.['complaint_type']).toMatchObject({ pothole: 0 });
    expect(make('v3', asked, named)?.['complaint_type']).toMatchObject({ stray_animal: [], pothole: [{}], garbage: [] });
  });

  it.each(['v2', 'v3'] as const)('are null in %s where the model failed, and keep what another of the section found', (format) => {
    const named = { ...ANIMALS, yolo: 'stray_animal', potholes: 'pothole', trees: 'fallen_tree' };
    const failed = make(format, { animals: failure(), potholes: answer('torn', 'torn'), trees: failure() }, named);
    expect(failed?.['complaint_type']).toMatchObject({ stray_animal: null, pothole: null, fallen_tree: null });
    expect(make(format, { animals: failure(), yolo: answer([], []) }, named)?.['complaint_type']).toMatchObject({ stray_animal: null });
    expect(make(format, { animals: failure(), yolo: answer([dog], []) }, named)?.['complaint_type']).toMatchObject({ stray_animal: [{ class: 'dog', model: 'yolo' }] });
  });

  it('leave models without a section their own field, before batch and models', () => {
    const record = make('v2', { motion: answer([dog], []) }, { motion: null });
    expect(Object.keys(record ?? {}).slice(-5)).toEqual(['frame_base64', 'motion', 'schema_version', 'batch', 'models']);
    expect(() => make('v2', { IP: answer([dog], []) }, { IP: null })).toThrow('cannot be named IP');
  });
});

describe('record_when', () => {
  const when = (record_when: 'found' | 'always' | null, format: 'v1' | 'v3', ...answers: ReturnType<typeof answer>[]): BatchRecord | null =>
    enrich(input(Object.fromEntries(answers.map((one, index) => [`m${index}`, one])), {}, { settings: { ...settings(format), record_when } }));

  it('found leaves out batches in which every model worked and found nothing', () => {
    expect(when('found', 'v1', answer([], []))).toBeNull();
    expect(when('found', 'v1', answer([], []), answer([], [dog]))).not.toBeNull();
    expect(when('found', 'v1', answer([], []), failure())).not.toBeNull();
    expect(when('found', 'v1', answer('torn', 'torn'))).not.toBeNull();
    expect(when('found', 'v1', answer('torn', []))).not.toBeNull();
  });

  it('found takes no overload for a failure, but every other reason for which a model did not look', () => {
    expect(when('found', 'v1', answer([], []), skipped('overloaded', 'late'))).toBeNull();
    for (const reason of ['resting', 'not_ready', 'quarantined'] as const) {
      expect(when('found', 'v1', answer([], []), skipped(reason, reason)), reason).not.toBeNull();
      expect(when('found', 'v1', [...answer([]), ...skipped(reason)]), reason).not.toBeNull();
    }
  });

  it('is always by default, and found with v3', () => {
    expect(when(null, 'v1', answer([], []))).not.toBeNull();
    expect(when(null, 'v3', answer([], []))).toBeNull();
    expect(when('always', 'v3', answer([], []))).not.toBeNull();
  });
});

describe('times', () => {
  const at = (captured_at: string, zone: string, snapshot: 0 | 1 | null = 0) => {
    const record = enrich(input({ animals: answer([], []) }, ANIMALS, {
      batch: batchOf(['animals'], captured_at), settings: settings('v1', zone),
      snapshot: snapshot === null ? null : { index: snapshot, width: 1, height: 1, jpeg: new Uint8Array() },
    }));
    const { Date: date, timestamp } = record?.basic as Record<string, string>;
    return [date, timestamp, record?.batch.started_at, record?.batch.ended_at];
  };

  it('follow the zone over the start of summer time', () => {
    expect(at('2026-03-29T00:59:58.000Z', 'Europe/Berlin')).toEqual([
      '29/03/2026', '01:59:58', '2026-03-29T01:59:58.000+01:00', '2026-03-29T03:00:01.000+02:00',
    ]);
  });

  it('stay unambiguous over its end, when an hour comes twice', () => {
    expect(at('2026-10-25T00:59:58.000Z', 'Europe/Berlin', 1)).toEqual([
      '25/10/2026', '02:00:01', '2026-10-25T02:59:58.000+02:00', '2026-10-25T02:00:01.000+01:00',
    ]);
  });

  it.each([
    ['Asia/Kolkata', '2026-12-31T18:30:00.005Z', '01/01/2027', '00:00:00', '2027-01-01T00:00:00.005+05:30'],
    ['America/St_Johns', '2026-01-01T03:29:59.999Z', '31/12/2025', '23:59:59', '2025-12-31T23:59:59.999-03:30'],
    ['UTC', '2026-01-01T00:00:00.000Z', '01/01/2026', '00:00:00', '2026-01-01T00:00:00.000+00:00'],
  ])('are right in %s', (zone, captured_at, date, time, started_at) => {
    expect(at(captured_at, zone).slice(0, 3)).toEqual([date, time, started_at]);
  });

  it('are the first frame\'s when there is no snapshot', () => {
    expect(at('2026-01-01T00:00:00.000Z', 'UTC', null).slice(0, 2)).toEqual(['01/01/2026', '00:00:00']);
  });

  it('name the same moment in the host\'s own zone', () => {
    expect(Date.parse(at('2026-05-05T05:05:05.055Z', 'system')[2] ?? '')).toBe(Date.parse('2026-05-05T05:05:05.055Z'));
  });
});

describe('the snapshot', () => {
  const unsure = { ...dog, confidence: 0.4 };

  it('is the first frame, that of the surest detection, or none', () => {
    const answers = { animals: answer([unsure], []), yolo: answer([], [dog]) };
    const batch = batchOf(['animals', 'yolo']);
    expect(chooseSnapshot(batch, answers, 'first')).toBe(0);
    expect(chooseSnapshot(batch, answers, 'best')).toBe(1);
    expect(chooseSnapshot(batch, answers, 'none')).toBeNull();
  });

  it('is of the surest finding also when that has no box', () => {
    expect(chooseSnapshot(batchOf(['scene']), { scene: answer([dog], [fog]) }, 'best')).toBe(1);
  });

  it('is the first frame when nothing was found or every model failed', () => {
    expect(chooseSnapshot(batchOf(['a', 'b']), { a: answer([], []), b: failure() }, 'best')).toBe(0);
  });

  it('is an empty text in the record when there is none', () => {
    const record = enrich(input({ animals: answer([], []) }, ANIMALS, { snapshot: null, host_ip: null }));
    expect(record?.basic).toMatchObject({ frame_base64: '', IP: null });
    expect(record?.batch.snapshot).toBeNull();
  });
});
