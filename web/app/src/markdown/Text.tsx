// A message's text on the page: Markdown nodes as React elements, never HTML from a string. Each block runs in its own direction.

import type { Nodes, PhrasingContent, RootContent } from 'mdast';
import { Fragment, memo, useState, type ReactNode } from 'react';
import { Icon } from '../components/Icon';
import { PersonName } from '../components/PersonName';
import { linkOf, parse, pieces } from './parse';
import { say } from '../words';

export const Text = memo(function Text({ text, imported, me }: { text: string; imported: boolean; me: string }) {
  const emoji = /^(?:\p{Extended_Pictographic}[\u{1F3FB}-\u{1F3FF}\uFE0F\u200D]*\s*){1,3}$/u.test(text);
  if (emoji) return <p className="text-4xl leading-tight">{text}</p>;
  return <div className="markdown">{all(parse(text, imported).children, me)}</div>;
});

const all = (nodes: readonly Nodes[], me: string): ReactNode => nodes.map((node, i) => <Fragment key={i}>{one(node as RootContent, me)}</Fragment>);

/** What a block that has a direction holds: its paragraphs decide it, so they have none of their own. */
const inside = (nodes: readonly Nodes[], me: string): ReactNode => nodes.map((node, i) => (node.type === 'paragraph' ? <p key={i}>{all(node.children, me)}</p> : <Fragment key={i}>{one(node as RootContent, me)}</Fragment>));

function one(node: RootContent | PhrasingContent, me: string): ReactNode {
  switch (node.type) {
    case 'text': return <Words text={node.value} me={me} />;
    case 'paragraph': return <p dir="auto">{all(node.children, me)}</p>;
    case 'heading': return <p dir="auto" className="font-semibold">{all(node.children, me)}</p>;
    case 'strong': return <strong>{all(node.children, me)}</strong>;
    case 'emphasis': return <em>{all(node.children, me)}</em>;
    case 'delete': return <del>{all(node.children, me)}</del>;
    case 'inlineCode': return <code>{node.value}</code>;
    case 'code': return <Code code={node.value} lang={node.lang ?? ''} />;
    case 'blockquote': return <blockquote dir="auto">{inside(node.children, me)}</blockquote>;
    case 'list': return node.ordered ? <ol dir="auto" start={node.start ?? 1}>{all(node.children, me)}</ol> : <ul dir="auto">{all(node.children, me)}</ul>;
    case 'listItem': return <li>{inside(node.children, me)}</li>;
    case 'break': return <br />;
    case 'thematicBreak': return <hr />;
    case 'link': return <Link url={node.url}>{all(node.children, me)}</Link>;
    case 'image': return <Link url={node.url}>{node.alt || node.url}</Link>;
    case 'table': return <Table rows={node.children.map((row) => row.children.map((cell) => all(cell.children, me)))} />;
    default: return 'value' in node ? String(node.value) : 'children' in node ? all(node.children as Nodes[], me) : null;
  }
}

function Words({ text, me }: { text: string; me: string }) {
  return pieces(text).map((piece, i) => {
    if ('text' in piece) return <Fragment key={i}>{piece.text}</Fragment>;
    if ('mention' in piece) return <span key={i} className={piece.mention === me ? 'mention mention-me' : 'mention'}>@<PersonName id={piece.mention} /></span>;
    if ('name' in piece) return <span key={i} className="mention">{piece.name}</span>;
    return <Spoiler key={i} text={piece.spoiler} />;
  });
}

function Link({ url, children }: { url: string; children: ReactNode }) {
  const link = linkOf(url);
  if (!link) return <span>{children}</span>;
  return <a href={link.href} target="_blank" rel="noopener noreferrer nofollow">{link.label ?? children}</a>;
}

function Spoiler({ text }: { text: string }) {
  const [shown, setShown] = useState(false);
  return <button type="button" className={shown ? 'spoiler shown' : 'spoiler'} aria-label={shown ? undefined : say('spoiler.show')} onClick={() => setShown(!shown)}>{text}</button>;
}

function Table({ rows }: { rows: ReactNode[][] }) {
  const [head, ...body] = rows;
  return (
    <div className="overflow-x-auto" tabIndex={0} role="group" aria-label={say('table')}>
      <table dir="auto">
        <thead><tr>{head?.map((cell, i) => <th key={i}>{cell}</th>)}</tr></thead>
        <tbody>{body.map((row, i) => <tr key={i}>{row.map((cell, j) => <td key={j}>{cell}</td>)}</tr>)}</tbody>
      </table>
    </div>
  );
}

function Code({ code, lang }: { code: string; lang: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(code);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <div dir="ltr" className="code group/code">
      <pre tabIndex={0} aria-label={lang ? say('code.labelIn', { language: lang }) : say('code.label')}><code>{code}</code></pre>
      <button type="button" className="code-copy" aria-label={say(copied ? 'code.copied' : 'code.copy')} onClick={() => void copy()}>
        <Icon name={copied ? 'check' : 'copy'} size={16} />
      </button>
    </div>
  );
}
