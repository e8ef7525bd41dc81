/** Shows openapi.json as a page: every operation with its parameters, body and answers. */
import { ask, element, setText } from './dom.js';

const summary = document.querySelector('#summary');
const api = await ask('openapi.json').catch((error) => {
  setText(summary, error.message);
  return null;
});
if (api !== null) showAll();

function showAll() {
  setText(summary, `${api.info.version} · ${api.info.description}`);
  const operations = Object.entries(api.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, operation })));
  const tags = [...new Set(operations.map(({ operation }) => operation.tags[0]))];
  document.querySelector('#doc').replaceChildren(
    ...tags.map((tag) => element('section', {}, element('h2', { textContent: tag }), ...operations.filter(({ operation }) => operation.tags[0] === tag).map(show))),
  );
}

function show({ path, method, operation }) {
  return element('details', { className: 'item operation' },
    element('summary', {}, element('span', { className: 'method', textContent: method.toUpperCase() }), element('code', { textContent: path }), element('span', { className: 'quiet', textContent: `  ${operation.summary}` })),
    ...(operation.parameters ? [heading('Parameters'), element('ul', {}, ...operation.parameters.map(parameter))] : []),
    ...(operation.requestBody ? [heading('Takes'), ...content(operation.requestBody.content)] : []),
    heading('Answers'),
    ...Object.entries(operation.responses).flatMap(([status, answer]) => [
      element('p', {}, element('b', { textContent: status }), ` ${answer.description}`),
      // What every route may refuse looks the same everywhere.
      ...(Number(status) < 400 ? content(answer.content ?? {}) : []),
    ]));
}

function heading(text) {
  return element('h4', { textContent: text });
}

function parameter({ name, in: where, description, schema }) {
  return element('li', {}, element('code', { textContent: name }), ` (${where}, ${schema.type}${'default' in schema ? `, default ${schema.default}` : ''}): ${description}`);
}

function content(types) {
  return Object.entries(types).flatMap(([type, { schema }]) => [
    element('p', { className: 'hint', textContent: type }),
    ...(type.includes('json') || type.includes('form') ? [element('pre', {}, element('code', { textContent: JSON.stringify(resolve(schema), null, 2) }))] : []),
  ]);
}

/** With references replaced by what they refer to: a schema of the document, or a definition of the schema that they stand in. No schema of ours refers to itself. */
function resolve(value, definitions = {}) {
  if (Array.isArray(value)) return value.map((item) => resolve(item, definitions));
  if (value === null || typeof value !== 'object') return value;
  if (typeof value.$ref === 'string') {
    const name = value.$ref.split('/').at(-1);
    return resolve(value.$ref.startsWith('#/$defs/') ? definitions[name] : api.components.schemas[name], definitions);
  }
  const { $defs = definitions, ...rest } = value;
  return Object.fromEntries(Object.entries(rest).map(([key, item]) => [key, resolve(item, $defs)]));
}
