/** The first run: an empty workspace is set up, people come in and go, and a session that ends loses nothing. */
import { createHmac } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findings, openPage, type Server, startBrowser, startServer } from './harness';

const ANNA = 'anna@shop.test';
const PASSWORD = 'a sentence nobody guesses';

let browser: Browser;
let server: Server;

beforeAll(async () => {
  [browser, server] = await Promise.all([startBrowser(), startServer()]);
});

afterAll(async () => {
  await server?.stop();
});

async function typeCredentials(page: Page, address: string, password: string): Promise<void> {
  await page.getByLabel('E-mail').fill(address);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const STEP_S = 30;

/** A code by time (RFC 6238), so many steps from now. */
function totp(secret: string, steps: number): string {
  let bits = '';
  for (const letter of secret) {
    bits += BASE32.indexOf(letter).toString(2).padStart(5, '0');
  }
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 1_000 / STEP_S) + steps));
  const hash = createHmac('sha1', key).update(counter).digest();
  const at = (hash.at(-1) ?? 0) & 15;
  return String((hash.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

describe('an empty workspace', () => {
  it('is set up by its link, once, and says what to do first', async () => {
    const { page, close } = await openPage(browser, server);
    // Without the link nobody gets in, wherever they begin.
    await page.goto('/documents');
    await page.getByRole('heading', { name: 'Set up Relance' }).waitFor();
    expect(await findings(page)).toEqual([]);
    await page.getByText('The link is gone?').waitFor();

    await page.goto(server.setupUrl);
    await page.reload();
    await page.getByLabel('Your name').fill('Anna <script>alert(1)</script>');
    await page.getByLabel('E-mail').fill(ANNA);
    const password = page.getByLabel('Choose a password');
    await password.fill('short');
    await page.getByText('Too short').waitFor();
    await password.fill(PASSWORD);
    await page.getByText('Hard to guess').waitFor();
    expect(await findings(page)).toEqual([]);
    await page.getByRole('button', { name: 'Begin' }).click();

    await page.getByRole('heading', { level: 1, name: /Hello, Anna/ }).waitFor();
    await page.getByRole('heading', { name: 'First steps' }).waitFor();
    await page.getByRole('link', { name: 'Connect' }).waitFor();
    expect(await findings(page)).toEqual([]);

    // The link is spent: it leads to the sign-in, and the server takes it no more.
    await page.context().clearCookies();
    await page.goto('/forgotten');
    await page.goto(server.setupUrl);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    const again = await page.request.post('/api/v1/setup', {
      data: { link: server.setupUrl.split('#')[1], address: 'mallory@evil.test', password: PASSWORD },
    });
    expect([404, 409]).toContain(again.status());
    await close();
  });

  it('lets in by the password and by no other, and comes back to the page that was asked for', async () => {
    const { page, close } = await openPage(browser, server);
    await page.goto('/settings/keys');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await typeCredentials(page, ANNA, 'another sentence');
    await page.getByText('Address or password is wrong.').waitFor();
    await typeCredentials(page, ANNA, PASSWORD);
    await page.getByRole('heading', { name: 'Keys' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/settings/keys');
    await close();
  });

  it('makes a key that is shown once and works', async () => {
    const { page, close } = await openPage(browser, server);
    await page.goto('/settings/keys');
    await typeCredentials(page, ANNA, PASSWORD);
    await page.getByRole('button', { name: 'Make a key' }).click();
    await page.getByLabel('What it is for').fill('Shop');
    await page.getByRole('dialog').getByRole('button', { name: 'Make a key' }).click();
    const key = await page.getByText(/^wk_\w+$/).textContent();
    expect(await findings(page)).toEqual([]);
    const answer = await fetch(`${server.url}/v1/track`, {
      method: 'POST',
      headers: {
        Authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}`,
        'Content-Type': 'application/json',
      },
      body: JSON.stringify({ userId: 'first', event: 'Signed Up', messageId: 'e2e-1' }),
    });
    expect(answer.status).toBe(200);
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByText('Shop', { exact: true }).waitFor();
    expect(await page.getByText(/^wk_\w+$/).count()).toBe(0);
    await page.goto('/settings/audit');
    await page.getByText('made the key').first().waitFor();
    await close();
  });

  it('invites a colleague, who joins by the link and sees no more than a salesperson may', async () => {
    const { page, close } = await openPage(browser, server);
    await page.goto('/settings/team');
    await typeCredentials(page, ANNA, PASSWORD);
    await page.getByRole('button', { name: 'Invite' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('E-mail', { exact: true }).fill('boris@shop.test');
    await dialog.getByLabel('Send the invitation by e-mail').uncheck();
    await dialog.getByRole('button', { name: 'Invite' }).click();
    const link = await page.getByText(/\/invitation#/).textContent();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByText('invited', { exact: true }).waitFor();

    const his = await openPage(browser, server);
    await his.page.goto(link ?? '');
    await his.page.getByLabel('Your name').fill('Boris');
    await his.page.getByLabel('Choose a password').fill('another long sentence');
    await his.page.getByRole('button', { name: 'Join' }).click();
    await his.page.getByRole('heading', { level: 1, name: 'Hello, Boris' }).waitFor();
    await his.page.goto('/settings/team');
    await his.page.getByRole('heading', { name: 'About you' }).waitFor();
    expect(await his.page.getByRole('link', { name: 'Keys' }).count()).toBe(0);
    await his.close();
    await close();
  });

  it('loses nothing when the session ends while somebody types', async () => {
    const { page, context, close } = await openPage(browser, server);
    await page.goto('/settings/me');
    await typeCredentials(page, ANNA, PASSWORD);
    await page.getByLabel('Name', { exact: true }).fill('Anna of the long evening');
    await context.clearCookies();
    await page.getByRole('region', { name: 'About you' }).getByRole('button', { name: 'Save' }).click();
    const again = page.getByRole('dialog');
    await again.getByText('Nothing on this page is lost').waitFor();
    await again.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await again.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByText('Saved').waitFor();
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('Anna of the long evening');
    await close();
  });

  it('asks for the second factor once it is on, and takes a recovery code once', async () => {
    const { page, context, close } = await openPage(browser, server);
    await page.goto('/settings/me');
    await typeCredentials(page, ANNA, PASSWORD);
    await page.getByRole('button', { name: 'Turn on' }).click();
    await page.getByRole('img', { name: 'QR code for the authenticator app' }).waitFor();
    const secret = (await page.getByText(/^[A-Z2-7]{32}$/).textContent()) ?? '';
    await page.getByLabel('Code of the app').fill('000000');
    await page.getByRole('button', { name: 'Confirm' }).click();
    await page.getByRole('dialog').getByRole('alert').waitFor();
    await page.getByLabel('Code of the app').fill(totp(secret, 0));
    await page.getByRole('button', { name: 'Confirm' }).click();
    const listed = page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem');
    // They are made by the server, and shown when they came.
    await listed.first().waitFor();
    const codes = await listed.allTextContents();
    expect(codes).toHaveLength(10);
    expect(await findings(page)).toEqual([]);
    await page.getByRole('button', { name: 'I have kept them' }).click();
    await page.getByText('10 recovery codes are left.').waitFor();

    // Other codes, by the password: the first ones are void.
    await page.getByRole('button', { name: 'New recovery codes' }).click();
    await page.getByLabel('Your password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Make new codes' }).click();
    await listed.first().waitFor();
    const first = codes[0];
    codes.splice(0, codes.length, ...(await listed.allTextContents()));
    expect(codes).toHaveLength(10);
    expect(codes).not.toContain(first);
    await page.getByRole('button', { name: 'I have kept them' }).click();

    // The code of now is spent; the next one is good already.
    await context.clearCookies();
    await page.goto('/sign-in');
    await typeCredentials(page, ANNA, PASSWORD);
    await page.getByLabel('Code', { exact: true }).fill(totp(secret, 1));
    await page.getByRole('button', { name: 'Confirm' }).click();
    await page.getByRole('heading', { level: 1, name: /Hello, Anna/ }).waitFor();

    for (const good of [true, false]) {
      await context.clearCookies();
      await page.goto('/sign-in');
      await typeCredentials(page, ANNA, PASSWORD);
      await page.getByRole('button', { name: /Use a recovery code/ }).click();
      await page.getByLabel('Recovery code', { exact: true }).fill(codes[0] ?? '');
      await page.getByRole('button', { name: 'Confirm' }).click();
      await (good
        ? page.getByRole('heading', { level: 1, name: /Hello, Anna/ })
        : page.getByText(/The code is not right/)
      ).waitFor();
    }
    await close();
  });
});
