/** A mailbox is connected in the interface by its password, paused, read again, and removed. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeImap, startImap } from './fake-imap';
import { findings, type Look, openPage, type Server, settled, startBrowser, startServer } from './harness';

const BOX = 'box@shop.test';

let browser: Browser;
let server: Server;
let imap: FakeImap;
let state: NonNullable<Look['state']>;

beforeAll(async () => {
  [browser, server, imap] = await Promise.all([startBrowser(), startServer(), startImap(BOX, 'right one')]);
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
});

afterAll(async () => {
  await server?.stop();
  await imap?.stop();
});

type Shown = { items: { address: string; state: string }[] };
const stands = async () =>
  ((await server.api('GET', '/api/v1/mailboxes')) as Shown).items.find((one) => one.address === BOX)?.state;

describe('a mailbox', () => {
  it('is connected by its password; a wrong one is told at its step', { timeout: 90_000 }, async () => {
    const { page, close } = await openPage(browser, server, { state });
    await page.goto('/settings/mailboxes');
    await page.getByText('No mailbox is connected yet').waitFor();
    await page.getByRole('button', { name: 'Connect a mailbox' }).click();
    await page.getByLabel('E-mail address').fill(BOX);
    await page.keyboard.press('Enter');
    // Nothing is known of this domain: the servers are told by hand.
    const reads = page.getByRole('group', { name: 'Reads from (IMAP)' });
    await reads.getByRole('textbox', { name: 'Reads from (IMAP)' }).fill('127.0.0.1', { timeout: 45_000 });
    await reads.getByRole('combobox', { name: 'Encryption' }).click();
    await page.getByRole('option', { name: 'None' }).click();
    await reads.getByRole('textbox', { name: 'Port' }).fill(String(imap.port));
    await page.getByRole('textbox', { name: 'Sends by (SMTP)' }).fill('');
    const password = page.getByLabel('Password', { exact: true });
    await password.fill('wrong one');
    await page.keyboard.press('Enter');
    await page.getByText(/refuses this password/).waitFor();
    // Which steps went well is told too, and nothing is kept.
    await page.getByRole('list', { name: 'What was checked' }).getByText('The server answers').waitFor();
    expect(await findings(page)).toEqual([]);
    expect(await stands()).toBeUndefined();
    await password.fill('right one');
    await page.keyboard.press('Enter');
    const done = page.getByRole('dialog', { name: 'Connected' });
    await done.getByText(`${BOX} is connected`).waitFor();
    await done.getByText(/It is read/).waitFor();
    expect(await findings(page)).toEqual([]);
    await done.getByRole('button', { name: 'Done' }).click();
    const row = page.getByRole('listitem').filter({ hasText: BOX });
    await row.getByText('live').filter({ visible: true }).waitFor();
    expect(imap.logins()).toBeGreaterThan(1);
    await close();
  });

  it('is paused, read again, and removed', async () => {
    const { page, close } = await openPage(browser, server, { state });
    await page.goto('/settings/mailboxes');
    const row = page.getByRole('listitem').filter({ hasText: BOX });
    const choose = async (name: string) => {
      await row.getByRole('button', { name: `What to do with ${BOX}` }).click();
      await page.getByRole('menuitem', { name, exact: true }).click();
    };
    await choose('Pause');
    await row.getByText('paused').filter({ visible: true }).waitFor();
    await expect.poll(stands).toBe('paused');
    await settled(page);
    expect(await findings(page)).toEqual([]);
    const before = imap.logins();
    await choose('Resume');
    await row.getByText('live').filter({ visible: true }).waitFor();
    await expect.poll(imap.logins).toBeGreaterThan(before);

    await choose('Remove');
    const dialog = page.getByRole('dialog');
    await dialog.getByText(/Reminders that depend on it are held/).waitFor();
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await page.getByText('No mailbox is connected yet').waitFor();
    await expect.poll(stands).toBeUndefined();
    await close();
  });
});
