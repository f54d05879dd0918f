/** What is recognised in sent mail is tried on a real mailbox, put right by clicks, and taken back. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dovecotIsThere, type MailServer, startDovecot } from './dovecot';
import { findings, type Look, openPage, type Server, startBrowser, startServer } from './harness';

const ANNA = 'anna@shop.test';
const IVAN = 'ivan@client.test';
const PASSWORD = 'a sentence nobody guesses';

let browser: Browser;
let server: Server;
let mail: MailServer;
let anna: NonNullable<Look['state']>;

/** A mail of Anna's that another program filed. */
const letter = (id: string, to: string, subject: string, text: string) =>
  [
    `From: Anna Sergeeva <${ANNA}>`,
    `To: <${to}>`,
    `Subject: ${subject}`,
    `Message-ID: <${id}>`,
    `Date: ${new Date().toUTCString()}`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    '',
    text,
    '',
  ].join('\r\n');

const INVOICE =
  'Dear customer,\r\n\r\nplease find our invoice No. INV-15 below.\r\n\r\nTotal: 1,850.00 EUR\r\nDue date: 31 December 2030\r\n';
const ODD = 'Pumps: 7,500.00 EUR, as we said on the phone.';

// What a rule says is `then` for the server.
const THEN = 'then';
const isThere = dovecotIsThere();

describe.skipIf(!isThere)('recognition', () => {
  beforeAll(async () => {
    [browser, mail] = await Promise.all([startBrowser(), startDovecot({ [ANNA]: 'right one' })]);
    const imap = `{ host = "127.0.0.1", port = ${mail.port}, tls = "none", password_file = "password" }`;
    server = await startServer({
      config: `[[mailbox]]\naddress = "${ANNA}"\nname = "Anna Sergeeva"\nimap = ${imap}`,
      files: { password: 'right one' },
    });
    const own = (await server.api('GET', '/api/v1/settings/workspace')) as { value: object };
    await server.api('PUT', '/api/v1/settings/workspace', {
      value: { ...own.value, internal_domains: ['shop.test'] },
    });
    mail.file(ANNA, 'Sent', letter('inv15@shop.test', IVAN, 'Invoice No. INV-15', INVOICE));
    mail.file(ANNA, 'Sent', letter('odd@shop.test', IVAN, 'As discussed', ODD));
    mail.file(ANNA, 'Sent', letter('own@shop.test', 'boris@shop.test', 'Invoice No. INV-16', INVOICE));
    const { page, context, close } = await openPage(browser, server);
    const made = await page.request.post('/api/v1/setup', {
      data: { link: server.setupUrl.split('#')[1], address: ANNA, password: PASSWORD },
    });
    expect(made.ok(), await made.text()).toBe(true);
    anna = await context.storageState();
    await close();
  });

  afterAll(async () => {
    await server?.stop();
    await mail?.stop();
  });

  it('is tried, corrected, remembered, and taken back', async () => {
    // The watch has read the folder.
    const numbers = async () => {
      const { items } = (await server.api('GET', '/api/v1/documents')) as {
        items: { fields: { number?: string } }[];
      };
      return items.map((one) => one.fields.number);
    };
    await expect.poll(numbers, { timeout: 20_000 }).toEqual(['INV-15']);
    const { page, close } = await openPage(browser, server, { state: anna });
    await page.goto(`/recognition?mailbox=${encodeURIComponent(ANNA)}`);
    await page.getByRole('button', { name: 'See what would be found' }).click();
    const mails = page.getByRole('list', { name: 'Sent mails' });
    const row = (subject: string) => mails.getByRole('listitem').filter({ hasText: subject });
    await row('INV-15').getByRole('link', { name: 'In the registry' }).waitFor();
    await row('INV-15').getByText('€1,850').waitFor();
    await row('INV-16').getByText('It went to colleagues only').waitFor();
    const odd = row('As discussed');
    await odd.getByText('Nothing names an invoice or an offer').waitFor();
    expect(await findings(page)).toEqual([]);

    await odd.getByRole('button', { name: 'Correct' }).click();
    await page.getByRole('menuitem', { name: 'This is an invoice' }).click();
    await odd.getByRole('link', { name: 'In the registry' }).click();
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.getByText('As discussed').first().waitFor();

    // It is none after all, nor is its like.
    await page.getByRole('button', { name: 'Correct' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Not a document').click();
    await dialog.getByRole('checkbox', { name: 'Never from mails like this' }).check();
    await dialog.getByRole('radio', { name: 'Words in the subject' }).check();
    expect(await findings(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Taken out; the rule is in force').waitFor();
    await page.getByText('Not a document').first().waitFor();
    const rules = async () =>
      ((await server.api('GET', '/api/v1/recognition/rules')) as { own: object[] }).own;
    const of = { message_id: 'odd@shop.test', mailbox: ANNA, subject: 'As discussed' };
    const rule = { when: { subject: 'as discussed' }, [THEN]: 'never', by: ANNA, of };
    expect(await rules()).toMatchObject([rule]);

    const told = page.getByRole('alert').filter({ hasText: 'Taken out; the rule is in force' });
    await told.getByRole('button', { name: 'Undo' }).click();
    await expect.poll(rules).toEqual([]);
    await page.getByText('Open', { exact: true }).first().waitFor();
    await close();
  });

  it('lists its rules with whose they are and of which mail, and forgets one by a click', async () => {
    const mailed = { message_id: 'odd@shop.test', mailbox: ANNA, subject: 'As discussed' };
    const asked = { when: { domain: 'client.test' }, [THEN]: 'never', of: mailed };
    await server.api('POST', '/api/v1/recognition/rules', asked);
    const { page, close } = await openPage(browser, server, { state: anna });
    await page.goto('/recognition?tab=rules');
    const row = page
      .getByRole('list', { name: 'Your rules' })
      .getByRole('listitem')
      .filter({ hasText: 'client.test' });
    await row.getByText('As discussed').waitFor();
    await row.getByRole('button', { name: 'Delete the rule' }).click();
    await page.getByText('No rules of your own yet').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await row.getByText('As discussed').waitFor();
    expect(await findings(page)).toEqual([]);
    await close();
  });

  it('judges one mail given as a file', async () => {
    const { page, close } = await openPage(browser, server, { state: anna });
    await page.goto('/recognition');
    const file = join(server.data, 'one.eml');
    writeFileSync(file, letter('file@shop.test', 'kate@other.test', 'Invoice No. INV-99', INVOICE));
    await page.locator('input[type=file]').setInputFiles(file);
    const result = page.getByRole('list', { name: 'What the mail would be' });
    await result.getByText('Not in the registry').waitFor();
    await page.getByText('Dec 31, 2030').or(page.getByText('31 Dec 2030')).first().waitFor();
    writeFileSync(file, 'PK not a mail');
    await page.locator('input[type=file]').setInputFiles(file);
    await page.getByText('This is no mail').waitFor();
    await close();
  });
});
