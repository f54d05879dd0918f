import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ANSWERS_MAX, Outbox, type Said, UNDO_MS } from './outbox';

const approve = (id: string): Said => ({ id, answer: 'approve' });

/** A server that takes what it is told, or cannot be reached. */
function world() {
  const told: { said: Said[]; leaving: boolean }[] = [];
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  } as unknown as Storage;
  const state = { reachable: true, refuses: false };
  const refused = vi.fn();
  const make = () =>
    new Outbox(
      {
        send: async (said, leaving) => {
          if (!state.reachable) {
            throw new TypeError('no network');
          }
          if (state.refuses) {
            throw new Error('refused');
          }
          told.push({ said, leaving });
          return said.map(({ id }) => ({ id, done: true }));
        },
        unreached: (error) => error instanceof TypeError,
        refused,
        settled: () => undefined,
      },
      storage,
    );
  return { told, kept, state, refused, make, outbox: make() };
}

describe('answers', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('go when nobody took them back', async () => {
    const { outbox, told } = world();
    outbox.add([approve('a')], 'A');
    await vi.advanceTimersByTimeAsync(UNDO_MS - 1);
    expect(told).toEqual([]);
    expect(outbox.get().gone.has('a')).toBe(true);
    await vi.advanceTimersByTimeAsync(1);
    expect(told.map((one) => one.said)).toEqual([[approve('a')]]);
    expect(outbox.get().bundles).toEqual([]);
    expect(outbox.get().gone.has('a')).toBe(true);
  });

  it('that are taken back never go, and are asked again', async () => {
    const { outbox, told } = world();
    outbox.add([approve('a')], 'A');
    outbox.add([approve('b'), approve('c')], '');
    expect(outbox.undo()?.said.map((one) => one.id)).toEqual(['b', 'c']);
    expect([...outbox.get().gone]).toEqual(['a']);
    await vi.advanceTimersByTimeAsync(UNDO_MS);
    expect(told.flatMap((one) => one.said)).toEqual([approve('a')]);
  });

  it('go at once when the page closes', () => {
    const { outbox, told } = world();
    outbox.add([approve('a')], 'A');
    outbox.flush(true);
    expect(told).toEqual([{ said: [approve('a')], leaving: true }]);
  });

  it('that the server did not hear are tried again', async () => {
    const { outbox, told, state } = world();
    state.reachable = false;
    outbox.add([approve('a')], 'A');
    await vi.advanceTimersByTimeAsync(UNDO_MS);
    expect(outbox.get().bundles[0]?.state).toBe('unreached');
    state.reachable = true;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(told).toHaveLength(1);
  });

  it('that the server never heard outlive the page', async () => {
    const { outbox, told, state, make } = world();
    const rewritten: Said = { id: 'a', answer: 'approve', text: 'Subject\n\nWords' };
    state.reachable = false;
    outbox.add([rewritten], 'A');
    await vi.advanceTimersByTimeAsync(UNDO_MS);
    outbox.flush(true);
    state.reachable = true;
    make().resume();
    await vi.advanceTimersByTimeAsync(0);
    expect(told.flatMap((one) => one.said)).toEqual([rewritten]);
    make().resume();
    await vi.advanceTimersByTimeAsync(UNDO_MS);
    expect(told).toHaveLength(1);
  });

  it('that the server refuses are asked again', async () => {
    const { outbox, state, refused } = world();
    state.refuses = true;
    outbox.add([approve('a')], 'A');
    await vi.advanceTimersByTimeAsync(UNDO_MS);
    expect(refused).toHaveBeenCalledOnce();
    expect(outbox.get().gone.has('a')).toBe(false);
  });

  it('go in parts that the server takes', async () => {
    const { outbox, told } = world();
    outbox.add(
      Array.from({ length: ANSWERS_MAX + 1 }, (_, index) => approve(`q${index}`)),
      '',
    );
    await vi.advanceTimersByTimeAsync(UNDO_MS);
    expect(told.map((one) => one.said.length)).toEqual([ANSWERS_MAX, 1]);
  });

  it('that were kept and are no answers are left out', async () => {
    const { kept, make, told } = world();
    kept.set('relance-answers', '[{"id":1},{"id":"a","answer":"delete"},"x",null]');
    make().resume();
    await vi.advanceTimersByTimeAsync(UNDO_MS);
    expect(told).toEqual([]);
  });
});
