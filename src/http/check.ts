/** Checks values against the schemas that /openapi.json publishes, with every fault named in words. */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { LookoutError } from '../errors.ts';
import type { Schema } from './openapi-schemas.ts';

/** A function that throws bad_request unless its value fits. A server that starts does not wait for the schema to be compiled. */
export function checker(schema: Schema): (value: unknown) => void {
  let validate: ValidateFunction | null = null;
  return (value) => {
    validate ??= new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile(schema);
    if (validate(value)) return;
    const faults = (validate.errors ?? []).map(inWords);
    throw new LookoutError('bad_request', `${[...new Set(faults)].join('; ')}.`);
  };
}

function inWords({ instancePath, keyword, params, message }: ErrorObject): string {
  const where = instancePath.slice(1).replaceAll('/', '.') || 'The body';
  if (keyword === 'enum') return `${where} must be one of ${(params['allowedValues'] as unknown[]).join(', ')}`;
  if (keyword === 'additionalProperties') return `${where} does not know "${String(params['additionalProperty'])}"`;
  return `${where} ${message ?? 'is not valid'}`;
}
