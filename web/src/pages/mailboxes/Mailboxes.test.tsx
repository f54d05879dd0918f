import { notifications } from '@mantine/notifications';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { showAt } from '../../testing/address';
import type { Found, Gone, Mailbox } from './calls';
import { Mailboxes } from './Mailboxes';

const ANNA: Mailbox = {
  address: 'anna@example.com',
  name: 'Anna',
  origin: 'here',
  provider: 'gmail',
  auth: 'oauth',
  state: 'live',
  synced_at: '2026-11-22T10:00:00Z',
  failure: null,
  progress: null,
  folders: { inbox: 'INBOX', sent: 'Sent' },
  seen: 12,
  unreadable: 0,
  aliases: [],
  members: [],
  imap: { host: 'imap.example.com', port: 993, tls: 'implicit' },
  smtp: null,
  revision: '1',
  editable: true,
};
const REFUSED: Mailbox = {
  ...ANNA,
  address: 'boris@example.com',
  name: null,
  auth: 'password',
  provider: null,
  state: 'login_refused',
  failure: { code: 'password_refused', text: 'NO Invalid credentials', since: '2026-11-22T08:00:00Z' },
};
const FOUND: Found = {
  provider: null,
  name: null,
  source: 'autoconfig',
  imap: { host: 'imap.example.com', port: 993, tls: 'implicit' },
  smtp: { host: 'smtp.example.com', port: 465, tls: 'implicit' },
  auth: ['password'],
  oauth: null,
  oauth_ready: false,
  hint: 'none',
};

type Call = { call: string; body: unknown };
type Given = { gone?: Gone[]; boxes?: Mailbox[]; found?: Partial<Found>; permissions?: string[] };

/** A server with mailboxes; whatever password but `right` is refused. */
function server({ gone = [], boxes = [], found = {}, permissions = ['see', 'work', 'settings'] }: Given) {
  const all = [...boxes];
  const calls: Call[] = [];
  const answer = (call: string, body: Record<string, unknown>): unknown => {
    switch (call) {
      case 'GET /api/v1/session':
        return { permissions, user: { address: 'anna@example.com' }, workspace: { zone: 'UTC' } };
      case 'GET /api/v1/mailboxes':
        return { items: all, next: null, oauth: [], gone };
      case 'POST /api/v1/mailboxes/olga@example.com/forget':
        gone.length = 0;
        return {};
      case 'POST /api/v1/mailboxes/discover':
        return { ...FOUND, ...found };
      case 'POST /api/v1/mailboxes/check': {
        const ok = body.password === 'right';
        const login = ok
          ? { step: 'login', ok, code: 'ok', text: '' }
          : { step: 'login', ok, code: 'password_refused', text: 'NO Invalid credentials' };
        return {
          ok,
          steps: [{ step: 'connect', ok: true, code: 'ok', text: '' }, login],
          folders: [{ name: 'INBOX', role: 'inbox', marked: true }],
        };
      }
      case 'PUT /api/v1/mailboxes/new@example.com':
        all.push({
          ...ANNA,
          address: 'new@example.com',
          state: 'synchronising',
          progress: { done: 40, total: 100 },
        });
        return all.at(-1);
      case 'DELETE /api/v1/mailboxes/anna@example.com':
        return { revoked: 'by_hand' };
      default:
        return call.startsWith('GET') ? undefined : {};
    }
  };
  vi.stubGlobal('fetch', async (request: Request) => {
    const call = `${request.method} ${decodeURIComponent(new URL(request.url).pathname)}`;
    const text = request.method === 'GET' ? '' : await request.text();
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    calls.push({ call, body });
    const told = answer(call, (body ?? {}) as Record<string, unknown>);
    return told === undefined ? Response.json({ code: 'not_found' }, { status: 404 }) : Response.json(told);
  });
  return calls;
}

const open = (address = '/settings/mailboxes') => showAt(address, Mailboxes, '/settings/mailboxes');

beforeEach(() => localStorage.clear());
afterEach(() => {
  vi.unstubAllGlobals();
  notifications.clean();
});

describe('mailboxes', () => {
  it('are connected by a password: a wrong one is told at its step, then the first reading', async () => {
    const calls = server({});
    open();
    await userEvent.click(await screen.findByRole('button', { name: 'Connect a mailbox' }));
    const address = await screen.findByLabelText('E-mail address');
    await userEvent.type(address, 'new@example.com{Enter}');
    const password = await screen.findByLabelText('Password');
    await userEvent.type(password, 'wrong{Enter}');
    expect(await screen.findByText(/refuses this password/)).toBeVisible();
    expect(screen.getByText('NO Invalid credentials')).toBeVisible();
    // Nothing is kept before it works.
    expect(calls.some(({ call }) => call.startsWith('PUT'))).toBe(false);
    await userEvent.clear(password);
    await userEvent.type(password, 'right{Enter}');
    const done = await screen.findByRole('dialog', { name: 'Connected' });
    expect(within(done).getByText('40 of 100 mails')).toBeVisible();
    expect(within(done).getByRole('link', { name: /Try recognition/ })).toHaveAttribute(
      'href',
      '/recognition?mailbox=new%40example.com',
    );
    const put = calls.find(({ call }) => call === 'PUT /api/v1/mailboxes/new@example.com');
    expect(put?.body).toEqual({ imap: FOUND.imap, smtp: FOUND.smtp, password: 'right' });
  });

  it('are connected by one button where the provider has one', async () => {
    const google = { provider: 'gmail', name: 'Gmail', auth: ['oauth', 'password'], oauth: 'google' };
    server({ found: { ...google, oauth_ready: true, hint: 'app_password' } });
    open('/settings/mailboxes?connect=new@gmail.com');
    expect(await screen.findByRole('button', { name: 'Connect with Google' })).toBeEnabled();
    await userEvent.click(screen.getByRole('button', { name: 'Use a password instead' }));
    expect(await screen.findByLabelText('App password')).toBeVisible();
    expect(screen.getByText(/Google wants an app password/)).toBeVisible();
  });

  it('say what has to be set up before the button works', async () => {
    server({ found: { provider: 'microsoft', auth: ['oauth'], oauth: 'microsoft', hint: 'oauth_only' } });
    open('/settings/mailboxes?connect=new@example.com');
    expect(await screen.findByRole('button', { name: 'Connect with Microsoft' })).toBeDisabled();
    expect(screen.getByRole('link', { name: 'Set it up' })).toHaveAttribute('href', '/settings/channels');
    expect(screen.queryByRole('button', { name: /password/ })).toBeNull();
  });

  it('show what is wrong first, with the remedy', async () => {
    server({ boxes: [ANNA, REFUSED] });
    open();
    const rows = await screen.findAllByRole('listitem');
    expect(within(rows[0] as HTMLElement).getByText('boris@example.com')).toBeVisible();
    expect(within(rows[0] as HTMLElement).getByText(/refuses the password/)).toBeVisible();
    expect(within(rows[0] as HTMLElement).getByText(/reminders that depend on it are held/)).toBeVisible();
    expect(within(rows[0] as HTMLElement).getByRole('button', { name: 'Connect again' })).toBeVisible();
    expect(within(rows[1] as HTMLElement).getAllByText('live')).not.toHaveLength(0);
  });

  it('are removed only after it was said what that means', async () => {
    const calls = server({ boxes: [ANNA] });
    open();
    await userEvent.click(await screen.findByRole('button', { name: 'What to do with anna@example.com' }));
    await userEvent.click(await screen.findByRole('menuitem', { name: 'Remove' }));
    const dialog = await screen.findByRole('dialog');
    expect(within(dialog).getByText(/Reminders that depend on it are held/)).toBeVisible();
    expect(within(dialog).getByText(/taken back/)).toBeVisible();
    expect(calls.some(({ call }) => call.startsWith('DELETE'))).toBe(false);
    await userEvent.click(within(dialog).getByRole('button', { name: 'Remove' }));
    expect(await screen.findByText(/Take its access away in your account/)).toBeVisible();
  });

  it('that were removed hold reminders until somebody says what becomes of them', async () => {
    const olga = { address: 'olga@example.com', synced_at: null, waiting: 3, exact: true };
    const calls = server({ boxes: [ANNA], gone: [olga] });
    open();
    const rows = await screen.findByRole('list', { name: 'Removed mailboxes' });
    expect(within(rows).getByText('3 reminders wait for it.')).toBeVisible();
    await userEvent.click(within(rows).getByRole('button', { name: 'Forget it' }));
    const dialog = await screen.findByRole('dialog', { name: 'Forget olga@example.com?' });
    expect(within(dialog).getByRole('radio', { name: 'Leave them out' })).toBeChecked();
    await userEvent.click(within(dialog).getByRole('radio', { name: 'Send them' }));
    await userEvent.click(within(dialog).getByRole('button', { name: 'Forget it' }));
    await waitFor(() => expect(screen.queryByRole('list', { name: 'Removed mailboxes' })).toBeNull());
    const said = calls.find(({ call }) => call === 'POST /api/v1/mailboxes/olga@example.com/forget');
    expect(said?.body).toEqual({ waiting: 'go_on' });
  });

  it('lead to what is found in them', async () => {
    server({ boxes: [ANNA] });
    open();
    await userEvent.click(await screen.findByRole('button', { name: 'What to do with anna@example.com' }));
    expect(await screen.findByRole('menuitem', { name: 'What is found in it' })).toHaveAttribute(
      'href',
      '/recognition?mailbox=anna%40example.com',
    );
  });

  it('a salesperson connects the own and changes no other', async () => {
    server({ boxes: [{ ...REFUSED, editable: false }], permissions: ['see', 'work'] });
    open();
    expect(await screen.findByText('boris@example.com')).toBeVisible();
    expect(screen.queryByRole('button', { name: /What to do with/ })).toBeNull();
    expect(screen.queryByRole('button', { name: 'Connect again' })).toBeNull();
    await userEvent.click(screen.getByRole('button', { name: 'Connect a mailbox' }));
    const address = await screen.findByLabelText('E-mail address');
    expect(address).toHaveValue('anna@example.com');
    expect(address).toHaveAttribute('readonly');
  });

  it('a viewer connects none', async () => {
    server({ permissions: ['see'] });
    open();
    expect(await screen.findByText(/A salesperson or an admin can connect one/)).toBeVisible();
    await waitFor(() => expect(screen.queryByRole('button', { name: 'Connect a mailbox' })).toBeNull());
  });
});
