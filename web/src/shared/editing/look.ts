/** How code looks in light and dark: one set of colours, each with 4.5:1 to its ground. */
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';

const KEY = 'light-dark(#1c5aa8, #8ab8f5)';
const TEXT = 'light-dark(#2b6a3f, #93d0a3)';
const WORD = 'light-dark(#8a3d8f, #d7a3dd)';
const NUMBER = 'light-dark(#9a4a08, #f0b27a)';
const GREY = 'light-dark(#5c636a, #a6a7ab)';

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName), tags.tagName, tags.typeName], color: KEY },
  { tag: [tags.string, tags.attributeValue, tags.special(tags.string)], color: TEXT },
  { tag: [tags.keyword, tags.attributeName, tags.bool, tags.null, tags.atom], color: WORD },
  { tag: [tags.number, tags.character], color: NUMBER },
  { tag: [tags.comment, tags.meta, tags.separator, tags.angleBracket, tags.punctuation], color: GREY },
  { tag: tags.heading, fontWeight: '600' },
]);

const frame = EditorView.theme({
  '&': { backgroundColor: 'transparent', color: 'inherit' },
  '.cm-scroller': { fontFamily: 'var(--mantine-font-family-monospace)', lineHeight: '1.6' },
  '.cm-content': { caretColor: 'var(--mantine-color-text)', paddingBlock: '8px' },
  '.cm-cursor': { borderLeftColor: 'var(--mantine-color-text)' },
  '.cm-gutters': { backgroundColor: 'transparent', border: 'none', color: GREY },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'light-dark(#00000008, #ffffff0a)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground, .cm-content ::selection':
    { backgroundColor: 'light-dark(#c7d6fb, #33457a)' },
  '.cm-tooltip': {
    backgroundColor: 'var(--relance-card)',
    border: '1px solid var(--relance-line)',
    borderRadius: '6px',
    color: 'var(--mantine-color-text)',
    overflow: 'hidden',
  },
  '.cm-tooltip-autocomplete > ul > li': { padding: '3px 8px' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': {
    backgroundColor: 'var(--mantine-primary-color-light)',
    color: 'var(--mantine-color-text)',
  },
  '.cm-completionDetail': { color: GREY, fontStyle: 'normal', marginLeft: '12px' },
  '.cm-panels': {
    backgroundColor: 'var(--relance-card)',
    color: 'inherit',
    borderColor: 'var(--relance-line)',
  },
  '.cm-jinja': {
    color: WORD,
    backgroundColor: 'light-dark(#8a3d8f14, #d7a3dd1f)',
    borderRadius: '3px',
  },
  '.cm-jinja *': { color: 'inherit' },
  '.cm-jinja-remark, .cm-jinja-remark *': { color: GREY, fontStyle: 'italic' },
  '.cm-head-key, .cm-head-key *': { color: KEY },
  '.cm-tooltip-lint': { maxWidth: '60ch' },
});

export const look = [frame, syntaxHighlighting(colours)];
