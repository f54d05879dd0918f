/** Jinja in an editor: what stands between braces is marked, and the names that may stand there are offered. */
import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import { EditorState, type Extension, RangeSetBuilder } from '@codemirror/state';
import {
  Decoration,
  type DecorationSet,
  type EditorView,
  ViewPlugin,
  type ViewUpdate,
} from '@codemirror/view';
import type { Variable } from './api';

const BRACES = /\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}/gs;
const HEAD_KEY = /^[a-z_]+(?=:)/gm;

const code = Decoration.mark({ class: 'cm-jinja' });
const remark = Decoration.mark({ class: 'cm-jinja-remark' });
const key = Decoration.mark({ class: 'cm-head-key' });

/** Lines in which the head of a file must have ended. */
const HEAD_LINES_MAX = 40;

/** Where the lines between `---` end; 0 without them. */
function headEnd(view: EditorView): number {
  const { doc } = view.state;
  if (doc.line(1).text.trim() !== '---') {
    return 0;
  }
  for (let at = 2; at <= Math.min(doc.lines, HEAD_LINES_MAX); at++) {
    const line = doc.line(at);
    if (line.text.trim() === '---') {
      return line.from;
    }
  }
  return 0;
}

function marks(view: EditorView): DecorationSet {
  const found: { from: number; to: number; mark: Decoration }[] = [];
  const end = headEnd(view);
  for (const { from, to } of view.visibleRanges) {
    const text = view.state.sliceDoc(from, to);
    for (const match of text.matchAll(BRACES)) {
      const at = from + match.index;
      found.push({ from: at, to: at + match[0].length, mark: match[0].startsWith('{#') ? remark : code });
    }
    for (const match of text.matchAll(HEAD_KEY)) {
      const at = from + match.index;
      if (at < end) {
        found.push({ from: at, to: at + match[0].length, mark: key });
      }
    }
  }
  const builder = new RangeSetBuilder<Decoration>();
  for (const one of found.sort((a, b) => a.from - b.from || a.to - b.to)) {
    builder.add(one.from, one.to, one.mark);
  }
  return builder.finish();
}

const marking = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = marks(view);
    }
    update(update: ViewUpdate) {
      if (update.docChanged || update.viewportChanged) {
        this.decorations = marks(update.view);
      }
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

const FILTERS =
  'default money date plural total nl2br truncate urlencode safe lower upper title capitalize trim replace round abs int float length first last join list reverse sort unique sum min max'.split(
    ' ',
  );
const TAGS: Completion[] = [
  { label: 'if', apply: 'if ' },
  { label: 'elif', apply: 'elif ' },
  { label: 'else' },
  { label: 'endif' },
  { label: 'for', apply: 'for item in ' },
  { label: 'endfor' },
  { label: 'set', apply: 'set ' },
  { label: 'with', apply: 'with ' },
  { label: 'endwith' },
];
/** Names that there are for whoever the message goes to. */
const ALWAYS = [
  'contact.email',
  'contact.first_name',
  'contact.name',
  'contact.company',
  'subject.number',
  'subject.amount',
  'subject.currency',
  'subject.due',
  'subject.issued',
  'subject.items',
  'subjects',
  'item.title',
  'item.text',
  'item.url',
  'item.image',
  'owner.name',
  'owner.email',
  'workspace.name',
  'workspace.address',
  'workspace.url',
  'links.unsubscribe',
  'links.preferences',
  'event',
  'variant',
];

/** All names, those of the chosen contact with their values first. */
export function names(variables: readonly Variable[]): Variable[] {
  const known = new Set(variables.map((one) => one.name));
  return [
    ...variables,
    ...ALWAYS.filter((name) => !known.has(name)).map((name) => ({ name, value: undefined })),
  ];
}

/** A value in a word, for a menu. */
export function brief(value: unknown): string {
  if (value === undefined || value === null) {
    return '';
  }
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

function complete(context: CompletionContext, variables: readonly Variable[]): CompletionResult | null {
  const line = context.state.doc.lineAt(context.pos);
  const before = line.text.slice(0, context.pos - line.from);
  const open = Math.max(before.lastIndexOf('{{'), before.lastIndexOf('{%'));
  const shut = Math.max(before.lastIndexOf('}}'), before.lastIndexOf('%}'));
  if (open === -1 || shut > open) {
    return null;
  }
  const inside = before.slice(open + 2);
  const word = /[\w.]*$/.exec(inside)?.[0] ?? '';
  const from = context.pos - word.length;
  const ahead = inside.slice(0, inside.length - word.length);
  if (/\|\s*$/.test(ahead)) {
    return { from, options: FILTERS.map((label) => ({ label, type: 'function' })), validFor: /^\w*$/ };
  }
  if (before[open + 1] === '%' && ahead.trim() === '') {
    return { from, options: TAGS, validFor: /^\w*$/ };
  }
  if (word === '' && !context.explicit && !/[\s(,]$|^$/.test(ahead)) {
    return null;
  }
  const options = names(variables).map(({ name, value }): Completion => {
    const detail = brief(value);
    return detail === '' ? { label: name } : { label: name, detail, boost: 1 };
  });
  return { from, options, validFor: /^[\w.]*$/ };
}

/** `variables` is asked at each completion, so that a chosen contact's values are there at once. */
export function jinja(variables: () => readonly Variable[]): Extension {
  const source = (context: CompletionContext) => complete(context, variables());
  return [marking, EditorState.languageData.of(() => [{ autocomplete: source }])];
}
