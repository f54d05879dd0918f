/**
 * Keeps the draft of a journey: what is written goes to the server by itself, and to the browser's store before that.
 *
 * Nothing is overwritten: each writing names the revision that it was made from, and where somebody else wrote
 * meanwhile both texts stay until the person has chosen. Nothing is lost: a text that the server has not taken yet is
 * found again after a crash, an ended session, a closed page.
 */
import { type Failure, failureOf } from '../../../api/problem';
import type { Draft, DraftStored } from '../calls';
import type { TextModel } from './TextModel';

const LOCAL_PAUSE_MS = 250;
const SAVE_PAUSE_MS = 900;
const RETRY_MS = 10_000;
const PREFIX = 'relance-journey:';
const STALE = 412;

/** A text that the server has; without a revision there is no draft, and the text is that of the version. */
export type Base = { text: string; revision: string | undefined };
export type Theirs = {
  text: string;
  revision: string | undefined;
  by: string | undefined;
  at: string | undefined;
};
export type SaveState = 'saved' | 'waiting' | 'saving' | 'failed' | 'conflict';
export type Kept = {
  state: SaveState;
  savedAt: number | undefined;
  error: unknown;
  theirs: Theirs | undefined;
  /** What happened that the person should hear of once. */
  news: 'restored' | 'replaced' | undefined;
  newsBy: string | undefined;
};

type Put = (text: string, revision: string | undefined) => Promise<DraftStored>;
type LocalCopy = { text: string; revision?: string; at: number };

export class DraftKeeper {
  #kept: Kept = {
    state: 'saved',
    savedAt: undefined,
    error: undefined,
    theirs: undefined,
    news: undefined,
    newsBy: undefined,
  };
  #listeners = new Set<() => void>();
  #local: ReturnType<typeof setTimeout> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isSaving = false;
  #unsubscribe: () => void = () => undefined;

  constructor(
    readonly id: string,
    readonly model: TextModel,
    private base: Base,
    private readonly put: Put,
    private readonly store: Storage = localStorage,
  ) {
    this.#restore();
  }

  /** Begins to keep; from then on every change is written. */
  open(): void {
    this.#unsubscribe = this.model.subscribe(() => this.#changed());
    window.addEventListener('pagehide', this.#keepNow);
    if (this.isDirty && this.#kept.state !== 'conflict') {
      this.#changed();
    }
  }

  read = (): Kept => this.#kept;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** What the text was when it was last the same as the server's. */
  get saved(): Base {
    return this.base;
  }

  get isDirty(): boolean {
    return this.model.text !== this.base.text;
  }

  close(): void {
    this.#keepNow();
    clearTimeout(this.#timer);
    if (this.isDirty && this.#kept.state !== 'conflict') {
      this.#save();
    }
    this.#unsubscribe();
    window.removeEventListener('pagehide', this.#keepNow);
  }

  /**
   * What the server has now: taken over where nothing of one's own would be lost. `published` is the text in force, on
   * which one goes on when somebody has published the draft or thrown it away.
   */
  remote(draft: Draft | null, published: string): void {
    if (this.#isSaving || this.#kept.state === 'conflict' || draft?.revision === this.base.revision) {
      return;
    }
    if (draft === null) {
      const wasDirty = this.isDirty;
      this.base = { text: published, revision: undefined };
      if (!wasDirty && published !== '' && published !== this.model.text) {
        this.model.replace(published);
        this.#tell({ news: 'replaced', newsBy: undefined });
      }
      return;
    }
    if (draft.text === this.model.text) {
      this.base = { text: draft.text, revision: draft.revision };
      this.#forget();
      return;
    }
    if (!this.isDirty) {
      this.base = { text: draft.text, revision: draft.revision };
      this.model.replace(draft.text);
      this.#tell({ news: 'replaced', newsBy: draft.by });
    }
    // Else the next writing is refused, and both texts are laid side by side.
  }

  /** The draft was published or thrown away by this page: the text stands, and is nobody's draft. */
  rebase(base: Base): void {
    this.base = base;
    this.model.replace(base.text);
    this.#forget();
    this.#tell({ state: 'saved', theirs: undefined, error: undefined });
  }

  /** The journey is no more: nothing is kept of it, and nothing is written. */
  forget(): void {
    clearTimeout(this.#timer);
    this.base = { text: this.model.text, revision: this.base.revision };
    this.#forget();
  }

  /** The person has chosen: `text` goes on from what the other one wrote. */
  resolve(text: string): void {
    const { theirs } = this.#kept;
    if (theirs === undefined) {
      return;
    }
    this.base = { text: theirs.text, revision: theirs.revision };
    this.#tell({ state: 'saved', theirs: undefined });
    this.model.replace(text);
    this.#changed();
  }

  /** Writes now what has not been written. */
  async flush(): Promise<boolean> {
    clearTimeout(this.#timer);
    while (this.isDirty && this.#kept.state !== 'conflict') {
      await this.#save();
      if (this.#kept.state === 'failed') {
        return false;
      }
    }
    return !this.isDirty;
  }

  heard(): void {
    this.#tell({ news: undefined });
  }

  #changed(): void {
    clearTimeout(this.#local);
    this.#local = setTimeout(this.#keepNow, LOCAL_PAUSE_MS);
    if (this.#kept.state === 'conflict') {
      return;
    }
    clearTimeout(this.#timer);
    if (!this.isDirty) {
      this.#tell({ state: 'saved' });
      return;
    }
    this.#tell({ state: this.#isSaving ? 'saving' : 'waiting' });
    this.#timer = setTimeout(() => this.#save(), SAVE_PAUSE_MS);
  }

  async #save(): Promise<void> {
    if (this.#isSaving || !this.isDirty) {
      return;
    }
    this.#isSaving = true;
    this.#tell({ state: 'saving' });
    const text = this.model.text;
    try {
      const stored = await this.put(text, this.base.revision);
      this.base = { text, revision: stored.revision };
      this.#isSaving = false;
      this.#tell({ state: 'saved', savedAt: Date.now(), error: undefined });
      if (this.isDirty) {
        this.#changed();
      } else {
        this.#forget();
      }
    } catch (error) {
      this.#isSaving = false;
      this.#refused(failureOf(error));
    }
  }

  #refused(failure: Failure): void {
    if (failure.status === STALE && failure.problem.text === undefined && this.base.revision !== undefined) {
      // The draft is gone: it was published or thrown away. What is written here begins another.
      this.base = { text: this.base.text, revision: undefined };
      this.#save();
      return;
    }
    if (failure.status === STALE) {
      const { text, revision, by, updated_at: at } = failure.problem;
      const theirs = {
        text: typeof text === 'string' ? text : this.base.text,
        revision: typeof revision === 'string' ? revision : undefined,
        by: typeof by === 'string' ? by : undefined,
        at: typeof at === 'string' ? at : undefined,
      };
      if (theirs.text === this.model.text) {
        this.base = { text: theirs.text, revision: theirs.revision };
        this.#forget();
        this.#tell({ state: 'saved' });
        return;
      }
      this.#tell({ state: 'conflict', theirs });
      this.#keepNow();
      return;
    }
    this.#tell({ state: 'failed', error: failure });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#save(), RETRY_MS);
  }

  #restore(): void {
    const copy = this.#copy();
    if (copy === undefined) {
      return;
    }
    if (copy.text === this.base.text) {
      this.#forget();
    } else if (copy.revision === this.base.revision) {
      this.model.replace(copy.text);
      this.#tell({ news: 'restored' });
    } else {
      this.model.replace(copy.text);
      clearTimeout(this.#timer);
      const { text, revision } = this.base;
      this.#tell({ state: 'conflict', theirs: { text, revision, by: undefined, at: undefined } });
    }
  }

  #copy(): LocalCopy | undefined {
    try {
      const copy: unknown = JSON.parse(this.store.getItem(PREFIX + this.id) ?? 'null');
      return typeof copy === 'object' && copy !== null && 'text' in copy ? (copy as LocalCopy) : undefined;
    } catch {
      return undefined;
    }
  }

  #keepNow = (): void => {
    clearTimeout(this.#local);
    if (!this.isDirty) {
      this.#forget();
      return;
    }
    const copy: LocalCopy = {
      text: this.model.text,
      at: Date.now(),
      ...(this.base.revision === undefined ? {} : { revision: this.base.revision }),
    };
    try {
      this.store.setItem(PREFIX + this.id, JSON.stringify(copy));
    } catch {
      // No room: the server's copy is the only one then.
    }
  };

  #forget(): void {
    clearTimeout(this.#local);
    this.store.removeItem(PREFIX + this.id);
  }

  #tell(change: Partial<Kept>): void {
    this.#kept = { ...this.#kept, ...change };
    for (const listener of this.#listeners) {
      listener();
    }
  }
}
