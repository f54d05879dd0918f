/** A bank statement is dropped into the interface: one payment finds its invoice, a person finds another's, and takes it back. */
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findings, type Look, openPage, type Server, settled, startBrowser, startServer } from './harness';

const STATEMENTS = join(import.meta.dirname, '../../crates/wire/tests/statements');
const CLIENTS = [
  { userId: 'mueller', name: 'Müller Maschinenbau', number: '2026-118', amount: '2380.00' },
  // The statement names another number: only a person can know that this one is meant.
  { userId: 'contoso', name: 'Contoso', number: 'R-7', amount: '980.40' },
];

let browser: Browser;
let server: Server;
let state: NonNullable<Look['state']>;

beforeAll(async () => {
  [browser, server] = await Promise.all([startBrowser(), startServer()]);
  const { page, context, close } = await openPage(browser, server);
  const made = await page.request.post('/api/v1/setup', {
    data: {
      link: server.setupUrl.split('#')[1],
      address: 'anna@shop.test',
      password: 'a sentence nobody guesses',
    },
  });
  expect(made.ok(), await made.text()).toBe(true);
  state = await context.storageState();
  await close();
  await server.send(
    CLIENTS.flatMap(({ userId, name, number, amount }) => {
      const document = { id: number, kind: 'invoice', number, amount, currency: 'EUR' };
      return [
        { type: 'identify', userId, traits: { name, company: name, email: `${userId}@client.example` } },
        { type: 'track', userId, event: 'Document Sent', properties: { document } },
      ];
    }),
  );
});

afterAll(async () => {
  await server?.stop();
});

type Document = { id: string; state: string };

/** How an invoice stands; its number is its id here. */
async function stands(number: string): Promise<string | undefined> {
  const { items } = (await server.api('GET', '/api/v1/documents')) as { items: Document[] };
  return items.find((one) => one.id === number)?.state;
}

const importFile = (page: Page, name: string) =>
  page.locator('input[type=file]').first().setInputFiles(join(STATEMENTS, name));
const states = (page: Page) => page.getByRole('tablist', { name: 'By state' });

describe('payments', () => {
  it('come with a statement; a person says what one is for, and takes it back', async () => {
    await expect.poll(() => stands('R-7')).toBe('open');
    const { page, close } = await openPage(browser, server, { state });
    await page.goto('/payments');
    await page.getByRole('heading', { name: 'Import the first bank statement' }).waitFor();
    expect(await findings(page)).toEqual([]);
    await importFile(page, 'camt053.xml');
    // What the text names is paid by itself; a debit is no payment.
    await page.getByText(/^4 payments found · 1 matched · 3 need a person$/).waitFor();
    await expect.poll(() => stands('2026-118')).toBe('paid');
    expect(await stands('R-7')).toBe('open');

    await page.getByRole('list', { name: 'List of payments' }).getByText('Contoso GmbH').click();
    const one = page.getByRole('region', { name: 'The payment' });
    await one.getByText('Which invoice is meant?').waitFor();
    await settled(page);
    expect(await findings(page)).toEqual([]);
    await one.getByRole('button', { name: 'Apply to R-7' }).click();
    await page.getByText('applied to R-7').waitFor();
    await expect.poll(() => stands('R-7')).toBe('paid');
    await states(page)
      .getByRole('tab', { name: /^Paid in full ?2$/ })
      .click();
    await page.getByText('→ R-7').waitFor();

    await page.getByRole('button', { name: 'Undo' }).click();
    await expect.poll(() => stands('R-7')).toBe('open');
    await states(page)
      .getByRole('tab', { name: /^Paid in full ?1$/ })
      .waitFor();
    await close();
  });

  it('are the same when a statement is sent again, and a file that is none says what to do', async () => {
    const { page, close } = await openPage(browser, server, { state });
    await page.goto('/payments');
    await page.getByRole('list', { name: 'List of payments' }).waitFor();
    await importFile(page, 'camt053.xml');
    await page.getByText(/4 known already/).waitFor();
    const none = { name: 'letter.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7 hello') };
    await page.locator('input[type=file]').first().setInputFiles(none);
    await page.getByText('This is no statement that is known.').waitFor();
    await states(page)
      .getByRole('tab', { name: /^All ?4$/ })
      .waitFor();
    await close();
  });
});
