/** Checks values against the schemas that /openapi.json publishes, with every fault named in words. */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { LookoutError } from '../errors.ts';
import { joinFaults } from '../lib/faults.ts';
import { shorten } from '../lib/shorten.ts';
import type { Schema } from './openapi-schemas.ts';

/** The schemas are Lookout's own. */
const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true, validateSchema: false });

/** A function that throws bad_request unless its value fits. A server that starts does not wait for the schema to be compiled. */
export function checker(schema: Schema): (value: unknown) => void {
  let validate: ValidateFunction | null = null;
  return (value) => {
    validate ??= ajv.compile(schema);
    if (validate(value)) return;
    throw new LookoutError('bad_request', `${joinFaults([...new Set((validate.errors ?? []).map(inWords))])}.`);
  };
}

function inWords({ instancePath, keyword, params, message }: ErrorObject): string {
  const where = shorten(instancePath.slice(1).replaceAll('/', '.'), 200) || 'The body';
  if (keyword === 'enum') return `${where} must be one of ${(params['allowedValues'] as unknown[]).join(', ')}`;
  if (keyword === 'additionalProperties') return `${where} does not know "${shorten(String(params['additionalProperty']), 50)}"`;
  return `${where} ${message ?? 'is not valid'}`;
}
