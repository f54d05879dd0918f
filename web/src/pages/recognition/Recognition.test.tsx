import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';
import { type Call, serve, showAt } from '../../testing/address';
import { Recognition } from './Recognition';

const mail = (id: string, subject: string, more: object) => ({
  message_id: id,
  at: '2026-11-17T10:00:00Z',
  to: ['kate@saltmarsh.example'],
  subject,
  attachments: ['price-2026.pdf'],
  found: null,
  why: [],
  lacks: [],
  known: false,
  ...more,
});
const FOUND = {
  kind: 'invoice',
  number: 'INV-7',
  amount: '1850',
  currency: 'EUR',
  vat: null,
  vat_rates: [],
  net: null,
  issued: null,
  due: '2026-11-30',
  payer: null,
  payer_tax_id: null,
  seller_tax_id: null,
  bank_reference: null,
  confidence: 1,
};
const ITEMS = [
  mail('m1', 'Your invoice', {
    found: FOUND,
    why: [{ rule: 'en.invoice', place: 'subject', weight: 3 }],
  }),
  mail('m2', 'Our prices', { near: 'offer', lacks: ['number', 'amount'], points: { got: 4.25, needed: 6 } }),
  mail('m3', 'To all of us', { left_out: 'internal' }),
];
// What a rule says is `then` for the server.
const THEN = 'then';
const RULE = {
  id: 'own-1',
  when: { domain: 'saltmarsh.example' },
  [THEN]: 'never',
  by: 'emma',
  at: '2026-11-18T10:00:00Z',
  of: { message_id: 'm1', mailbox: 'emma@northlight.example', subject: 'Your invoice' },
};
const PLACE = { contact: 'con_1', document: 'm2', kind: 'invoice', withdrawn: false };

/** `code`: why a trial breaks off. */
function server(code?: string) {
  let own: object[] = [];
  let asked = 0;
  return serve(({ method, path, body }: Call) => {
    if (path === '/api/v1/mailboxes') {
      return { items: [{ address: 'emma@northlight.example' }] };
    }
    if (path === '/api/v1/recognition/rules') {
      if (method === 'POST') {
        own = [RULE];
        return RULE;
      }
      const bundled = {
        id: 'en.invoice',
        kind: 'invoice',
        place: 'anywhere',
        phrases: ['tax invoice'],
        weight: 3,
        languages: ['en'],
      };
      return { bundled: [bundled], own };
    }
    if (path === '/api/v1/recognition/rules/own-1') {
      own = [];
      return RULE;
    }
    if (path === '/api/v1/recognition/try') {
      return { id: 'job_1', state: 'running', done: 0, of: 0 };
    }
    if (path === '/api/v1/recognition/register') {
      const withdrawn = (body as { kind: string }).kind === 'never';
      const found = withdrawn ? null : { ...FOUND, number: null, amount: null, due: null };
      return { ...ITEMS[1], found, known: true, registered: { ...PLACE, withdrawn } };
    }
    if (path === '/api/v1/jobs/job_1') {
      asked += 1;
      if (code !== undefined) {
        return { id: 'job_1', state: 'failed', done: 0, of: 0, problem: 'it said NO', code };
      }
      return asked === 1
        ? { id: 'job_1', state: 'running', done: 2, of: 3 }
        : {
            id: 'job_1',
            state: 'done',
            done: 3,
            of: 3,
            result: {
              mailbox: 'emma@northlight.example',
              days: 90,
              read: 3,
              documents: 1,
              new: 1,
              cut: false,
              items: ITEMS,
            },
          };
    }
    return undefined;
  });
}

const posts = (calls: Call[]) =>
  calls.filter((call) => call.method !== 'GET').map((call) => [call.method, call.path, call.body]);

describe('recognition', () => {
  it('tries a mailbox, says what would be found and why, and what is left out', async () => {
    server();
    const user = userEvent.setup();
    const { search } = showAt('/recognition', Recognition, '/recognition');
    await user.click(await screen.findByRole('button', { name: 'See what would be found' }));
    expect(await screen.findByText('2 of 3 mails read')).toBeVisible();
    expect(await screen.findByText('INV-7')).toBeVisible();
    expect(screen.getByText(/€1,850 · due/)).toBeVisible();
    expect(screen.getByText('It went to colleagues only')).toBeVisible();
    await user.click(screen.getAllByRole('button', { name: 'Why?' })[0] as HTMLElement);
    expect(await screen.findByText('words such as tax invoice')).toBeVisible();
    await user.click(screen.getByText(/^Left out 1/));
    await waitFor(() => expect(screen.queryByText('INV-7')).not.toBeInTheDocument());
    expect(search()).toMatchObject({ job: 'job_1', show: 'left_out' });
  });

  it('says of what was not found what it lacks', async () => {
    server();
    const user = userEvent.setup();
    showAt('/recognition?job=job_1&show=not', Recognition, '/recognition');
    const row = within((await screen.findByText('Our prices')).closest('li') as HTMLElement);
    expect(row.getByText('Not quite an offer')).toBeVisible();
    expect(row.getByText('No number · No total')).toBeVisible();
    await user.click(row.getByRole('button', { name: 'Why?' }));
    expect(row.getByText(/^4\.3 points; from 6\.0 up/)).toBeVisible();
  });

  it('says in words why a mailbox could not be tried, and the way to it', async () => {
    server('throttled');
    showAt('/recognition?job=job_1', Recognition, '/recognition');
    expect(await screen.findByText(/The provider asks for a pause/)).toBeVisible();
    expect(screen.queryByText('it said NO')).not.toBeInTheDocument();
    const links = screen.getAllByRole('link', { name: 'Mailboxes' });
    expect(links.at(-1)).toHaveAttribute('href', '/settings/mailboxes');
  });

  it('registers what was not found, with the way to it, and takes it back', async () => {
    const calls = server();
    const user = userEvent.setup();
    showAt('/recognition?job=job_1', Recognition, '/recognition');
    await screen.findByText('Your invoice');
    const row = within((await screen.findByText('Our prices')).closest('li') as HTMLElement);
    await user.click(row.getByRole('button', { name: 'Correct' }));
    await user.click(await screen.findByRole('menuitem', { name: 'This is an invoice' }));
    expect(await row.findByRole('link', { name: 'In the registry' })).toHaveAttribute(
      'href',
      '/documents/con_1/m2',
    );
    await user.click((await screen.findAllByRole('button', { name: 'Undo' })).at(-1) as HTMLElement);
    expect(await row.findByText('Taken out: no document')).toBeVisible();
    const asked = { mailbox: 'emma@northlight.example', message_id: 'm2' };
    expect(posts(calls)).toEqual([
      ['POST', '/api/v1/recognition/register', { ...asked, kind: 'invoice' }],
      ['POST', '/api/v1/recognition/register', { ...asked, kind: 'never' }],
    ]);
  });

  it('makes a rule of a mail, and takes it back', async () => {
    const calls = server();
    const user = userEvent.setup();
    showAt('/recognition?job=job_1', Recognition, '/recognition');
    const found = (await screen.findByText('Your invoice')).closest('li') as HTMLElement;
    await user.click(within(found).getByRole('button', { name: 'Correct' }));
    await user.click(await screen.findByRole('menuitem', { name: /Never from mails/ }));
    const dialog = within(await screen.findByRole('dialog'));
    await user.click(dialog.getByRole('radio', { name: "Recipient's domain" }));
    await user.click(dialog.getByRole('button', { name: 'Make the rule' }));
    await screen.findByText('The rule is in force for mails from now on');
    expect(await within(found).findByText('A rule of yours says never')).toBeVisible();
    await user.click((await screen.findAllByRole('button', { name: 'Undo' })).at(-1) as HTMLElement);
    expect(await within(found).findByText('INV-7')).toBeVisible();
    const of = { mailbox: 'emma@northlight.example', subject: 'Your invoice', message_id: 'm1' };
    expect(posts(calls)).toEqual([
      ['POST', '/api/v1/recognition/rules', { when: { domain: 'saltmarsh.example' }, [THEN]: 'never', of }],
      ['DELETE', '/api/v1/recognition/rules/own-1', undefined],
    ]);
  });
});
