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
const MAILED = {
  mailbox: 'emma@northlight.example',
  to: 'kate@saltmarsh.example',
  mail_subject: 'Your price',
};

/** `wrong`: what the server says of a rule. */
function server(mailed: object = {}, wrong?: object) {
  let state = 'open';
  return serve(({ method, path, body }: Call) => {
    if (path === `${PATH}/correct`) {
      const { remember } = body as { remember?: object };
      if (remember !== undefined && wrong !== undefined) {
        return Response.json({ code: 'bad_rule', detail: 'no', fields: [wrong] }, { status: 422 });
      }
      return remember === undefined ? {} : { remembered: { id: 'own-1' } };
    }
    if (path === '/api/v1/overview') {
      return { now: '2026-12-02T09:00:00Z' };
    }
    if (method === 'POST') {
      state = (body as { paid: boolean }).paid ? 'paid' : 'open';
      return {};
    }
    const at = '2026-11-27T16:20:00Z';
    return {
      document: { ...LATE, fields: { ...LATE.fields, ...mailed }, state },
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
      replies: [
        {
          at: '2026-11-28T08:00:00Z',
          from: 'pat@alder.test',
          automatic: false,
          text: 'Please ask me again in two weeks.',
          intent: 'later',
          date: '2026-12-12',
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
    expect(screen.getByText('The client answered')).toBeVisible();
    expect(screen.getByText(/ask again later, Dec 12/)).toBeVisible();
    expect(screen.getByText('Please ask me again in two weeks.')).toBeVisible();
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

  it('is never one again, in mails like this; taken back, the rule goes with it', async () => {
    const calls = server(MAILED);
    const user = userEvent.setup();
    showAt('/documents/con_1/a%2Fb%40c', Document, '/documents/$contact/$document');
    await user.click(await screen.findByRole('button', { name: 'Correct' }));
    await user.click(await screen.findByText('Not a document'));
    await user.click(screen.getByRole('checkbox', { name: 'Never from mails like this' }));
    expect(screen.getByRole('textbox', { name: 'Recipient' })).toHaveValue('kate@saltmarsh.example');
    await user.click(screen.getByRole('radio', { name: 'Words in the subject' }));
    await user.click(screen.getByRole('button', { name: 'Save' }));
    await user.click(await screen.findByRole('button', { name: 'Undo' }));
    const told = () =>
      calls.filter((call) => call.method !== 'GET').map((call) => [call.method, call.path, call.body]);
    await waitFor(() =>
      expect(told()).toEqual([
        ['POST', `${PATH}/correct`, { kind: 'never', remember: { subject: 'Your price' } }],
        ['DELETE', '/api/v1/recognition/rules/own-1', undefined],
        ['POST', `${PATH}/correct`, { kind: 'invoice' }],
      ]),
    );
  });

  it('says at the field what is wrong with the rule', async () => {
    server(MAILED, { field: 'when.subject', code: 'too_short', message: 'no' });
    const user = userEvent.setup();
    showAt('/documents/con_1/a%2Fb%40c', Document, '/documents/$contact/$document');
    await user.click(await screen.findByRole('button', { name: 'Correct' }));
    await user.click(await screen.findByRole('checkbox', { name: 'Always an invoice, in mails like this' }));
    await user.click(screen.getByRole('button', { name: 'Save' }));
    expect(await screen.findByText('Write a word of at least two letters or digits.')).toBeVisible();
  });
});
