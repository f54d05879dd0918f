import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';
import { type Call, serve, showAt } from '../../testing/address';
import { Payments } from './Payments';

const candidate = (number: string, reasons: string[], open = '500') => ({
  contact: `con_${number}`,
  document: `doc_${number}`,
  number,
  client: 'Alder & Sons',
  open,
  reasons,
});
const payment = (id: string, name: string, candidates: object[]) => ({
  id,
  at: '2026-11-17',
  amount: '1000',
  currency: 'EUR',
  payer: { name },
  reference: `text of ${name}`,
  state: 'unclear',
  documents: [],
  candidates,
  statement: 'st_0123456789',
});
const CLEAR = payment('pay_1', 'Alder', [
  candidate('INV-1', ['number', 'payer_name']),
  candidate('INV-2', ['amount']),
]);
const DOUBTFUL = payment('pay_2', 'Birch', [candidate('INV-3', ['number', 'other_currency'])]);

function server(items: object[] = [CLEAR, DOUBTFUL]) {
  let decided = 0;
  return serve(({ method, path }: Call) => {
    if (path === '/api/v1/payments/counts') {
      return {
        unclear: items.length - decided,
        matched: 4,
        part: 0,
        over: 0,
        joint: 0,
        ignored: 0,
        exact: true,
      };
    }
    if (path === '/api/v1/payments') {
      return { items: items.slice(decided), next: null };
    }
    if (path === '/api/v1/documents') {
      return { items: [], next: null };
    }
    if (method === 'POST' && path.startsWith('/api/v1/payments/')) {
      decided = path.endsWith('/undo') ? 0 : 1;
      return CLEAR;
    }
    return undefined;
  });
}

const told = (calls: Call[]) =>
  calls
    .filter((call) => call.method === 'POST')
    .map((call) => [call.path.replace('/api/v1/payments/', ''), call.body]);
const open = () => showAt('/payments', Payments, '/payments');

describe('payments', () => {
  it('puts an unclear one to its best candidate by Enter, goes on, and takes it back', async () => {
    const calls = server();
    const user = userEvent.setup();
    open();
    const shown = within(await screen.findByRole('region', { name: 'The payment' }));
    expect(shown.getByText('Number in the text')).toBeVisible();
    expect(await screen.findByText('2 payments need a person')).toBeVisible();
    await shown.findByRole('button', { name: 'Apply to INV-1' });
    await user.keyboard('{Enter}');
    const said = { documents: [{ contact: 'con_INV-1', document: 'doc_INV-1' }] };
    await waitFor(() => expect(told(calls)).toEqual([['pay_1/assign', said]]));
    expect(await screen.findByRole('heading', { name: 'Birch' })).toBeVisible();
    await user.click(await screen.findByRole('button', { name: 'Undo' }));
    await waitFor(() => expect(told(calls).at(-1)?.[0]).toBe('pay_1/undo'));
    await waitFor(() => expect(screen.getAllByText('Alder').length).toBeGreaterThan(0));
  });

  it('does not put one by Enter where something speaks against it; i ignores it', async () => {
    const calls = server([DOUBTFUL]);
    const user = userEvent.setup();
    open();
    expect(await screen.findByText('Another currency')).toBeVisible();
    await screen.findByRole('button', { name: 'Apply to INV-3' });
    await user.keyboard('{Enter}');
    await user.keyboard('i');
    await waitFor(() => expect(told(calls)).toEqual([['pay_2/ignore', undefined]]));
  });

  it('is split over several invoices, never more than came', async () => {
    const calls = server();
    const user = userEvent.setup();
    open();
    await user.click(await screen.findByRole('button', { name: /Split/ }));
    const dialog = within(await screen.findByRole('dialog'));
    const second = await dialog.findByLabelText('Amount for INV-2');
    expect(second).toHaveValue('500');
    await user.clear(second);
    await user.type(second, '600,50');
    expect(dialog.getByText('€100.50 more than came')).toBeVisible();
    expect(dialog.getByRole('button', { name: 'Apply' })).toBeDisabled();
    await user.clear(second);
    await user.type(second, '400,50');
    await user.click(dialog.getByRole('button', { name: 'Apply' }));
    await waitFor(() =>
      expect(told(calls)[0]?.[1]).toEqual({
        documents: [
          { contact: 'con_INV-1', document: 'doc_INV-1', amount: '500' },
          { contact: 'con_INV-2', document: 'doc_INV-2', amount: '400.50' },
        ],
      }),
    );
  });

  it('says of each statement what became of it', async () => {
    serve(({ path, query }: Call) => {
      if (path === '/api/v1/statements') {
        return query.get('name') === 'good.xml'
          ? {
              id: 'st_1',
              format: 'camt.053',
              account: 'DE02',
              currency: 'EUR',
              entries: 7,
              outgoing: 0,
              new: 5,
              known: 2,
              matched: 3,
              part: 1,
              over: 0,
              joint: 0,
              unclear: 1,
              reversed: 0,
              accounts: [],
            }
          : undefined;
      }
      if (path === '/api/v1/payments/counts') {
        return { unclear: 0, matched: 0, part: 0, over: 0, joint: 0, ignored: 0, exact: true };
      }
      return path === '/api/v1/payments' ? { items: [], next: null } : undefined;
    });
    const user = userEvent.setup();
    const { container } = open();
    expect(await screen.findByText('Import the first bank statement')).toBeVisible();
    const input = container.ownerDocument.querySelector<HTMLInputElement>('input[type=file]');
    expect(input).not.toBeNull();
    const files = ['good.xml', 'bad.xml'].map((name) => new File(['"statement"'], name));
    await user.upload(input as HTMLInputElement, files);
    expect(
      await screen.findByText('7 payments found · 2 known already · 4 matched · 1 needs a person'),
    ).toBeVisible();
    expect(await screen.findByText('It is not there')).toBeVisible();
    expect(screen.getByText('bad.xml')).toBeVisible();
  });
});
