// What people and imports write becomes the tree they mean, and nothing that runs.

import { expect, test } from 'vitest';
import { linkOf, normalise, parse, pieces, plain } from '../src/markdown/parse';

const types = (text: string, imported = false): string[] => parse(text, imported).children.map((child) => child.type);

test('raw HTML is text', () => {
  const tree = JSON.stringify(parse('<script>alert(1)</script> <b>x</b>', false));
  expect(tree).not.toContain('"html"');
  expect(tree).toContain('<script>');
});

test('links that run something lead nowhere', () => {
  for (const url of ['javascript:alert(1)', 'JaVaScRiPt:alert(1)', ' javascript:1', 'java\nscript:1', 'data:text/html,x', 'vbscript:x', 'java%0Ascript:1', '//evil', 'file:///etc/passwd']) {
    expect(linkOf(url), url).toBeNull();
  }
  expect(linkOf('https://example.org/a')?.href).toBe('https://example.org/a');
  expect(linkOf('http://a.b|label')).toEqual({ href: 'http://a.b', label: 'label' });
});

test('mentions by id, names from imports and channels are told apart', () => {
  const id = '0190a000-0000-7000-8000-00000000aaaa';
  expect(pieces(`<@${id}> and <@Ann> in <#C1|general> ||secret||!`)).toEqual([
    { mention: id }, { text: ' and ' }, { name: '@Ann' }, { text: ' in ' }, { name: '#general' }, { text: ' ' }, { spoiler: 'secret' }, { text: '!' },
  ]);
});

test('a fence that shares its line with text is a block of its own', () => {
  expect(types('look:```one\ntwo```done')).toEqual(['paragraph', 'code', 'paragraph']);
  expect(types('```\nA -&gt; B\n```', true)).toEqual(['code']);
  expect(normalise('```\nA -&gt; B\n```', true)).toContain('A -> B');
  expect(types('```js\nlet a\n```')).toEqual(['code']);
  expect(types('indented\n    is not code')).toEqual(['paragraph']);
});

test('entities of imports are decoded in text and in code', () => {
  expect(JSON.stringify(parse('a -&gt; `b -&gt; c`', true))).not.toContain('&gt;');
  expect(JSON.stringify(parse('`a -&gt; b`', false))).toContain('&gt;');
});

test('labelled links of imports keep their label, and code keeps what looks like one', () => {
  const tree = JSON.stringify(parse('<http://a.b/c_d|the [page]> `<http://a.b|x>`', true));
  expect(tree).toContain('"url":"http://a.b/c_d"');
  expect(tree).toContain('"value":"the [page]"');
  expect(tree).toContain('"value":"<http://a.b|x>"');
});

test('a quote of a text is one plain line', () => {
  expect(plain('**bold** `code`\n<https://a.b|there> &gt;', () => '')).toBe('bold code there >');
});
