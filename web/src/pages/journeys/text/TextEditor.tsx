import { autocompletion, type CompletionContext, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, historyKeymap, indentWithTab } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import { bracketMatching, indentOnInput, indentUnit } from '@codemirror/language';
import { lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { EditorState, type Extension } from '@codemirror/state';
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from '@codemirror/view';
import { useEffect, useRef } from 'react';
import { look } from '../../../shared/editing/look';
import type { TextProblem } from '../calls';
import { complete, type Names } from '../model/complete';
import classes from './TextEditor.module.css';
import type { TextModel } from './TextModel';

/** What an editor of a journey's text is made of. `names` is asked at each completion. */
export function journeyText(names: () => Names, mayWrite: boolean): Extension {
  return [
    EditorState.readOnly.of(!mayWrite),
    lineNumbers(),
    highlightActiveLineGutter(),
    highlightActiveLine(),
    drawSelection(),
    indentOnInput(),
    bracketMatching(),
    indentUnit.of('  '),
    EditorState.tabSize.of(2),
    EditorView.lineWrapping,
    yaml(),
    look,
    highlightSelectionMatches(),
    lintGutter(),
    autocompletion({ override: [(context) => offers(context, names())], icons: false }),
    keymap.of([
      ...completionKeymap,
      ...lintKeymap,
      ...searchKeymap,
      ...historyKeymap,
      ...defaultKeymap,
      indentWithTab,
    ]),
  ];
}

function offers(context: CompletionContext, names: Names) {
  const found = complete(context.state.doc.toString(), context.pos, names);
  if (
    found === undefined ||
    (!context.explicit && context.pos === found.from && !context.matchBefore(/:\s|-\s/))
  ) {
    return null;
  }
  return {
    from: found.from,
    options: found.offers.map((one) => ({
      label: one.label,
      apply: one.insert,
      type: one.sort === 'key' ? 'property' : 'constant',
    })),
    validFor: /^[\w. /-]*$/,
  };
}

type Props = {
  model: TextModel;
  label: string;
  problems: readonly TextProblem[];
  /** The line in which the cursor came to stand. */
  onLine?: (line: number) => void;
};

/** The text of a journey, with the server's problems at their lines. */
export function TextEditor({ model, label, problems, onLine }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const told = useRef(onLine);
  told.current = onLine;
  useEffect(() => {
    const parent = box.current;
    if (parent === null) {
      return undefined;
    }
    const { view, detach } = model.attach(parent);
    view.contentDOM.setAttribute('aria-label', label);
    view.contentDOM.setAttribute('data-journey-text', '');
    // Without it a reader of the page cannot tell that the text is scrolled by keys.
    view.contentDOM.tabIndex = 0;
    let line = 0;
    const moved = () => {
      const next = view.state.doc.lineAt(view.state.selection.main.head).number;
      if (next !== line) {
        line = next;
        told.current?.(next);
      }
    };
    view.dom.addEventListener('keyup', moved);
    view.dom.addEventListener('mouseup', moved);
    return detach;
  }, [model, label]);
  useEffect(() => show(model, problems), [model, problems]);
  return <div ref={box} className={classes.text} />;
}

function show(model: TextModel, problems: readonly TextProblem[]): void {
  model.diagnose((state) =>
    setDiagnostics(
      state,
      problems.map((problem) => {
        const line = state.doc.line(Math.max(1, Math.min(problem.line, state.doc.lines)));
        const indent = line.text.search(/\S|$/);
        const what = problem.message ?? problem.what;
        return {
          from: Math.min(line.from + indent, line.to),
          to: line.to,
          severity: 'error' as const,
          message: problem.remedy === '' ? what : `${what}\n${problem.remedy}`,
        };
      }),
    ),
  );
}
