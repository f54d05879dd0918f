import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';
import { type Call, serve, showAt } from '../../../testing/address';
import { Library } from './Library';

const item = (id: string, name: string, state: string) => ({
  id,
  name: { en: name },
  description: { en: `${name} does this` },
  languages: ['en', 'ru', 'ja'],
  needs: ['mailbox', 'head'],
  journeys: [id],
  templates: [`${id}-1`],
  state,
});
const ITEMS = [
  item('offer-no-reply', 'Offer without a reply', 'changed'),
  item('win-back', 'Win back', 'not_used'),
];

function open(answers: (call: Call) => unknown = () => undefined) {
  const calls = serve((call) =>
    call.path === '/api/v1/library' ? { items: ITEMS } : (answers(call) ?? { items: [] }),
  );
  const own = vi.fn();
  showAt('/', () => <Library close={() => {}} own={own} />, '/');
  return { calls, own };
}

describe('the library', () => {
  it('says what each journey does and needs, and what is in use', async () => {
    open();
    expect(await screen.findByRole('radio', { name: 'Win back' })).toBeChecked();
    expect(screen.getByText('Win back does this')).toBeVisible();
    expect(screen.getAllByText('Needs: the salespeople’s mailboxes, a head of sales')).toHaveLength(2);
    expect(screen.getByText('In use, changed')).toBeVisible();
    await userEvent.click(screen.getByRole('radio', { name: 'Offer without a reply' }));
    expect(screen.getByRole('button', { name: 'Open' })).toBeEnabled();
    expect(screen.queryByRole('checkbox', { name: '日本語' })).toBeNull();
  });

  it('adds what is chosen in the languages that are chosen, the own one first', async () => {
    const { calls } = open(({ method }) =>
      method === 'POST' ? { journeys: ['win-back'], templates: ['a', 'b'], kept: [] } : undefined,
    );
    await userEvent.click(await screen.findByRole('checkbox', { name: '日本語' }));
    await userEvent.click(screen.getByRole('checkbox', { name: 'English' }));
    await userEvent.click(screen.getByRole('checkbox', { name: 'English' }));
    await userEvent.click(screen.getByRole('button', { name: 'Add as a draft' }));
    expect(await screen.findByText('The draft is there, with 2 templates')).toBeVisible();
    const added = calls.find(({ method }) => method === 'POST');
    expect(added?.path).toBe('/api/v1/library/win-back');
    expect(added?.body).toEqual({ languages: ['en', 'ja'], keep: false });
  });

  it('names what is there already before it adds the rest', async () => {
    const posts: unknown[] = [];
    serve((call) => (call.path === '/api/v1/library' ? { items: ITEMS } : { items: [] }));
    const served = fetch;
    vi.stubGlobal('fetch', async (input: Request) => {
      if (input.method !== 'POST') {
        return served(input);
      }
      posts.push(await input.clone().json());
      return posts.length === 1
        ? Response.json(
            { code: 'exists', detail: 'x', journeys: [], templates: ['win-back-1.en.txt'] },
            { status: 409 },
          )
        : Response.json({ journeys: ['win-back'], templates: [], kept: ['win-back-1.en.txt'] });
    });
    showAt('/', () => <Library close={() => {}} own={() => {}} />, '/');
    await userEvent.click(await screen.findByRole('button', { name: 'Add as a draft' }));
    expect(await screen.findByText('win-back-1.en.txt')).toBeVisible();
    await userEvent.click(screen.getByRole('button', { name: 'Add the rest' }));
    await waitFor(() => expect(posts).toHaveLength(2));
    expect(posts[1]).toEqual({ languages: ['en'], keep: true });
  });

  it('leads to an own journey', async () => {
    const { own } = open();
    await userEvent.click(await screen.findByRole('button', { name: 'Begin with nothing' }));
    expect(own).toHaveBeenCalled();
  });
});
