import { fireEvent, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { show } from '../../../testing/render';
import { examples } from '../model/examples';
import { DraftKeeper } from '../text/DraftKeeper';
import { TextModel } from '../text/TextModel';
import { EditTab } from './EditTab';

const address = vi.hoisted(() => ({ search: {} as Record<string, unknown>, told: new Set<() => void>() }));
vi.mock('../../../shared/useAddress', async () => {
  const { useCallback, useReducer, useEffect } = await import('react');
  return {
    textOf: (value: unknown) => (value === undefined ? undefined : String(value)),
    useAddress: () => {
      const [, again] = useReducer((count: number) => count + 1, 0);
      useEffect(() => {
        address.told.add(again);
        return () => {
          address.told.delete(again);
        };
      }, []);
      const change = useCallback((patch: Record<string, unknown>) => {
        address.search = { ...address.search, ...patch };
        for (const tell of address.told) {
          tell();
        }
      }, []);
      return [address.search, change];
    },
  };
});
vi.mock('@tanstack/react-router', async (original) => ({
  ...(await original<object>()),
  Link: ({ children }: { children: React.ReactNode }) => <span>{children}</span>,
}));

const OFFER = examples().find((one) => one.name === 'offer-by-amount.yaml')?.text ?? '';
const NAMES = { events: [], templates: ['offer-reminder-1'], segments: [], journeys: [], lists: [] };
const PROBLEM = { path: 'steps[1].template', line: 19, what: 'no such template', remedy: 'add it' };

function open(text = OFFER, mayWrite = true) {
  const model = new TextModel(text);
  const put = vi.fn(async (saved: string) => ({ id: 'a', problems: [], revision: saved, updated_at: '' }));
  const keeper = new DraftKeeper('a', model, { text, revision: undefined }, put);
  const part = (
    <EditTab keeper={keeper} text={model.text} kept={keeper.read()} names={NAMES} mayWrite={mayWrite} />
  );
  const shown = show(part);
  return { model, keeper, ...shown };
}

// The machine that tests may be busy, and queries by role go through the whole page.
vi.setConfig({ testTimeout: 30_000 });

describe('the editor', () => {
  beforeEach(() => {
    address.search = {};
    localStorage.clear();
    vi.stubGlobal(
      'fetch',
      vi.fn(async () => Response.json({ problems: [PROBLEM], steps: [] })),
    );
  });

  it('says each step in a sentence, with the server’s problems beside it', async () => {
    open();
    expect(
      await screen.findByRole('button', { name: /^When “Document Sent” happens, where kind = offer/ }),
    ).toBeVisible();
    expect(
      screen.getByRole('button', { name: /^Wait 3 working days, then between 9:00 and 18:00, Mon–Fri/ }),
    ).toBeVisible();
    expect(
      await screen.findByRole('button', { name: /Send e-mail “offer-reminder-1”.*1 problem/ }),
    ).toBeVisible();
    await userEvent.click(screen.getByRole('button', { name: '1 problem' }));
    await userEvent.click(await screen.findByRole('button', { name: /no such template/ }));
    expect(address.search.step).toBe('2');
  });

  it('changes a step in its form, and only its line of the text', async () => {
    address.search = { step: '3' };
    const { model } = open();
    const field = await screen.findByRole('textbox', { name: 'How long' });
    fireEvent.change(field, { target: { value: '6' } });
    fireEvent.blur(field);
    await waitFor(() => expect(model.text).toBe(OFFER.replace('wait: 4d', 'wait: 6d')));
    model.undo();
    expect(model.text).toBe(OFFER);
  });

  it('takes steps away and back by keys', async () => {
    const { model } = open();
    const wait = await screen.findByRole('button', { name: /^Wait 4 days/ });
    wait.focus();
    fireEvent.keyDown(wait, { key: 'Delete' });
    expect(model.text).toBe(OFFER.replace('  - wait: 4d\n', ''));
    fireEvent.keyDown(wait, { key: 'z', ctrlKey: true });
    expect(model.text).toBe(OFFER);
    const trigger = screen.getByRole('button', { name: /^When “Document Sent”/ });
    trigger.focus();
    fireEvent.keyDown(trigger, { key: 'ArrowDown' });
    expect(document.activeElement).toHaveAccessibleName(/^Wait 3 working days/);
  });

  it('keeps the last good picture while the text cannot be read', async () => {
    open(`${OFFER}  broken: [`);
    expect(await screen.findByText(/The text cannot be read \(line/)).toBeVisible();
  });

  it('is for reading where nothing may be written', async () => {
    address.search = { step: '3' };
    open(OFFER, false);
    expect(await screen.findByRole('button', { name: /^Wait 4 days/ })).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Add a step here' })).toBeNull();
    expect(screen.queryByRole('textbox', { name: 'How long' })).toBeNull();
  });
});
