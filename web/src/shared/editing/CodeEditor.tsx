/**
 * A text of a program's language: highlighted, with completion, problems at their lines, search and undo.
 *
 * The text belongs to whoever shows it; a text that comes from outside replaces what stands here as one step that
 * can be undone. Tab leaves the field (Escape, then Tab, where a completion is open), so nobody is caught in it by keyboard.
 */
import { autocompletion, closeBrackets, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { html } from '@codemirror/lang-html';
import { yaml } from '@codemirror/lang-yaml';
import { bracketMatching } from '@codemirror/language';
import { lintGutter, setDiagnostics } from '@codemirror/lint';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { Compartment, EditorState, type Extension, Transaction } from '@codemirror/state';
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from '@codemirror/view';
import { useEffect, useRef } from 'react';
import classes from './CodeEditor.module.css';
import { look } from './look';

export type CodeProblem = { line: number; text: string; severity?: 'error' | 'warning' };

type Props = {
  label: string;
  value: string;
  onChange?: (text: string) => void;
  language: 'html' | 'yaml' | 'text';
  /** Of the caller; must keep its identity while nothing changes. */
  extensions?: Extension;
  problems?: readonly CodeProblem[];
  height?: string;
  minHeight?: string;
  /** Where the editor is told to whoever wants to insert into it or go to a line. */
  onView?: (view: EditorView | undefined) => void;
};

const NONE: Extension = [];
const NO_PROBLEMS: readonly CodeProblem[] = [];

export function CodeEditor(props: Props) {
  const { label, value, onChange, language, extensions = NONE, problems = NO_PROBLEMS } = props;
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const parts = useRef({ language: new Compartment(), own: new Compartment(), may: new Compartment() });
  // The editor outlives a rendering: it calls whatever was given last.
  const tell = useRef({ onChange, onView: props.onView });
  tell.current = { onChange, onView: props.onView };
  const isReadOnly = onChange === undefined;

  // biome-ignore lint/correctness/useExhaustiveDependencies: made once; the effects below bring changes in
  useEffect(() => {
    const { language: spoken, own, may } = parts.current;
    const made = new EditorView({
      parent: place.current ?? undefined,
      state: EditorState.create({
        doc: value,
        extensions: [
          lineNumbers(),
          highlightSpecialChars(),
          history(),
          drawSelection(),
          bracketMatching(),
          closeBrackets(),
          highlightActiveLine(),
          highlightSelectionMatches(),
          EditorView.lineWrapping,
          lintGutter(),
          keymap.of([...completionKeymap, ...defaultKeymap, ...historyKeymap, ...searchKeymap]),
          look,
          spoken.of(speaks(language)),
          own.of([extensions, autocompletion({ icons: false })]),
          may.of(permission(label, isReadOnly)),
          EditorView.updateListener.of((update) => {
            if (update.docChanged && !update.transactions.some((one) => one.annotation(Transaction.remote))) {
              tell.current.onChange?.(update.state.doc.toString());
            }
          }),
        ],
      }),
    });
    view.current = made;
    tell.current.onView?.(made);
    return () => {
      tell.current.onView?.(undefined);
      made.destroy();
      view.current = undefined;
    };
  }, []);

  useEffect(() => {
    const effect = parts.current.language.reconfigure(speaks(language));
    view.current?.dispatch({ effects: effect });
  }, [language]);
  useEffect(() => {
    view.current?.dispatch({
      effects: parts.current.own.reconfigure([extensions, autocompletion({ icons: false })]),
    });
  }, [extensions]);
  useEffect(() => {
    view.current?.dispatch({ effects: parts.current.may.reconfigure(permission(label, isReadOnly)) });
  }, [label, isReadOnly]);
  useEffect(() => {
    const made = view.current;
    if (made !== undefined && made.state.doc.toString() !== value) {
      made.dispatch({
        changes: difference(made.state.doc.toString(), value),
        annotations: Transaction.remote.of(true),
      });
    }
  }, [value]);
  useEffect(() => {
    const made = view.current;
    if (made !== undefined) {
      const found = problems.map((one) => {
        const line = made.state.doc.line(Math.max(1, Math.min(one.line, made.state.doc.lines)));
        return {
          from: line.from,
          to: line.to,
          severity: one.severity ?? 'error',
          message: one.text,
        } as const;
      });
      made.dispatch(setDiagnostics(made.state, found));
    }
  }, [problems]);

  const { height, minHeight } = props;
  return <div ref={place} className={classes.editor} style={{ height, minHeight }} />;
}

function speaks(language: Props['language']): Extension {
  switch (language) {
    case 'html':
      return html({ autoCloseTags: true });
    case 'yaml':
      return yaml();
    case 'text':
      return [];
  }
}

function permission(label: string, isReadOnly: boolean): Extension {
  return [
    EditorState.readOnly.of(isReadOnly),
    EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'false', tabindex: '0' }),
  ];
}

/** The one stretch in which two texts differ, so that the cursor and the scroll stay where they are. */
export function difference(before: string, after: string): { from: number; to: number; insert: string } {
  let from = 0;
  const shorter = Math.min(before.length, after.length);
  while (from < shorter && before[from] === after[from]) {
    from++;
  }
  let end = 0;
  while (end < shorter - from && before[before.length - 1 - end] === after[after.length - 1 - end]) {
    end++;
  }
  return { from, to: before.length - end, insert: after.slice(from, after.length - end) };
}

/** Puts the cursor at a line and shows it. */
export function goToLine(view: EditorView | undefined, line: number): void {
  if (view === undefined) {
    return;
  }
  const at = view.state.doc.line(Math.max(1, Math.min(line, view.state.doc.lines)));
  view.dispatch({
    selection: { anchor: at.from },
    effects: EditorView.scrollIntoView(at.from, { y: 'center' }),
  });
  view.focus();
}
