import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { session } from '../../api/session';
import { show } from '../../testing/render';
import { SignInForm } from './SignInForm';

type Body = { address?: string; password?: string; code?: string };

/** A server that knows one user, with a second factor. */
function server() {
  const asked: Body[] = [];
  vi.stubGlobal('fetch', async (request: Request) => {
    const body = (await request.json()) as Body;
    asked.push(body);
    const refuse = (code: string) =>
      new Response(JSON.stringify({ code, detail: 'in English' }), { status: 401 });
    if (body.password !== 'right password') {
      return refuse('wrong_credentials');
    }
    if (body.code === undefined) {
      return refuse('code_needed');
    }
    if (body.code !== '123456') {
      return refuse('wrong_code');
    }
    return new Response(JSON.stringify({ csrf: 'token', permissions: [], workspace: {} }), { status: 200 });
  });
  return asked;
}

afterEach(() => vi.unstubAllGlobals());

describe('signing in', () => {
  it('asks for the code after the password, says what was wrong, and lets in', async () => {
    const asked = server();
    const done = vi.fn();
    const user = userEvent.setup();
    show(<SignInForm done={done} />);
    await user.type(screen.getByLabelText('E-mail'), 'anna@shop.test ');
    await user.type(screen.getByLabelText('Password'), 'wrong password');
    await user.click(screen.getByRole('button', { name: 'Sign in' }));
    expect(await screen.findByText('Address or password is wrong.')).toBeVisible();

    await user.clear(screen.getByLabelText('Password'));
    await user.type(screen.getByLabelText('Password'), 'right password{Enter}');
    const code = await screen.findByLabelText('Code');
    expect(code).toHaveAttribute('autocomplete', 'one-time-code');
    await user.type(code, '000000{Enter}');
    expect(await screen.findByText(/code is not right/)).toBeVisible();
    expect(screen.getByLabelText('Code')).toHaveValue('');
    await user.type(screen.getByLabelText('Code'), '123456{Enter}');
    await waitFor(() => expect(done).toHaveBeenCalled());
    expect(session.csrf).toBe('token');
    expect(asked.at(-1)).toEqual({ address: 'anna@shop.test', password: 'right password', code: '123456' });
  });

  it('lets nobody else go on in the place of whoever was signed in', () => {
    server();
    show(<SignInForm address="anna@shop.test" done={() => undefined} />);
    expect(screen.getByLabelText('E-mail')).toHaveAttribute('readonly');
    expect(screen.getByRole('link', { name: 'Sign in as somebody else' })).toHaveAttribute(
      'href',
      '/sign-in',
    );
  });

  it('shows a password when it is asked to, and says when Caps Lock is on', async () => {
    server();
    const user = userEvent.setup();
    show(<SignInForm done={() => undefined} />);
    const field = screen.getByLabelText('Password');
    expect(field).toHaveAttribute('type', 'password');
    expect(field).toHaveAttribute('autocomplete', 'current-password');
    await user.click(screen.getByRole('button', { name: 'Show the password' }));
    expect(field).toHaveAttribute('type', 'text');
    await user.click(field);
    await user.keyboard('{CapsLock}a');
    expect(screen.getByText('Caps Lock is on')).toBeVisible();
  });
});
