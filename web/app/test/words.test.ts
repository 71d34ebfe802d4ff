// The words: every language says everything, and is told the same; no sentence stands outside of the catalogues.

import { readdirSync, readFileSync } from 'node:fs';
import { createElement } from 'react';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { parseSync } from 'vite';
import { ERRORS } from '../../sdk/src/generated/types';
import { countOf, listOf, numberOf, say, speak, type Language } from '../src/words';
import ar from '../src/words/ar';
import de from '../src/words/de';
import en, { type Catalogue, type Key } from '../src/words/en';
import { sentence } from '../src/words/errors';
import { languageOf, LANGUAGES, localeOf } from '../src/words/languages';
import { listNodes, sayNodes } from '../src/words/nodes';
import { pieces, type Phrase } from '../src/words/phrase';

const CATALOGUES: Record<Language, Catalogue> = { en, de, ar };
const KEYS = Object.keys(en) as Key[];
const forms = (phrase: Phrase): string[] => (typeof phrase === 'string' ? [phrase] : Object.values(phrase));
const names = (phrase: Phrase): string[] => [...new Set(forms(phrase).flatMap((text) => pieces(text).filter((_, i) => i % 2 === 1)))].sort();

beforeEach(() => speak('en', en));
afterAll(() => speak('en', en));

describe.each(Object.keys(LANGUAGES) as Language[])('%s', (language) => {
  const phrases = CATALOGUES[language];
  test('has a phrase for every key and none besides, in the same order', () => {
    expect(Object.keys(phrases)).toEqual(KEYS);
    expect(KEYS.filter((key) => forms(phrases[key]).some((text) => text.trim() === ''))).toEqual([]);
  });
  test('names in each phrase what English names there, and only that', () => {
    expect(KEYS.filter((key) => String(names(phrases[key])) !== String(names(en[key])))).toEqual([]);
  });
  test('has the forms for a count that its grammar has, where there is a count', () => {
    const needed = new Intl.PluralRules(language).resolvedOptions().pluralCategories.toSorted();
    for (const key of KEYS.filter((key) => typeof en[key] !== 'string')) {
      const phrase = phrases[key];
      if (typeof phrase !== 'string') expect([key, Object.keys(phrase).toSorted()]).toEqual([key, needed]);
    }
  });
  test('says every error that a node can answer', () => {
    expect(Object.keys(ERRORS).filter((code) => !(`error.${code}` in phrases))).toEqual([]);
  });
});

test('a count chooses the form of its language, and numbers are written as there', () => {
  const members = (language: Language, locale: string, counts: number[]) => { speak(language, CATALOGUES[language], locale); return counts.map((count) => say('header.members', { count })); };
  expect(members('en', 'en-GB', [1, 2, 1200])).toEqual(['1 member', '2 members', '1,200 members']);
  expect(members('de', 'de-DE', [1, 1200])).toEqual(['1 Mitglied', '1.200 Mitglieder']);
  expect(members('ar', 'ar-EG', [1, 2, 3, 11, 100])).toEqual(['عضو واحد', 'عضوان', '٣ أعضاء', '١١ عضوًا', '١٠٠ عضو']);
  expect([numberOf(7), countOf(120, 99)]).toEqual(['٧', '٩٩+']);
});

test('a key that is not there, and a phrase that is not told what it names, do not compile', () => {
  const calls = [
    // @ts-expect-error no such key
    () => say('nowhere'),
    // @ts-expect-error the name is missing
    () => say('composer.message'),
    // @ts-expect-error it is told what it does not name
    () => say('composer.message', { whom: 'Ann' }),
    // @ts-expect-error a count is a number
    () => say('header.members', { count: 'three' }),
    () => say('composer.message', { name: 'Ann' }),
  ];
  expect(calls.length).toBe(5);
});

test('a name that runs the other way is set off from its sentence, any other stays as it is', () => {
  expect(say('composer.message', { name: 'Ann' })).toBe('Message Ann');
  expect(say('composer.message', { name: 'نور' })).toBe('Message \u2068نور\u2069');
  speak('ar', ar);
  expect(say('composer.message', { name: '#release' })).toBe('رسالة إلى \u2068#release\u2069');
  expect(say('composer.message', { name: 'نور' })).toBe('رسالة إلى نور');
});

test('a sentence of elements has them in their places, and a list joins them as its language does', () => {
  const text = (node: unknown): string => (Array.isArray(node) ? node.map(text).join('') : node !== null && typeof node === 'object' ? text((node as { props: { children: unknown } }).props.children) : String(node ?? ''));
  const [ann, ben, cat] = ['Ann', 'Ben', 'Cat'].map((name) => createElement('b', { key: name }, name));
  expect(text(sayNodes('typing', { names: listNodes([ann, ben]), count: 2 }))).toBe('Ann and Ben are typing');
  speak('de', de);
  expect(text(sayNodes('typing', { names: listNodes([ann]), count: 1 }))).toBe('Ann schreibt');
  expect(text(sayNodes('they.added', { who: ann, whom: listNodes([ben, cat]) }))).toBe('Ann hat Ben und Cat hinzugefügt');
  expect(listOf(['Ann', 'Ben', 'Cat'])).toBe('Ann, Ben und Cat');
});

test('the language is the chosen one, else the first of the browser that there are words in; its region is the browser\'s', () => {
  expect([languageOf('ar', ['de']), languageOf('browser', ['fr-FR', 'de-CH', 'en']), languageOf('browser', ['fr']), languageOf('browser', [])]).toEqual(['ar', 'de', 'en', 'en']);
  expect([localeOf('en', ['de-CH', 'en-GB']), localeOf('ar', ['de'])]).toEqual(['en-GB', 'ar']);
});

test('an error is said by its code; what only the node knows is in its own words', () => {
  speak('de', de);
  expect(sentence({ code: 'name_taken', message: 'that name is taken' })).toBe('Dieser Name ist schon vergeben.');
  expect(sentence({ code: 'bad_request', message: 'limit is 1 to 200' })).toBe('Der Server hat das nicht angenommen: Limit is 1 to 200.');
  expect(sentence({ code: 'of_next_year', message: 'the moon is wrong' })).toBe('The moon is wrong.');
  expect(sentence({})).toBe('Etwas ist schiefgegangen.');
});

test('no sentence stands outside of the catalogues', () => {
  const source = new URL('../src/', import.meta.url);
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((path) => /\.tsx?$/.test(path) && !/^words\/(en|de|ar)\.ts$/.test(path));
  const found = files.flatMap((path) => literals(path, readFileSync(new URL(path, source), 'utf8')).map((text) => `${path}: ${text}`));
  expect(found.filter((each) => !EXEMPT.has(each))).toEqual([]);
});

test('what the search for sentences finds, and what it leaves', () => {
  const sentences = (text: string) => literals('a.tsx', text);
  expect(sentences('const a = <p>Hello you</p>;')).toEqual(['Hello you']);
  expect(sentences('const a = <p title="Close">{x ? "Save" : y}</p>;')).toEqual(['Close', 'Save']);
  expect(sentences('const a = <P label={`Read by ${n}`} />; toast("The link is copied.");')).toEqual(['Read by ', 'The link is copied.']);
  expect(sentences('const a = <p className="flex gap-2" role="log" key="Close">{say("close")} · {n}</p>; throw new Error("outside of the app");')).toEqual([]);
});

/** Said when no catalogue could be loaded; and the product's own name. */
const EXEMPT = new Set([
  'main.tsx: Hubbub could not be loaded. Look at the connection, then reload this page.',
  'screens/SignIn.tsx: Hubbub', 'rooms/Sidebar.tsx: Hubbub',
]);

interface Node { type: string; [field: string]: unknown }

/** Attributes that people read or hear. */
const READ = /^(aria-label|aria-description|title|placeholder|label|hint|alt)$/;
/** Two words or more, the first with a capital letter. */
const SENTENCE = /^[A-Z][\p{L}’']*,? \p{L}/u;
const WORD = /\p{L}{2}/u;

/** Texts in JSX, in attributes that people read, and whatever looks like a sentence elsewhere; not what only programmers see. */
function literals(path: string, text: string): string[] {
  const found: string[] = [];
  const visit = (node: Node, where: 'code' | 'child' | 'read') => {
    const literal = node.type === 'Literal' && typeof node.value === 'string' ? node.value : node.type === 'TemplateElement' ? (node.value as { cooked: string }).cooked : null;
    if (node.type === 'JSXText' && WORD.test(String(node.value))) found.push(String(node.value).trim());
    if (literal !== null && (where === 'code' ? SENTENCE.test(literal) : WORD.test(literal) && !/^[a-z-]+\/[a-z-]+$/.test(literal))) found.push(literal);
    if (node.type === 'ImportDeclaration' || node.type === 'ThrowStatement' || node.type.startsWith('TS')) { if (!/As|NonNull|Satisfies/.test(node.type)) return; }
    if (node.type === 'JSXAttribute') return within(node.value, READ.test((node.name as { name: string }).name) ? 'read' : 'code');
    // What is compared, called or looked up is no text of the page; what it is called with may be a sentence.
    const inside = node.type === 'JSXElement' || node.type === 'JSXFragment' ? 'child' : /^(CallExpression|NewExpression|BinaryExpression|MemberExpression|ArrowFunctionExpression|JSXOpeningElement|ObjectExpression|TaggedTemplateExpression)$/.test(node.type) ? 'code' : where;
    for (const [field, value] of Object.entries(node)) within(value, node.type === 'ConditionalExpression' && field === 'test' ? 'code' : inside);
  };
  const within = (value: unknown, where: 'code' | 'child' | 'read') => {
    if (Array.isArray(value)) for (const each of value) within(each, where);
    else if (value !== null && typeof value === 'object' && 'type' in value) visit(value as Node, where);
  };
  visit(parseSync(path, text).program as unknown as Node, 'code');
  return found;
}
