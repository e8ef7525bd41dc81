import { describe, expect, it } from 'vitest';
import { createLog, type LogOptions } from '../../src/lib/log.ts';

describe('the log', () => {
  const lines = (options: Partial<LogOptions>): { readonly written: string[]; readonly log: ReturnType<typeof createLog> } => {
    const written: string[] = [];
    return { written, log: createLog({ level: 'info', format: 'text', write: (line) => written.push(line), ...options }) };
  };

  it('writes a line for an event: time, level, part, message, facts', () => {
    const { written, log } = lines({});
    log.part('stream').warn('CAM-1: gone', { reason: 'the stream ended', tries: 3, nothing: undefined, word: 'plain' });
    expect(written).toEqual([expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z warn  stream: CAM-1: gone reason="the stream ended" tries=3 word=plain\n$/)]);
  });

  it('writes JSON when it is asked to', () => {
    const { written, log } = lines({ format: 'json' });
    log.error('broken', { code: 7 });
    expect(JSON.parse(written.join(''))).toEqual({ time: expect.stringMatching(/Z$/) as string, level: 'error', part: 'lookout', message: 'broken', code: 7 });
  });

  it.each([['error', 1], ['warn', 2], ['info', 3], ['debug', 4]] as const)('at level %s writes %i of four', (level, count) => {
    const { written, log } = lines({ level });
    for (const each of ['error', 'warn', 'info', 'debug'] as const) log[each](each);
    expect(written).toHaveLength(count);
  });

  it.each(['text', 'json'] as const)('writes as %s nothing that a terminal obeys, and one line, whatever others said', (format) => {
    const { written, log } = lines({ format });
    const said = 'seer\u001b]52;c;cHduZWQ=\u0007\u009b2J\u007f\u2028\n2026-01-01T00:00:00.000Z info  http: all is well';
    log.part('model').warn(said, { word: said.slice(0, 30).replace(' ', ''), list: [said] });
    expect(written.join('')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]|\n./);
    if (format === 'json') expect(JSON.parse(written.join(''))).toMatchObject({ message: said, list: [said] });
  });

  it.each(['text', 'json'] as const)('hides credentials in message and facts as %s, however deep they lie', (format) => {
    const { written, log } = lines({ format });
    log.info('open rtsp://u:secret@h/x', { url: 'rtsp://u:secret@h/x', errors: { motion: { message: 'no rtsp://u:secret@h/x' } }, list: ['rtsp://u:secret@h/x'] });
    expect(written.join('')).not.toContain('secret');
    expect(written.join('').match(/rtsp:\/\/\*\*\*@h\/x/g)).toHaveLength(4);
  });
});
