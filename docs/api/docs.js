// Draws the node's own openapi.json and asyncapi.json. Builds elements, never markup from text; sends nothing anywhere.

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

/** An element with its attributes and children; texts become text nodes. */
function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children.flat().filter((child) => child !== undefined && child !== ''));
  return element;
}

/** Text in which `code` is code. */
function words(text = '') {
  return text.split('`').map((part, index) => (index % 2 ? el('code', {}, part) : part));
}

const named = (reference) => reference.split('/').at(-1);

/** A schema in a few words, with links to the types it names. */
function type(schema = {}) {
  if (schema.$ref) return [el('a', { href: `#type-${named(schema.$ref)}` }, named(schema.$ref))];
  if (schema.items) return ['list of ', ...type(schema.items)];
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.flatMap((choice, index) => [...(index ? [' or '] : []), ...type(choice)]);
  if (schema.enum) return [schema.enum.map((word) => JSON.stringify(word)).join(' or ')];
  if ('const' in schema) return [JSON.stringify(schema.const)];
  return [[schema.format ?? schema.type ?? 'anything'].flat().join(' or ')];
}

function fields(schema) {
  const required = schema.required ?? [];
  const properties = schema.properties ?? {};
  const names = [...required.filter((name) => name in properties), ...Object.keys(properties).filter((name) => !required.includes(name))];
  if (names.length === 0) return el('p', { class: 'none' }, 'No fields.');
  const rows = names.map((name) =>
    el('tr', {},
      el('td', {}, el('code', {}, name), required.includes(name) ? '' : ' ?'),
      el('td', { class: 'type' }, type(properties[name])),
      el('td', {}, words(properties[name].description))));
  return el('table', {}, el('tbody', {}, rows));
}

/** What a value of the schema could look like. */
function example(schema, all, depth = 0) {
  if (schema.$ref) return depth > 5 ? {} : example(all[named(schema.$ref)], all, depth + 1);
  if ('const' in schema) return schema.const;
  if (schema.enum) return schema.enum[0];
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) return example(choices.find((choice) => choice.properties?.message) ?? choices[0], all, depth + 1);
  if (schema.items) return depth > 4 ? [] : [example(schema.items, all, depth + 1)];
  if (schema.properties) {
    const required = schema.required ?? Object.keys(schema.properties);
    return Object.fromEntries(required.map((name) => [name, example(schema.properties[name], all, depth + 1)]));
  }
  if (schema.format === 'uuid') return '01937b2c-4e5f-7a6b-8c7d-9eafb0c1d210';
  return { integer: 1, number: 1, boolean: true, string: 'text', object: {}, array: [] }[schema.type] ?? null;
}

function shown(schema, all) {
  return el('details', {}, el('summary', {}, 'Example'), el('pre', { tabindex: '0' }, JSON.stringify(example(schema, all), null, 2)));
}

/** One entry: what it is called, what it is for, and the rest. */
function entry(id, title, about, ...rest) {
  const heading = el('h3', {}, el('a', { href: `#${id}` }, ...title));
  return el('article', { id }, heading, about ? el('p', {}, words(about)) : '', ...rest);
}

function operation(path, method, spec, shared, api) {
  const parameters = [...shared, ...(spec.parameters ?? [])].map((p) => (p.$ref ? api.components.parameters[named(p.$ref)] : p));
  const body = spec.requestBody?.content['application/json'].schema;
  const answer = Object.entries(spec.responses).find(([status]) => status.startsWith('2'));
  const schema = answer?.[1].content?.['application/json'].schema;
  const refused = Object.values(spec.responses).filter((response) => response.$ref).map((response) => api.components.responses[named(response.$ref)]);
  const rows = parameters.map((p) =>
    el('tr', {}, el('td', {}, el('code', {}, p.name), p.required ? '' : ' ?'), el('td', { class: 'type' }, `${p.in}, `, type(p.schema)), el('td', {}, words(p.description))));
  const title = [el('span', { class: `method ${method}` }, method.toUpperCase()), ' ', el('span', { class: 'path' }, path)];
  return entry(`rest-${spec.operationId}`, title, spec.summary,
    spec.security?.length === 0 ? el('span', { class: 'mark' }, 'without signing in') : '',
    spec.description ? el('p', {}, words(spec.description)) : '',
    rows.length ? [el('h4', {}, 'Parameters'), el('table', {}, el('tbody', {}, rows))] : [],
    body ? [el('h4', {}, 'Body'), el('p', { class: 'type' }, type(body)), shown(body, api.components.schemas)] : [],
    el('h4', {}, `Answer ${answer?.[0] ?? ''}`),
    schema ? [el('p', { class: 'type' }, type(schema)), shown(schema, api.components.schemas)] : el('p', { class: 'none' }, 'No body.'),
    el('details', {}, el('summary', {}, 'May refuse with'),
      el('ul', { class: 'codes' }, refused.flatMap((r) => r.description.split('\n')).map((line) => el('li', {}, words(line.replace(/^- /, '')))))));
}

function restSections(api) {
  return api.tags.map((tag) => {
    const entries = Object.entries(api.paths).flatMap(([path, item]) =>
      METHODS.filter((method) => item[method]?.tags.includes(tag.name)).map((method) => operation(path, method, item[method], item.parameters ?? [], api)));
    return section(`REST: ${tag.name}`, tag.description, entries);
  });
}

function socketSection(title, about, side, api) {
  const { messages, schemas } = api.components;
  const entries = Object.entries(messages).filter(([name]) => name.startsWith(`${side}.`)).map(([name, message]) => {
    const body = Object.values(message.payload.properties)[0];
    const schema = body.$ref ? schemas[named(body.$ref)] : body;
    return entry(`socket-${name}`, [el('span', { class: 'path' }, message.name)], message.summary, fields(schema), shown(message.payload, schemas));
  });
  return section(title, about, entries);
}

function typeSection(all) {
  const entries = Object.entries(all).sort(([a], [b]) => a.localeCompare(b)).map(([name, schema]) => {
    const union = schema.oneOf?.some((variant) => variant.properties);
    const body = union
      ? el('table', {}, el('tbody', {}, schema.oneOf.map((variant) => {
          const [tag, value] = variant.properties ? Object.entries(variant.properties)[0] : [variant.const, undefined];
          const inner = value && !value.$ref && Object.keys(value.properties ?? {}).join(', ');
          return el('tr', {}, el('td', {}, el('code', {}, tag)), el('td', { class: 'type' }, value?.$ref ? type(value) : (inner ?? 'the word alone')), el('td', {}, words(variant.description)));
        })))
      : schema.properties ? fields(schema) : el('p', { class: 'type' }, type(schema));
    return entry(`type-${name}`, [el('span', { class: 'path' }, name)], schema.description, body);
  });
  return section('Types', 'What requests, answers and events are made of. A field with ? may be left out.', entries);
}

function section(title, about, entries) {
  return el('section', { 'aria-label': title }, el('h2', {}, title), about ? el('p', {}, words(about)) : '', entries);
}

/** The contents on the left follow from what was drawn. */
function contents(sections) {
  return sections.flatMap((drawn) => {
    const links = [...drawn.querySelectorAll('article')].map((article) => el('a', { href: `#${article.id}` }, article.querySelector('h3').textContent.replace('/v1/', '/')));
    return [el('h2', {}, drawn.getAttribute('aria-label')), ...links];
  });
}

/** Leaves what has the word in it. */
function narrow(word) {
  const wanted = word.trim().toLowerCase();
  for (const article of document.querySelectorAll('article')) {
    article.hidden = wanted !== '' && !article.textContent.toLowerCase().includes(wanted);
    const link = document.querySelector(`nav a[href="#${CSS.escape(article.id)}"]`) ?? [...document.querySelectorAll('nav a')].find((a) => a.hash === `#${article.id}`);
    if (link) link.hidden = article.hidden;
  }
  for (const drawn of document.querySelectorAll('main > section')) drawn.hidden = ![...drawn.querySelectorAll('article')].some((article) => !article.hidden);
}

async function read(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

const page = document.getElementById('content');
try {
  const [rest, socket] = await Promise.all([read('/openapi.json'), read('/asyncapi.json')]);
  const sections = [
    section('REST', rest.info.description.replaceAll('\n\n', ' '), []),
    ...restSections(rest),
    section('Socket', socket.info.description.replaceAll('\n\n', ' '), []),
    socketSection('Socket: a client says', 'One object with one key, the event\'s name.', 'client', socket),
    socketSection('Socket: a node says', 'Ignore what you do not know.', 'node', socket),
    typeSection({ ...socket.components.schemas, ...rest.components.schemas }),
  ];
  page.replaceChildren(...sections);
  document.getElementById('contents').append(...contents(sections.filter((drawn) => drawn.querySelector('article'))));
  document.getElementById('find').addEventListener('input', (event) => narrow(event.target.value));
  if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
} catch (error) {
  page.replaceChildren(el('p', {}, `The documents could not be read: ${error.message}. Reload the page.`));
}
