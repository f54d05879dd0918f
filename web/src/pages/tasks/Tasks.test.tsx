import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';
import { type Call, serve, showAt } from '../../testing/address';
import { Tasks } from './Tasks';

function task(id: string, title: string, due_at?: string) {
  return {
    id,
    contact: 'con_1',
    journey: 'j',
    title,
    created_at: '2026-11-01T00:00:00Z',
    state: 'open',
    due_at,
  };
}

function server() {
  const tasks = [
    task('tp_1', 'Call Ann', '2026-12-01T09:00:00Z'),
    task('tp_2', 'Call Bob', '2026-12-02T15:00:00Z'),
    task('tp_3', 'Call Carl'),
  ];
  const open = new Set(tasks.map(({ id }) => id));
  return serve(({ method, path }: Call) => {
    const [, id = '', word] = /^\/api\/v1\/tasks\/(\w+)\/(\w+)$/.exec(path) ?? [];
    if (method === 'POST') {
      word === 'done' ? open.delete(id) : open.add(id);
      return {};
    }
    switch (path) {
      case '/api/v1/overview':
        return { now: '2026-12-02T09:00:00Z' };
      case '/api/v1/tasks':
        return { items: tasks.filter((one) => open.has(one.id)), next: null };
      case '/api/v1/contacts/con_1':
        return {
          id: 'con_1',
          created_at: '2026-11-01T00:00:00Z',
          traits: { name: 'Ann', phone: '+49 30 1234' },
        };
      case '/api/v1/contacts/con_1/timeline':
        return { items: [], next: null };
      default:
        return undefined;
    }
  });
}

describe('tasks', () => {
  it('stand by when they are due, with the contact beside', async () => {
    server();
    showAt('/tasks', Tasks, '/tasks');
    expect(await screen.findByRole('region', { name: 'Overdue' })).toHaveTextContent('Call Ann');
    expect(screen.getByRole('region', { name: 'Today' })).toHaveTextContent('Call Bob');
    expect(screen.getByRole('region', { name: 'Later' })).toHaveTextContent('Call Carl');
    const beside = await screen.findByRole('complementary', { name: 'The contact of the task' });
    const phone = await within(beside).findByRole('link', { name: '+49 30 1234' });
    expect(phone).toHaveAttribute('href', 'tel:+49301234');
  });

  it('are done by a key, and that is taken back', async () => {
    const calls = server();
    const user = userEvent.setup();
    showAt('/tasks', Tasks, '/tasks');
    await screen.findByText('Call Ann');
    await user.keyboard('d');
    await waitFor(() => expect(screen.queryByRole('region', { name: 'Overdue' })).not.toBeInTheDocument());
    await user.click(await screen.findByRole('button', { name: 'Undo' }));
    expect(await screen.findByRole('region', { name: 'Overdue' })).toHaveTextContent('Call Ann');
    await user.keyboard('7');
    await waitFor(() =>
      expect(calls.filter((call) => call.method === 'POST').map(({ path, body }) => [path, body])).toEqual([
        ['/api/v1/tasks/tp_1/done', undefined],
        ['/api/v1/tasks/tp_1/reopen', undefined],
        ['/api/v1/tasks/tp_2/postpone', { until: '2026-12-09' }],
      ]),
    );
  });
});
