/** The settings are changed in the interface, by two people at once too. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findings, type Look, openPage, type Server, startBrowser, startServer } from './harness';

const ANNA = 'anna@shop.test';
const VERA = 'vera@shop.test';
const PASSWORD = 'a sentence nobody guesses';

let browser: Browser;
let server: Server;
let anna: NonNullable<Look['state']>;

beforeAll(async () => {
  [browser, server] = await Promise.all([startBrowser(), startServer()]);
  const { page, context, close } = await openPage(browser, server);
  const link = server.setupUrl.split('#')[1];
  const made = await page.request.post('/api/v1/setup', {
    data: { link, address: ANNA, password: PASSWORD },
  });
  expect(made.ok(), await made.text()).toBe(true);
  anna = await context.storageState();
  await close();
});

afterAll(async () => {
  await server?.stop();
});

type Shown = { value: Record<string, unknown>; origin: string; revision: string };
const section = async (name: string) => (await server.api('GET', `/api/v1/settings/${name}`)) as Shown;

async function open(path: string) {
  const opened = await openPage(browser, server, { state: anna });
  await opened.page.goto(path);
  return opened;
}

const edit = (page: Page, title: string) => page.getByRole('button', { name: `Edit: ${title}` }).click();
const save = (page: Page) => page.getByRole('button', { name: 'Save', exact: true });

describe('the settings', () => {
  it('hold at once and after a restart: the zone, the quiet hours', async () => {
    const { page, close } = await open('/settings/workspace');
    await edit(page, 'Workspace');
    const zone = page.getByRole('combobox', { name: 'Time zone' });
    await zone.fill('tokyo');
    await page.getByRole('option', { name: /Asia\/Tokyo.*GMT\+9/ }).click();
    expect(await findings(page)).toEqual([]);
    await page.keyboard.press('Control+Enter');
    await page.getByText(/Changed here by/).waitFor();
    const { workspace } = (await server.api('GET', '/api/v1/settings')) as { workspace: { zone: string } };
    expect(workspace.zone).toBe('Asia/Tokyo');

    await page.getByRole('link', { name: 'Quiet hours and caps' }).click();
    await edit(page, 'Quiet hours');
    await page.getByRole('switch', { name: 'E-mail' }).check();
    await page.getByRole('textbox', { name: 'E-mail: from' }).fill('22');
    await page.getByRole('group', { name: 'E-mail: days' }).getByRole('button', { name: 'Sun' }).click();
    expect(await findings(page)).toEqual([]);
    await save(page).click();
    await page.getByText('Mon–Sat 22:00–09:00').waitFor();
    const hours = [{ days: 'mon-sat', hours: '22:00-09:00' }];
    expect((await section('quiet_hours')).value).toEqual({ email: hours });

    await server.restart();
    await page.reload();
    await page.getByText('Mon–Sat 22:00–09:00').waitFor();
    expect((await section('workspace')).value.zone).toBe('Asia/Tokyo');
    await close();
  });

  it('go back to the file, and come again by undo', async () => {
    await server.api('PUT', '/api/v1/settings/caps', { value: [{ channel: 'email', per: 'week', most: 2 }] });
    const { page, close } = await open('/settings/rules');
    await page.getByText('At most 2 a week').waitFor();
    await page.getByRole('button', { name: /Back to what relance.toml says: Frequency caps/ }).click();
    await page.getByText('There is no limit.').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('At most 2 a week').waitFor();
    expect((await section('caps')).origin).toBe('here');
    await close();
  });

  it('say what is wrong at the field, and keep what was written', async () => {
    const { page, close } = await open('/settings/channels');
    await edit(page, 'Mail server');
    await page.getByRole('textbox', { name: 'Server' }).fill('mail.shop.test');
    await page.getByRole('textbox', { name: 'User' }).fill('news');
    await save(page).click();
    await page.getByText(/there is a user and no password/).waitFor();
    expect((await section('smtp')).value).toBeNull();
    await page.getByRole('textbox', { name: 'Password' }).fill('hunter2');
    await save(page).click();
    await page.getByText('Stored, not shown').waitFor();
    const { value } = await section('smtp');
    expect(value).toMatchObject({ host: 'mail.shop.test', user: 'news', password: { set: true } });
    expect(JSON.stringify(await server.api('GET', '/api/v1/settings'))).not.toContain('hunter2');
    await close();
  });

  it('show what another saved meanwhile, and join both', async () => {
    const { page, close } = await open('/settings/workspace');
    await edit(page, 'Workspace');
    await page.getByRole('textbox', { name: 'Name', exact: true }).fill('Shop of Anna');
    const before = await section('workspace');
    await server.api('PUT', '/api/v1/settings/workspace', { value: { ...before.value, holdout: '10%' } });
    await save(page).click();
    const alert = page.getByRole('alert');
    await alert.getByText('10 %').waitFor();
    expect(await findings(page)).toEqual([]);
    await alert.getByRole('button', { name: 'Go on with mine' }).click();
    await save(page).click();
    await page.getByRole('button', { name: 'Edit: Workspace' }).waitFor();
    expect((await section('workspace')).value).toMatchObject({ name: 'Shop of Anna', holdout: '10%' });
    await close();
  });

  it('ask before unsaved changes are left', async () => {
    const { page, close } = await open('/settings/workspace');
    await edit(page, 'Workspace');
    await page.getByRole('textbox', { name: 'Name', exact: true }).fill('Another name');
    await page.getByRole('link', { name: 'Keys' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Leave without saving?').waitFor();
    await dialog.getByRole('button', { name: 'Go on editing' }).click();
    expect(await page.getByRole('textbox', { name: 'Name', exact: true }).inputValue()).toBe('Another name');
    await page.getByRole('link', { name: 'Keys' }).click();
    await dialog.getByRole('button', { name: 'Leave', exact: true }).click();
    await page.waitForURL('/settings/keys');
    await close();
  });

  it('are not offered to whoever may not change them', async () => {
    const made = (await server.api('POST', '/api/v1/users', {
      address: VERA,
      role: 'viewer',
      mail: false,
    })) as { link: string };
    const { page, close } = await openPage(browser, server);
    await page.goto(made.link);
    await page.getByLabel('Your name').fill('Vera');
    await page.getByLabel('Choose a password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Join' }).click();
    await page.getByRole('heading', { level: 1, name: 'Hello, Vera' }).waitFor();
    await page.goto('/settings/workspace');
    await page.getByRole('heading', { name: 'About you' }).waitFor();
    const parts = page.getByRole('navigation', { name: 'Settings' }).getByRole('link');
    expect(await parts.allTextContents()).toEqual(['You', 'Mailboxes']);
    await page.goto('/settings/mailboxes');
    await page.getByText('A salesperson or an admin can connect one.').waitFor();
    expect(await page.getByRole('button', { name: 'Connect a mailbox' }).count()).toBe(0);
    await close();
  });
});
