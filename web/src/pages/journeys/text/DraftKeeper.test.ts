import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Failure } from '../../../api/problem';
import { DraftKeeper } from './DraftKeeper';
import { TextModel } from './TextModel';

/** A server with one draft, as two people write it. */
class Server {
  text: string | undefined;
  isDown = false;
  revision = () => (this.text === undefined ? undefined : `r:${this.text}`);
  put = vi.fn(async (text: string, revision: string | undefined) => {
    if (this.isDown) {
      throw new Failure(0, { code: 'unreachable' });
    }
    if (revision !== this.revision()) {
      const theirs = {
        by: 'ann',
        text: this.text,
        revision: this.revision(),
        updated_at: '2026-01-01T00:00:00Z',
      };
      throw new Failure(412, { code: 'stale', ...theirs });
    }
    this.text = text;
    return { id: 'a', problems: [], revision: `r:${text}`, updated_at: '' };
  });
}

const later = () => vi.advanceTimersByTimeAsync(2_000);

describe('a draft', () => {
  let server: Server;
  const open = (text: string) => {
    const model = new TextModel(text);
    const keeper = new DraftKeeper('a', model, { text, revision: server.revision() }, server.put);
    keeper.open();
    return { model, keeper };
  };
  const write = (model: TextModel, insert: string) => model.change([{ from: 0, to: 0, insert }]);

  beforeEach(() => {
    vi.useFakeTimers();
    localStorage.clear();
    server = new Server();
  });
  afterEach(() => vi.useRealTimers());

  it('is written after a pause, once for many changes', async () => {
    const { model, keeper } = open('steps:\n');
    write(model, 'a');
    write(model, 'b');
    expect(keeper.read().state).toBe('waiting');
    await later();
    expect(server.text).toBe('basteps:\n');
    expect(server.put).toHaveBeenCalledTimes(1);
    expect(keeper.read().state).toBe('saved');
    expect(localStorage).toHaveLength(0);
  });

  it('is found again when the page broke down before it was written', async () => {
    server.isDown = true;
    const { model, keeper } = open('one\n');
    write(model, 'mine ');
    await later();
    expect(keeper.read().state).toBe('failed');
    server.isDown = false;
    const again = open('one\n');
    expect(again.model.text).toBe('mine one\n');
    expect(again.keeper.read().news).toBe('restored');
    await later();
    expect(server.text).toBe('mine one\n');
  });

  it('is tried again until the server takes it', async () => {
    server.isDown = true;
    const { model, keeper } = open('one\n');
    write(model, 'x');
    await later();
    server.isDown = false;
    await vi.advanceTimersByTimeAsync(11_000);
    expect(keeper.read().state).toBe('saved');
    expect(server.text).toBe('xone\n');
  });

  it('overwrites nobody: both texts stay until one is chosen', async () => {
    server.text = 'one\n';
    const { model, keeper } = open('one\n');
    server.text = 'ann one\n';
    write(model, 'mine ');
    await later();
    expect(keeper.read()).toMatchObject({ state: 'conflict', theirs: { text: 'ann one\n', by: 'ann' } });
    expect(server.text).toBe('ann one\n');
    expect(model.text).toBe('mine one\n');
    // What is written on meanwhile is not sent, and not lost.
    write(model, 'still ');
    await later();
    expect(server.text).toBe('ann one\n');
    expect(localStorage.getItem('relance-journey:a')).toContain('still mine one');
    keeper.resolve('ann and mine one\n');
    await later();
    expect(server.text).toBe('ann and mine one\n');
    expect(keeper.read().state).toBe('saved');
    model.undo();
    expect(model.text).toBe('still mine one\n');
  });

  it('shows what another wrote while nothing of one’s own is open', () => {
    server.text = 'one\n';
    const { model, keeper } = open('one\n');
    keeper.remote({ text: 'ann one\n', revision: 'r:ann one\n', by: 'ann', updated_at: '' }, 'one\n');
    expect(model.text).toBe('ann one\n');
    expect(keeper.read()).toMatchObject({ news: 'replaced', newsBy: 'ann' });
    model.undo();
    expect(model.text).toBe('one\n');
  });

  it('goes on when somebody has published it meanwhile', async () => {
    server.text = 'one\n';
    const { model, keeper } = open('one\n');
    // Nobody told of it: the next writing finds out.
    server.text = undefined;
    server.put.mockRejectedValueOnce(new Failure(412, { code: 'stale' }));
    write(model, 'mine ');
    await later();
    expect(server.text).toBe('mine one\n');
    expect(keeper.read().state).toBe('saved');
    // Told of it, the text in force is shown.
    keeper.remote(null, 'published\n');
    expect(model.text).toBe('published\n');
    expect(keeper.saved).toEqual({ text: 'published\n', revision: undefined });
  });

  it('asks when an old copy meets what somebody else wrote since', () => {
    localStorage.setItem(
      'relance-journey:a',
      JSON.stringify({ text: 'old mine\n', revision: 'r:old\n', at: 1 }),
    );
    server.text = 'theirs\n';
    const { model, keeper } = open('theirs\n');
    expect(model.text).toBe('old mine\n');
    expect(keeper.read()).toMatchObject({ state: 'conflict', theirs: { text: 'theirs\n' } });
    keeper.resolve('theirs\n');
    expect(model.text).toBe('theirs\n');
    expect(keeper.read().state).toBe('saved');
  });
});

describe('the history', () => {
  it('is one for typed changes and those of the canvas', () => {
    const model = new TextModel('a\n');
    model.change([{ from: 0, to: 1, insert: 'b' }]);
    model.dispatch({ changes: { from: 1, insert: '!' }, userEvent: 'input.type' });
    model.replace('c!\n');
    expect(model.text).toBe('c!\n');
    model.undo();
    model.undo();
    model.undo();
    expect(model.text).toBe('a\n');
    model.redo();
    expect(model.text).toBe('b\n');
    expect(model.canUndo && model.canRedo).toBe(true);
  });
});
