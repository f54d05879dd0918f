import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { show } from '../../testing/render';
import { detailWords } from './parts/Audit';
import { readAgent } from './parts/Devices';
import { Keys } from './parts/Keys';
import { Team } from './parts/Team';

type Answers = Record<string, (body: unknown) => unknown>;

/** A server of these answers; what was asked of it. */
function server(answers: Answers) {
  const asked: { call: string; body: unknown }[] = [];
  vi.stubGlobal('fetch', async (request: Request) => {
    const call = `${request.method} ${decodeURIComponent(new URL(request.url).pathname)}`;
    const body: unknown = request.method === 'GET' ? undefined : await request.json().catch(() => undefined);
    asked.push({ call, body });
    const answer = answers[call];
    return answer === undefined
      ? new Response(JSON.stringify({ code: 'not_found' }), { status: 404 })
      : new Response(JSON.stringify(answer(body)), { status: 200 });
  });
  return asked;
}

afterEach(() => vi.unstubAllGlobals());

describe('keys', () => {
  it('are shown once, when they are made', async () => {
    const key = { id: 'k1', name: 'Shop', scope: 'write', made_by: 'anna@shop.test', made_at: null };
    server({
      'GET /api/v1/keys': () => ({ items: [], next: null }),
      'POST /api/v1/keys': () => ({ secret: 'wk_secret', key }),
    });
    const user = userEvent.setup();
    show(<Keys />);
    expect(await screen.findByText('There is no key yet')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Make a key' }));
    const dialog = await screen.findByRole('dialog');
    await user.type(within(dialog).getByLabelText(/What it is for/), 'Shop{Enter}');
    expect(await screen.findByText('wk_secret')).toBeVisible();
    expect(screen.getByText(/curl -u wk_secret:/)).toBeVisible();
    // Nothing but its own button takes it away.
    await user.keyboard('{Escape}');
    expect(screen.getByText('wk_secret')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Done' }));
    await waitFor(() => expect(screen.queryByText('wk_secret')).not.toBeInTheDocument());
  });
});

describe('the team', () => {
  const anna = {
    address: 'anna@shop.test',
    name: 'Anna',
    role: 'admin',
    active: true,
    totp: false,
    made_at: '2026-10-01T10:00:00Z',
    made_by: '',
  };
  const boris = {
    ...anna,
    address: 'boris@shop.test',
    name: '<b>Boris</b>',
    role: 'salesperson',
    active: false,
  };

  it('shows who is invited, and removes nobody unasked', async () => {
    const asked = server({
      'GET /api/v1/users': () => ({ items: [anna, boris], next: null }),
      'DELETE /api/v1/users/boris@shop.test': () => ({}),
    });
    const user = userEvent.setup();
    show(<Team />);
    expect(await screen.findByText('<b>Boris</b>')).toBeVisible();
    expect(screen.getByText('invited')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'What to do with <b>Boris</b>' }));
    await user.click(await screen.findByRole('menuitem', { name: 'Remove' }));
    expect(await screen.findByText(/signed out at once/)).toBeVisible();
    expect(asked.some((one) => one.call.startsWith('DELETE'))).toBe(false);
    await user.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Remove' }));
    await waitFor(() =>
      expect(asked.map((one) => one.call)).toContain('DELETE /api/v1/users/boris@shop.test'),
    );
  });

  it('gives the link of an invitation to copy', async () => {
    const asked = server({
      'GET /api/v1/users': () => ({ items: [anna], next: null }),
      'POST /api/v1/users': () => ({ user: boris, link: 'https://x.test/invitation#secret', mailed: false }),
    });
    const user = userEvent.setup();
    show(<Team />);
    await screen.findByText('Anna');
    await user.click(screen.getByRole('button', { name: 'Invite' }));
    await user.type(await screen.findByLabelText('E-mail'), 'boris@shop.test');
    await user.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Invite' }));
    expect(await screen.findByText('https://x.test/invitation#secret')).toBeVisible();
    const post = asked.find((one) => one.call === 'POST /api/v1/users');
    expect(post?.body).toEqual({
      address: 'boris@shop.test',
      role: 'salesperson',
      language: 'en',
      mail: true,
    });
  });
});

describe('a browser', () => {
  it('is named by the words that people know', () => {
    const chrome =
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36';
    expect(readAgent(chrome)).toEqual({ browser: 'Chrome', system: 'Linux', phone: false });
    expect(readAgent('curl/8.5.0').browser).toBeUndefined();
  });
});

describe('a line of the audit', () => {
  it('says of settings what they were and what they are', () => {
    expect(detailWords({ old: { zone: 'UTC' }, new: { zone: 'Asia/Tokyo' } })).toBe('zone: UTC → Asia/Tokyo');
    expect(detailWords({ old: { country: null }, new: { country: 'JP' }, secret: 'changed' })).toBe(
      'country: — → JP, secret: changed',
    );
    expect(detailWords({ role: 'head', was: 'viewer' })).toBe('role: head, was: viewer');
  });
});
