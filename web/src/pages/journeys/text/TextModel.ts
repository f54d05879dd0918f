/**
 * The text of a journey with its history: what the editor of the text and the canvas both change.
 *
 * One history for both: a change on the canvas is undone like a typed one. It lives outside of React, so that a tab
 * that is closed and opened again finds it as it was.
 */
import { history, isolateHistory, redo, redoDepth, undo, undoDepth } from '@codemirror/commands';
import { EditorState, type Extension, type Transaction, type TransactionSpec } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { type Change, difference } from '../model/surgery';

export class TextModel {
  #state: EditorState;
  #view: EditorView | undefined;
  #text: string;
  #listeners = new Set<() => void>();

  constructor(
    text: string,
    readonly extensions: Extension = [],
  ) {
    this.#state = EditorState.create({ doc: text, extensions: [history(), extensions] });
    this.#text = this.#state.doc.toString();
  }

  get text(): string {
    return this.#text;
  }

  get canUndo(): boolean {
    return undoDepth(this.#state) > 0;
  }

  get canRedo(): boolean {
    return redoDepth(this.#state) > 0;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  read = (): string => this.#text;

  /** Splices from outside of the editor; each call is one step of the history. */
  change(changes: readonly Change[]): void {
    if (changes.length > 0) {
      this.dispatch({
        changes: [...changes],
        userEvent: 'input.canvas',
        annotations: isolateHistory.of('full'),
        scrollIntoView: false,
      });
    }
  }

  /** Another text altogether; it can be undone as well. */
  replace(text: string): void {
    this.change(difference(this.#text, text));
  }

  undo = (): void => {
    undo({ state: this.#state, dispatch: (one) => this.#apply([one]) });
  };

  redo = (): void => {
    redo({ state: this.#state, dispatch: (one) => this.#apply([one]) });
  };

  dispatch(spec: TransactionSpec): void {
    this.#apply([this.#state.update(spec)]);
  }

  /** Marks in the text that are not part of its history. */
  diagnose(spec: (state: EditorState) => TransactionSpec): void {
    this.dispatch(spec(this.#state));
  }

  /** Shows the text in an element, until the answer is called. */
  attach(parent: HTMLElement): { view: EditorView; detach: () => void } {
    const view = new EditorView({
      state: this.#state,
      parent,
      dispatchTransactions: (all) => this.#apply(all),
    });
    this.#view = view;
    return {
      view,
      detach: () => {
        this.#view = undefined;
        view.destroy();
      },
    };
  }

  /** Puts the cursor at a line, and the line into view. */
  goTo(line: number): void {
    const { doc } = this.#state;
    const at = doc.line(Math.max(1, Math.min(line, doc.lines)));
    this.dispatch({
      selection: { anchor: at.from },
      effects: EditorView.scrollIntoView(at.from, { y: 'center' }),
    });
  }

  focus(): void {
    this.#view?.focus();
  }

  #apply(all: readonly Transaction[]): void {
    const last = all.at(-1);
    if (last === undefined) {
      return;
    }
    if (this.#view !== undefined) {
      this.#view.update(all);
      this.#state = this.#view.state;
    } else {
      this.#state = last.state;
    }
    const isChanged = all.some((one) => one.docChanged);
    if (isChanged) {
      this.#text = this.#state.doc.toString();
      for (const listener of this.#listeners) {
        listener();
      }
    }
  }
}
