import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Call, serve, showAt } from '../../testing/address';
import { Approvals } from './Approvals';

const QUESTION = {
  journey: 'offer-no-reply',
  template: 'offer-reminder-1',
  channel: 'email',
  asked_at: '2026-12-01T00:00:00Z',
  expires_at: '2026-12-08T00:00:00Z',
  deputy_at: null,
  deputy: null,
  by: 'owner',
  lapse: 'skip',
};

function question(number: number, company: string) {
  return {
    ...QUESTION,
    id: `tp_${number}`,
    contact: `con_${number}`,
    subject: `document:doc-${number}`,
    to: { id: `con_${number}`, created_at: '', traits: { name: `Person ${number}`, company } },
    about: {
      kind: 'invoice',
      number: `INV-${number}`,
      amount: 100 * number,
      currency: 'EUR',
      due: '2026-11-30',
    },
  };
}

/** Three questions with numbers of their own: what one test answered stays answered for the next. */
const questions = (first: number) => [
  question(first + 1, 'Alder'),
  question(first + 2, 'Alder'),
  question(first + 3, 'Briar'),
];
const PREVIEW = {
  from: 'a@b.example',
  from_name: 'Anna',
  to: ['p@q.example'],
  subject: 'Re: Invoice',
  text: 'Hello',
  html: null,
  language: 'en',
  problems: [],
};

const answers =
  (first: number) =>
  ({ method, path, body }: Call): unknown => {
    if (path === '/api/v1/overview') {
      return { now: '2026-12-02T09:00:00Z', waiting: { approvals: { count: 3, exact: true } } };
    }
    if (method === 'POST') {
      const { answers: said } = body as { answers: { id: string }[] };
      return { items: said.map(({ id }) => ({ id, done: true, detail: null })) };
    }
    if (path === '/api/v1/approvals') {
      return { items: questions(first), next: null };
    }
    const one = questions(first).find(({ id }) => path === `/api/v1/approvals/${id}`);
    return one && { ...one, editable: 'Re: Invoice\n\nHello', preview: PREVIEW };
  };

const said = (calls: Call[]) => calls.filter((call) => call.method === 'POST').map((call) => call.body);

describe('approvals', () => {
  beforeEach(() => {
    sessionStorage.clear();
    localStorage.clear();
  });

  it('stand by client, beside the message as it would go', async () => {
    serve(answers(0));
    showAt('/approvals', Approvals, '/approvals');
    const list = await screen.findByRole('list', { name: 'Messages to approve' });
    await within(list).findByText('Alder');
    expect(within(list).getByText('Briar')).toBeVisible();
    expect(within(list).getAllByText('2 days overdue')).toHaveLength(3);
    const message = await screen.findByRole('region', { name: 'The message' });
    expect(await within(message).findByText('Hello')).toBeVisible();
    expect(within(message).getByText('Anna')).toBeVisible();
  });

  it('are answered by a key each, and taken back by one', async () => {
    const calls = serve(answers(10));
    const user = userEvent.setup();
    const { search, unmount } = showAt('/approvals', Approvals, '/approvals');
    await screen.findByText('Hello');
    await user.keyboard('a');
    expect(await screen.findByText('Approved: INV-11, Person 11')).toBeVisible();
    await waitFor(() => expect(search().q).toBe('tp_12'));
    await user.keyboard('s');
    await waitFor(() => expect(search().q).toBe('tp_13'));
    await user.keyboard('u');
    await waitFor(() => expect(search().q).toBe('tp_12'));
    await user.keyboard('c');
    await waitFor(() => expect(search().q).toBe('tp_13'));
    expect(said(calls)).toEqual([]);
    // Leaving the page sends what was answered.
    unmount();
    await waitFor(() =>
      expect(said(calls)).toEqual([
        { answers: [{ id: 'tp_11', answer: 'approve' }] },
        { answers: [{ id: 'tp_12', answer: 'call' }] },
      ]),
    );
  });

  it('go as they were rewritten', async () => {
    const calls = serve(answers(20));
    const user = userEvent.setup();
    const { unmount } = showAt('/approvals?q=tp_23', Approvals, '/approvals');
    await screen.findByText('Hello');
    await user.keyboard('e');
    const text = await screen.findByRole('textbox', { name: 'Text' });
    await waitFor(() => expect(text).toHaveFocus());
    await user.clear(text);
    await user.type(text, 'Good morning');
    await user.keyboard('{Control>}{Enter}{/Control}');
    unmount();
    const text3 = 'Re: Invoice\n\nGood morning';
    await waitFor(() =>
      expect(said(calls)).toEqual([{ answers: [{ id: 'tp_23', answer: 'approve', text: text3 }] }]),
    );
  });

  it('of a client are approved together', async () => {
    const calls = serve(answers(30));
    const user = userEvent.setup();
    const { unmount } = showAt('/approvals', Approvals, '/approvals');
    await screen.findByText('Hello');
    await user.click(screen.getByRole('button', { name: 'Approve 2' }));
    expect(await screen.findByText('2 messages approved')).toBeVisible();
    unmount();
    const both = [
      { id: 'tp_31', answer: 'approve' },
      { id: 'tp_32', answer: 'approve' },
    ];
    await waitFor(() => expect(said(calls)).toEqual([{ answers: both }]));
  });

  it('are not answered by what is typed for the search', async () => {
    const calls = serve(answers(50));
    const user = userEvent.setup();
    const { unmount } = showAt('/approvals', Approvals, '/approvals');
    await screen.findByText('Hello');
    await user.keyboard('{Control>}k{/Control}as');
    expect(screen.queryByText(/^Approved/)).not.toBeInTheDocument();
    unmount();
    expect(said(calls)).toEqual([]);
  });

  it('that are none say so, and when the next one comes', async () => {
    serve((call) => {
      if (call.path === '/api/v1/approvals') {
        return { items: [], next: null };
      }
      if (call.path === '/api/v1/documents') {
        const next = { what: 'wait', at: '2026-12-04T09:00:00Z' };
        return { items: [{ contact: 'con_1', id: 'd', fields: {}, next }], next: null };
      }
      return answers(40)(call);
    });
    showAt('/approvals', Approvals, '/approvals');
    expect(await screen.findByText('Nothing waits for you')).toBeVisible();
    expect(await screen.findByText(/The next one is due in 2 days/)).toBeVisible();
  });
});
