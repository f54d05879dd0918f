import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';
import { type Call, serve, showAt } from '../../testing/address';
import { Documents } from './Documents';

const ROW = {
  contact: 'con_1',
  id: 'doc-1',
  kind: 'document',
  fields: { number: 'INV-1', kind: 'invoice' },
  document_kind: 'invoice',
  amount: '1850',
  currency: 'EUR',
  issued: '2026-11-01',
  due: '2026-11-30',
  state: 'open',
  client: 'Alder & Sons',
  created_at: '2026-11-01T00:00:00Z',
  updated_at: '2026-11-01T00:00:00Z',
};

function answers({ method, path }: Call): unknown {
  switch (path) {
    case '/api/v1/overview':
      return { now: '2026-12-02T09:00:00Z' };
    case '/api/v1/documents':
      return { items: [ROW], next: null };
    case '/api/v1/documents/totals':
      return {
        items: [{ currency: 'EUR', count: 1, amount: '1850.5' }],
        count: 1,
        states: { open: 1 },
        exact: true,
      };
    case '/api/v1/views/documents':
      return { items: [{ name: 'Late', view: { overdue: true, sort: 'due', order: 'asc' } }] };
    default:
      return method === 'GET' ? undefined : {};
  }
}

const asked = (calls: Call[]) =>
  calls
    .filter((call) => call.path === '/api/v1/documents')
    .at(-1)
    ?.query.toString();

describe('documents', () => {
  it('show what they amount to', async () => {
    serve(answers);
    showAt('/documents', Documents, '/documents');
    expect(await screen.findByText('1 document · €1,850.50')).toBeVisible();
  });

  it('are filtered by what stands in the address, and a view sets it', async () => {
    const calls = serve(answers);
    const user = userEvent.setup();
    const { search } = showAt('/documents?state=open&kind=invoice', Documents, '/documents');
    await waitFor(() => expect(asked(calls)).toBe('limit=50&kind=invoice&state=open&sort=issued&order=desc'));
    await user.click(await screen.findByRole('tab', { name: 'Late' }));
    await waitFor(() => expect(search()).toMatchObject({ view: 'Late', overdue: true, sort: 'due' }));
    expect(search().kind).toBeUndefined();
    await waitFor(() => expect(asked(calls)).toBe('limit=50&overdue=true&sort=due&order=asc'));
  });

  it('that are chosen are followed up by a journey, and what is left out says why', async () => {
    const calls = serve((call) => {
      switch (`${call.method} ${call.path}`) {
        case 'GET /api/v1/session':
          return { permissions: ['see', 'work'], workspace: { name: 'Shop', zone: 'UTC' }, user: null };
        case 'GET /api/v1/documents/follow-up':
          return { items: [{ id: 'unpaid', name: 'Invoice without payment' }] };
        case 'POST /api/v1/documents/follow-up':
          return { items: [{ contact: 'con_1', document: 'doc-1', begun: false, reason: 'settled' }] };
        default:
          return answers(call);
      }
    });
    const user = userEvent.setup();
    showAt('/documents', Documents, '/documents');
    await user.click(await screen.findByRole('checkbox', { name: /INV-1/ }));
    await user.click(screen.getByRole('button', { name: 'Follow up' }));
    await user.click(await screen.findByRole('menuitem', { name: 'Invoice without payment' }));
    expect(await screen.findByText(/1 was left out: nothing is expected of the document/)).toBeVisible();
    const sent = calls.find((call) => call.method === 'POST');
    expect(sent?.body).toEqual({ journey: 'unpaid', documents: [{ contact: 'con_1', document: 'doc-1' }] });
  });
});
