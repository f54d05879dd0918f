import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';
import { type Call, serve, showAt } from '../../testing/address';
import { Document } from './Document';

const LATE = {
  contact: 'con_1',
  id: 'a/b@c',
  kind: 'document',
  fields: { number: 'INV-1', kind: 'invoice' },
  document_kind: 'invoice',
  amount: '1850',
  currency: 'EUR',
  due: '2026-11-30',
  state: 'open',
  client: 'Alder & Sons',
  created_at: '2026-11-01T00:00:00Z',
  updated_at: '2026-11-01T00:00:00Z',
};
const PATH = '/api/v1/contacts/con_1/documents/a/b@c';

function server() {
  let state = 'open';
  return serve(({ method, path, body }: Call) => {
    if (path === '/api/v1/overview') {
      return { now: '2026-12-02T09:00:00Z' };
    }
    if (method === 'POST') {
      state = (body as { paid: boolean }).paid ? 'paid' : 'open';
      return {};
    }
    const at = '2026-11-27T16:20:00Z';
    return {
      document: { ...LATE, state },
      contact: { id: 'con_1', created_at: at, traits: {} },
      messages: [
        {
          id: 'tp_1',
          channel: 'email',
          template: 'invoice-overdue',
          journey: 'j',
          state: 'dropped',
          at,
          created_at: at,
          reason: 'approval',
        },
      ],
      ledger: [{ at, what: 'skipped', sentence: 'The message was not approved.' }],
      tasks: [],
      next: { what: 'task', at: '2026-12-03T09:00:00Z' },
    };
  });
}

describe('a document', () => {
  it('says what was sent about it, what comes next, and why', async () => {
    server();
    showAt('/documents/con_1/a%2Fb%40c', Document, '/documents/$contact/$document');
    expect(await screen.findByRole('heading', { name: 'Invoice INV-1' })).toBeVisible();
    expect(await screen.findByText('2 days late')).toBeVisible();
    expect(screen.getByText('nobody has approved it')).toBeVisible();
    expect(screen.getAllByText('The message was not approved.')[0]).toBeVisible();
    expect(await screen.findByText(/tomorrow|in 1 day|in 24 hours/)).toBeVisible();
  });

  it('is marked as paid at once, and that is taken back', async () => {
    const calls = server();
    const user = userEvent.setup();
    showAt('/documents/con_1/a%2Fb%40c', Document, '/documents/$contact/$document');
    await user.click(await screen.findByRole('button', { name: 'Mark as paid' }));
    const told = () => calls.filter((call) => call.method === 'POST').map((call) => [call.path, call.body]);
    await waitFor(() => expect(told()).toEqual([[`${PATH}/paid`, { paid: true }]]));
    await waitFor(() =>
      expect(screen.queryByRole('button', { name: 'Mark as paid' })).not.toBeInTheDocument(),
    );
    await user.click(await screen.findByRole('button', { name: 'Undo' }));
    await waitFor(() => expect(told().at(-1)).toEqual([`${PATH}/paid`, { paid: false }]));
  });
});

describe('a document that was read wrongly', () => {
  it('is corrected, and said to be none; both are taken back', async () => {
    const calls = server();
    const user = userEvent.setup();
    showAt('/documents/con_1/a%2Fb%40c', Document, '/documents/$contact/$document');
    const told = () => calls.filter((call) => call.path === `${PATH}/correct`).map((call) => call.body);
    await user.click(await screen.findByRole('button', { name: 'Correct' }));
    const amount = await screen.findByLabelText('Amount');
    await user.clear(amount);
    await user.type(amount, '1 900,50');
    await user.click(screen.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(told()).toEqual([{ kind: 'invoice', fields: { amount: '1900.50' } }]));
    await user.click(await screen.findByRole('button', { name: 'Undo' }));
    await waitFor(() => expect(told().at(-1)).toEqual({ kind: 'invoice', fields: { amount: '1850' } }));
    await user.click(await screen.findByRole('button', { name: 'Correct' }));
    await user.click(await screen.findByText('Not a document'));
    await user.click(screen.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(told().at(-1)).toEqual({ kind: 'never' }));
  });
});
