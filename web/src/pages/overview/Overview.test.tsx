import { screen, within } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { queries } from '../../api/queries';
import { showAt } from '../../testing/render';
import type { Answer, Day } from './calls';
import { Overview } from './Overview';

const day = (sent: number): Day => ({
  date: '2026-11-22',
  sent,
  replied: 0,
  held: 0,
  documents: 0,
  paid: 0,
  enrolled: 0,
  converted: 0,
  tasks_done: 0,
});

const overview: Answer = {
  now: '2026-11-22T10:00:00Z',
  zone: 'UTC',
  quiet: false,
  contacts: 25,
  events: 800,
  timers: 30,
  tasks: 12,
  queued: 0,
  held: 1,
  awaiting_approval: 7,
  sending: 0,
  accepted: 120,
  not_accepted: 14,
  today: day(17),
  days: [day(3), day(12), day(17)],
  own: false,
  waiting: {
    approvals: { count: 7, exact: true },
    tasks: { count: 1, exact: true },
    documents: { count: 200, exact: false },
    documents_amount: [{ currency: 'EUR', count: 20, amount: '184500.00' }],
  },
  mailboxes: {
    'works@shop.test': {
      state: 'live',
      code: null,
      since: null,
      synced_at: '2026-11-22T09:59:00Z',
      failure: null,
      seen: 4,
      unreadable: 0,
      unreadable_last: null,
    },
    'broken@shop.test': {
      state: 'login_refused',
      code: 'password_refused',
      since: '2026-11-22T02:00:00Z',
      synced_at: null,
      failure: 'the login was refused',
      seen: 0,
      unreadable: 0,
      unreadable_last: null,
    },
  },
};

const session = { permissions: ['see', 'approve'], workspace: { name: 'Shop', zone: 'UTC' }, user: null };

function server(answers: Record<string, unknown>) {
  vi.stubGlobal('fetch', async (request: Request) => {
    const url = new URL(request.url);
    const answer = answers[url.pathname + url.search] ?? answers[url.pathname];
    return answer === undefined
      ? new Response(JSON.stringify({ code: 'not_found', detail: 'no such list' }), { status: 404 })
      : new Response(JSON.stringify(answer), { status: 200 });
  });
}

afterEach(() => {
  vi.unstubAllGlobals();
  queries.clear();
});

describe('the overview', () => {
  it('leads to what waits, tells today, and puts the broken mailbox first', async () => {
    const line = { contact: 'con_1', contact_name: 'Kate Doyle', at: '2026-11-22T09:00:00Z' };
    server({
      '/api/v1/session': session,
      '/api/v1/overview': overview,
      '/api/v1/feed': {
        items: [
          { ...line, what: 'held', ledger: { sentence: 'The message waits for the end of quiet hours.' } },
          { ...line, what: 'paid', event: { name: 'Document Paid', properties: { number: 'R-7' } } },
          { ...line, what: 'something new' },
        ],
        next: null,
      },
    });
    showAt(<Overview />);
    const approvals = await screen.findByRole('link', { name: /messages to approve/ });
    expect(approvals).toHaveTextContent('7');
    expect(approvals).toHaveAttribute('href', '/approvals');
    expect(screen.getByRole('link', { name: /overdue documents/ })).toHaveTextContent('200+');
    expect(screen.getByRole('link', { name: /Messages sent/ })).toHaveTextContent('17in 14 days 32');
    const [kate] = await screen.findAllByRole('link', { name: 'Kate Doyle' });
    expect(kate).toHaveAttribute('href', '/contacts/con_1');
    expect(screen.getByText(/quiet hours/)).toBeVisible();
    expect(screen.getByText('Document R-7 is paid')).toBeVisible();
    const boxes = within(screen.getByRole('region', { name: 'Mailboxes and channels' })).getAllByRole(
      'listitem',
    );
    expect(boxes[0]).toHaveTextContent('broken@shop.test');
    expect(boxes[0]).toHaveTextContent('the login was refused');
    expect(boxes[0]).toHaveTextContent('Connect it again with the new one');
    expect(boxes[0]).toHaveTextContent('its reminders are held');
  });

  it('of a new workspace is a list of first steps', async () => {
    server({
      '/api/v1/session': session,
      '/api/v1/overview': { ...overview, contacts: 0, events: 0, mailboxes: {} },
      '/api/v1/journeys': { items: [{ id: 'welcome' }] },
    });
    showAt(<Overview />);
    expect(await screen.findByText('Connect a mailbox', undefined, { timeout: 5_000 })).toBeVisible();
    expect(screen.getByText(/curl -u WRITE_KEY:/)).toBeVisible();
    // What is done is ticked off, and needs no more words.
    expect(await screen.findByRole('img', { name: 'Done' })).toBeVisible();
    expect(screen.queryByText(/Ready journeys with their templates/)).not.toBeInTheDocument();
    expect(screen.queryByRole('link', { name: /messages to approve/ })).not.toBeInTheDocument();
  });

  it('that knows documents and follows none up says what is next', async () => {
    const channels = [{ channel: 'email', ready: true, by: 'outbox' }];
    server({
      '/api/v1/session': { ...session, permissions: ['see', 'journeys', 'settings'] },
      '/api/v1/overview': overview,
      '/api/v1/journeys': { items: [{ id: 'offer', current: null }] },
      '/api/v1/settings': { channels, sections: [], configuration: {} },
    });
    showAt(<Overview />);
    const next = await screen.findByRole('region', { name: 'Next steps' });
    expect(within(next).getByRole('link', { name: 'Read and publish' })).toBeVisible();
    expect(within(next).getByRole('link', { name: 'To the open documents' })).toBeVisible();
    expect(await within(next).findByRole('link', { name: 'Begin to send' })).toBeVisible();
    expect(within(next).getAllByRole('img', { name: 'Done' })).toHaveLength(1);
  });

  it('whose journeys run says nothing of next steps', async () => {
    server({
      '/api/v1/session': { ...session, permissions: ['see', 'approve', 'journeys', 'settings'] },
      '/api/v1/overview': { ...overview, today: { ...day(17), enrolled: 2 } },
      '/api/v1/journeys': { items: [] },
    });
    showAt(<Overview />);
    await screen.findByRole('link', { name: /messages to approve/ });
    expect(screen.queryByRole('region', { name: 'Next steps' })).not.toBeInTheDocument();
  });

  it('says what failed, and tries again', async () => {
    server({ '/api/v1/session': session });
    showAt(<Overview />);
    expect(await screen.findByText('It is not there')).toBeVisible();
    expect(screen.getByRole('button', { name: 'Try again' })).toBeVisible();
  });
});
