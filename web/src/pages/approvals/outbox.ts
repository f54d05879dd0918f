/**
 * Answers that were given and have not gone yet. They wait some seconds, so that each can be taken back, and then go;
 * when the page closes they go at once. Nothing that was answered is lost: what the server could not be told stays
 * here, is tried again, and outlives the page.
 *
 * It knows nothing of React: the page listens.
 */
export const ANSWERS = ['approve', 'skip', 'call'] as const;
export type Word = (typeof ANSWERS)[number];
export type Said = { id: string; answer: Word; text?: string };
export type Told = { id: string; done: boolean; detail?: string | null };

/** Answers that were given by one movement, and are taken back by one. */
export type Bundle = {
  key: number;
  said: Said[];
  /** What it was about, when it is one answer. */
  label: string;
  sendAt: number;
  state: 'waiting' | 'sending' | 'unreached';
};

export type State = {
  bundles: readonly Bundle[];
  /** Questions that are not to be shown: answered here, though a list read before may still hold them. */
  gone: ReadonlySet<string>;
};

/** How long an answer can be taken back. */
export const UNDO_MS = 6_000;
/** Answers that the server takes at once. */
export const ANSWERS_MAX = 500;
/** What a browser sends for a page that is gone. */
export const KEEPALIVE_BYTES_MAX = 60_000;
const RETRY_MS = 5_000;

export type Wire = {
  send: (said: Said[], leaving: boolean) => Promise<Told[]>;
  /** Of a refusal, whether the server was reached at all. */
  unreached: (error: unknown) => boolean;
  refused: (error: unknown, bundle: Bundle) => void;
  /** Questions that others answered before. */
  settled: (told: Told[]) => void;
};

export class Outbox {
  #state: State = { bundles: [], gone: new Set() };
  #listeners = new Set<() => void>();
  #timers = new Map<number, ReturnType<typeof setTimeout>>();
  #key = 0;
  readonly #wire: Wire;
  readonly #keep: Storage | undefined;
  readonly #kept: string;

  constructor(wire: Wire, keep?: Storage, kept = 'relance-answers') {
    this.#wire = wire;
    this.#keep = keep;
    this.#kept = kept;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  get = (): State => this.#state;

  /** Takes answers in; they go when nobody took them back. */
  add(said: Said[], label: string): Bundle {
    this.#key += 1;
    const bundle: Bundle = { key: this.#key, said, label, sendAt: Date.now() + UNDO_MS, state: 'waiting' };
    this.#set([...this.#state.bundles, bundle], new Set([...this.#state.gone, ...said.map((one) => one.id)]));
    this.#timers.set(
      bundle.key,
      setTimeout(() => this.#send(bundle.key), UNDO_MS),
    );
    return bundle;
  }

  /** Takes back the last that can be, or the one that is named. What was answered is asked again. */
  undo(key?: number): Bundle | undefined {
    const open = this.#state.bundles.filter((one) => one.state !== 'sending');
    const bundle = key === undefined ? open.at(-1) : open.find((one) => one.key === key);
    if (bundle !== undefined) {
      this.#drop(bundle.key, true);
    }
    return bundle;
  }

  /** Sends all now. */
  flush(leaving = false): void {
    for (const bundle of this.#state.bundles) {
      if (bundle.state !== 'sending') {
        this.#send(bundle.key, leaving);
      }
    }
  }

  /** Marks questions as answered in another way. */
  answered(ids: string[]): void {
    this.#set(this.#state.bundles, new Set([...this.#state.gone, ...ids]));
  }

  /** What could not be told before the page closed is told now. */
  resume(): void {
    const kept = this.#keep?.getItem(this.#kept);
    this.#keep?.removeItem(this.#kept);
    const said = kept === null || kept === undefined ? [] : read(kept);
    if (said.length > 0) {
      const bundle = this.add(said, '');
      this.#send(bundle.key);
    }
  }

  async #send(key: number, leaving = false): Promise<void> {
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
    const bundle = this.#state.bundles.find((one) => one.key === key);
    if (bundle === undefined || bundle.state === 'sending') {
      return;
    }
    const large = leaving && JSON.stringify(bundle.said).length > KEEPALIVE_BYTES_MAX;
    if (leaving && (large || bundle.state === 'unreached')) {
      this.#remember(bundle.said);
      this.#drop(key, false);
      return;
    }
    this.#change(key, { state: 'sending' });
    try {
      const told: Told[] = [];
      for (let from = 0; from < bundle.said.length; from += ANSWERS_MAX) {
        told.push(...(await this.#wire.send(bundle.said.slice(from, from + ANSWERS_MAX), leaving)));
      }
      this.#drop(key, false);
      this.#wire.settled(told);
    } catch (error) {
      if (this.#wire.unreached(error)) {
        this.#change(key, { state: 'unreached' });
        this.#timers.set(
          key,
          setTimeout(() => this.#send(key), RETRY_MS),
        );
      } else {
        this.#drop(key, true);
        this.#wire.refused(error, bundle);
      }
    }
  }

  #remember(said: Said[]): void {
    const before = this.#keep?.getItem(this.#kept);
    const all = [...(before === null || before === undefined ? [] : read(before)), ...said];
    this.#keep?.setItem(this.#kept, JSON.stringify(all));
  }

  #change(key: number, patch: Partial<Bundle>): void {
    this.#set(
      this.#state.bundles.map((one) => (one.key === key ? { ...one, ...patch } : one)),
      this.#state.gone,
    );
  }

  #drop(key: number, asked: boolean): void {
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
    const bundle = this.#state.bundles.find((one) => one.key === key);
    const gone = new Set(this.#state.gone);
    if (asked) {
      for (const one of bundle?.said ?? []) {
        gone.delete(one.id);
      }
    }
    this.#set(
      this.#state.bundles.filter((one) => one.key !== key),
      gone,
    );
  }

  #set(bundles: readonly Bundle[], gone: ReadonlySet<string>): void {
    this.#state = { bundles, gone };
    for (const listener of this.#listeners) {
      listener();
    }
  }
}

/** Answers as they were kept; what cannot be read is none. */
function read(kept: string): Said[] {
  try {
    const all: unknown = JSON.parse(kept);
    return Array.isArray(all) ? all.filter(isSaid) : [];
  } catch {
    return [];
  }
}

function isSaid(one: unknown): one is Said {
  if (typeof one !== 'object' || one === null) {
    return false;
  }
  const said = one as Record<string, unknown>;
  return typeof said.id === 'string' && ANSWERS.some((word) => word === said.answer);
}
