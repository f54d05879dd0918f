import { notifications } from '@mantine/notifications';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { showAt } from '../../../testing/render';
import { Caps } from '../sections/Caps';
import { General } from '../sections/General';
import { QuietHours } from '../sections/QuietHours';
import { Smtp } from '../sections/Smtp';
import { Topics } from '../sections/Topics';

type Stored = { value: unknown; origin: string; revision: number; by?: string };

const WORKSPACE = {
  name: 'Northlight',
  zone: 'Europe/Berlin',
  calendar: 'de',
  language: 'en',
  country: 'DE',
  public_url: 'https://relance.example.com',
  address: null,
  from_name: null,
  internal_domains: ['example.com'],
  approval_expiry: '7d',
  opt_in_topics: [],
  service_asks: [],
  holdout: '5%',
};

/** A server that keeps sections; what was put, and what it refuses once. */
function server(sections: Record<string, unknown>, permissions = ['see', 'settings']) {
  const all = new Map<string, Stored>(
    Object.entries(sections).map(([name, value]) => [name, { value, origin: 'file', revision: 1 }]),
  );
  const put: { section: string; method: string; value: unknown; match: string | null }[] = [];
  const refuse: { answer?: { status: number; body: unknown } } = {};
  const shown = (section: string, one: Stored) => ({
    section,
    value: one.value,
    file_value: sections[section],
    origin: one.origin,
    revision: String(one.revision),
    ...(one.by === undefined ? {} : { changed_by: one.by, changed_at: '2026-11-20T10:00:00Z' }),
  });
  vi.stubGlobal('fetch', async (request: Request) => {
    const path = new URL(request.url).pathname;
    if (path === '/api/v1/session') {
      return Response.json({
        permissions,
        user: { address: 'anna@example.com' },
        workspace: { zone: 'UTC' },
      });
    }
    const section = path.split('/').pop() ?? '';
    const one = all.get(section);
    if (!path.startsWith('/api/v1/settings/') || one === undefined) {
      return Response.json({ code: 'not_found' }, { status: 404 });
    }
    if (request.method === 'GET') {
      return Response.json(shown(section, one));
    }
    const value = request.method === 'PUT' ? (await request.json()).value : sections[section];
    const match = request.headers.get('If-Match');
    put.push({ section, method: request.method, value, match });
    if (refuse.answer !== undefined) {
      const { status, body } = refuse.answer;
      delete refuse.answer;
      return Response.json(body, { status });
    }
    if (match !== String(one.revision)) {
      return Response.json({ code: 'stale' }, { status: 412 });
    }
    const origin = request.method === 'PUT' ? 'here' : 'file';
    // A secret is never told.
    const kept = section === 'smtp' ? { ...value, password: { set: true } } : value;
    all.set(section, { value: kept, origin, revision: one.revision + 1, by: 'anna@example.com' });
    return Response.json(shown(section, all.get(section) as Stored));
  });
  return { all, put, refuse };
}

afterEach(() => {
  vi.unstubAllGlobals();
  notifications.clean();
});

const edit = async (title: string) =>
  userEvent.click(await screen.findByRole('button', { name: `Edit: ${title}` }));

describe('a section of the settings', () => {
  it('is read with its origin, changed in its place, and taken back', async () => {
    const { put } = server({ workspace: WORKSPACE, topics: [] });
    showAt(<General />);
    expect(await screen.findByText(/From relance.toml/)).toBeVisible();
    await edit('Workspace');
    const name = screen.getByLabelText('Name');
    expect(name).toHaveFocus();
    expect(screen.getByRole('button', { name: 'Save' })).toBeDisabled();
    await userEvent.clear(name);
    await userEvent.type(name, 'Southlight');
    await userEvent.keyboard('{Control>}{Enter}{/Control}');
    await waitFor(() => expect(put).toHaveLength(1));
    expect(put[0]).toEqual({
      section: 'workspace',
      method: 'PUT',
      value: { ...WORKSPACE, name: 'Southlight' },
      match: '1',
    });
    expect(await screen.findByText(/Changed here by anna@example.com/)).toBeVisible();
    await userEvent.click(await screen.findByRole('button', { name: 'Undo' }));
    // It was the file's word before: the change is taken away, not overwritten.
    await waitFor(() => expect(put.at(-1)).toMatchObject({ method: 'DELETE', match: '2' }));
    expect(await screen.findByText('Northlight')).toBeVisible();
  });

  it('says what is wrong at its field, before and after it was sent', async () => {
    const { put, refuse } = server({ workspace: WORKSPACE, topics: [] });
    showAt(<General />);
    await edit('Workspace');
    const url = screen.getByLabelText('Address of this server');
    await userEvent.clear(url);
    await userEvent.type(url, 'relance');
    await userEvent.click(screen.getByRole('button', { name: 'Save' }));
    expect(await screen.findByText(/Write it as https/)).toBeVisible();
    expect(put).toHaveLength(0);
    expect(url).toHaveFocus();
    await userEvent.clear(url);
    await userEvent.click(url);
    await userEvent.paste('https://other.example.com');
    refuse.answer = {
      status: 422,
      body: { code: 'bad_setting', fields: [{ field: 'holdout', message: 'it is too much' }] },
    };
    await userEvent.click(screen.getByRole('button', { name: 'Save' }));
    expect(await screen.findByText('it is too much')).toBeVisible();
    expect(screen.getByLabelText('General control group')).toBeInvalid();
  });

  it('shows what another saved meanwhile, and loses nothing', async () => {
    const { all, put } = server({ workspace: WORKSPACE, topics: [] });
    showAt(<General />);
    await edit('Workspace');
    await userEvent.type(screen.getByLabelText('Name'), ' AG');
    const theirs = { ...WORKSPACE, name: 'Northlight GmbH', holdout: '10%' };
    all.set('workspace', { value: theirs, origin: 'here', revision: 7, by: 'boris@example.com' });
    await userEvent.click(screen.getByRole('button', { name: 'Save' }));
    const alert = await screen.findByRole('alert');
    expect(within(alert).getByText(/boris@example.com saved this/)).toBeVisible();
    expect(within(alert).getByText('Northlight GmbH')).toBeVisible();
    // What is the same for both is not told.
    expect(within(alert).queryByText('https://relance.example.com')).toBeNull();
    expect(screen.getByLabelText('Name')).toHaveValue('Northlight AG');
    await userEvent.click(within(alert).getByRole('button', { name: 'Go on with mine' }));
    await userEvent.click(screen.getByRole('button', { name: 'Save' }));
    // Mine is the name; the other's control group stays.
    await waitFor(() =>
      expect(put.at(-1)).toEqual({
        section: 'workspace',
        method: 'PUT',
        value: { ...WORKSPACE, name: 'Northlight AG', holdout: '10%' },
        match: '7',
      }),
    );
  });

  it('drops changes by Escape, and gives them back', async () => {
    server({ workspace: WORKSPACE, topics: [] });
    showAt(<General />);
    await edit('Workspace');
    await userEvent.type(screen.getByLabelText('Name'), ' AG');
    await userEvent.keyboard('{Escape}');
    expect(screen.queryByLabelText('Name')).toBeNull();
    await userEvent.click(await screen.findByRole('button', { name: 'Undo' }));
    expect(await screen.findByLabelText('Name')).toHaveValue('Northlight AG');
  });

  it('is read only without the permission', async () => {
    server({ workspace: WORKSPACE, topics: [] }, ['see']);
    showAt(<General />);
    expect(await screen.findByText('Northlight')).toBeVisible();
    expect(screen.queryByRole('button', { name: /Edit/ })).toBeNull();
  });
});

describe('quiet hours', () => {
  it('are told in words and changed by days and times', async () => {
    const { put } = server({
      quiet_hours: { email: '21:00-09:00', sms: [{ days: 'mon-fri', hours: '20:00-10:00' }] },
    });
    showAt(<QuietHours />);
    expect(await screen.findByText('every day 21:00–09:00')).toBeVisible();
    expect(screen.getByText('Mon–Fri 20:00–10:00')).toBeVisible();
    await edit('Quiet hours');
    const from = screen.getByRole('textbox', { name: 'E-mail: from' });
    await userEvent.clear(from);
    await userEvent.type(from, '22');
    await userEvent.tab();
    expect(from).toHaveValue('22:00');
    const days = screen.getByRole('group', { name: 'SMS: days' });
    await userEvent.click(within(days).getByRole('button', { name: 'Fri' }));
    await userEvent.click(screen.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(put).toHaveLength(1));
    expect(put[0]?.value).toEqual({
      email: '22:00-09:00',
      sms: [{ days: 'mon-thu', hours: '20:00-10:00' }],
    });
  });
});

describe('caps and topics', () => {
  it('a cap is added and removed by its row', async () => {
    const { put } = server({
      caps: [{ channel: 'email', topic: null, days: null, per: 'week', most: 3 }],
      topics: [{ id: 'news', name: { en: 'News' }, description: {} }],
    });
    showAt(<Caps />);
    expect(await screen.findByText('At most 3 a week')).toBeVisible();
    await edit('Frequency caps');
    await userEvent.click(screen.getByRole('button', { name: 'Add a cap' }));
    await userEvent.click(screen.getByRole('button', { name: 'Remove: Cap 1' }));
    await userEvent.click(screen.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(put[0]?.value).toEqual([{ per: 'week', most: 3 }]));
  });

  it('a topic has an id, names, and a place among the others', async () => {
    const { put } = server({
      topics: [
        { id: 'news', name: { en: 'News' }, description: {} },
        { id: 'offers', name: { en: 'Offers' }, description: {} },
      ],
    });
    showAt(<Topics />);
    await edit('Topics');
    const [first] = screen.getAllByLabelText('English');
    first?.focus();
    await userEvent.keyboard('{Alt>}{ArrowDown}{/Alt}');
    await userEvent.click(screen.getByRole('button', { name: 'Add a topic' }));
    await userEvent.click(screen.getByRole('button', { name: 'Save' }));
    expect(await screen.findByText('Letters, digits, - and _ only.')).toBeVisible();
    await userEvent.type(screen.getByRole('textbox', { name: 'Id, as journeys name it' }), 'events');
    await userEvent.type(screen.getAllByLabelText('Русский').at(-1) as HTMLElement, 'События');
    await userEvent.click(screen.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(put).toHaveLength(1));
    expect(put[0]?.value).toEqual([
      { id: 'offers', name: { en: 'Offers' }, description: {} },
      { id: 'news', name: { en: 'News' }, description: {} },
      { id: 'events', name: { ru: 'События' }, description: {} },
    ]);
  });
});

describe('the mail server', () => {
  it('keeps a password that is not shown, until another is written', async () => {
    const smtp = {
      host: 'mail.example.com',
      port: 587,
      tls: 'starttls',
      user: 'news',
      password: { set: true },
    };
    const { put } = server({ smtp });
    showAt(<Smtp />);
    expect(await screen.findByText('mail.example.com:587')).toBeVisible();
    await edit('Mail server');
    const user = screen.getByLabelText('User');
    await userEvent.type(user, '2');
    await userEvent.click(screen.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(put).toHaveLength(1));
    expect(put[0]?.value).not.toHaveProperty('password');
    await edit('Mail server');
    await userEvent.click(screen.getByRole('button', { name: 'Replace: Password' }));
    await userEvent.type(screen.getByLabelText('Password'), 'hunter2');
    await userEvent.click(screen.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(put[1]?.value).toMatchObject({ password: 'hunter2', port: 587 }));
  });
});
