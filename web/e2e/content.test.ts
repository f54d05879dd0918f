/** Segments, templates, content lists and imports, as a marketer works with them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Look, openPage, type Server, startBrowser, startServer, type Watched } from './harness';

let browser: Browser;
let server: Server;
let signedIn: NonNullable<Look['state']>;

beforeAll(async () => {
  [browser, server] = await Promise.all([startBrowser(), startServer()]);
  const person = (name: string, plan: string) => ({
    type: 'identify',
    userId: name,
    traits: { email: `${name}@client.example`, name, plan, language: 'en' },
  });
  await server.send([person('anna', 'pro'), person('boris', 'free'), person('chie', 'pro')]);
  const { page, context, close } = await openPage(browser, server);
  const link = new URL(server.setupUrl).hash.slice(1);
  const account = { address: 'mara@client.example', password: 'a sentence nobody guesses', language: 'en' };
  const answer = await page.request.post('/api/v1/setup', { data: { link, ...account } });
  expect(answer.status(), await answer.text()).toBe(200);
  signedIn = await context.storageState();
  await close();
});

afterAll(async () => {
  await server?.stop();
});

/** A page of whoever set the workspace up. */
async function opened(): Promise<Watched> {
  return openPage(browser, server, { state: signedIn });
}

const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name });
const save = (page: Page) => page.getByRole('button', { name: 'Save', exact: true });

/** Saves what the dialog shows. */
async function saveAll(page: Page): Promise<void> {
  await save(page).click();
  const dialog = page.getByRole('dialog', { name: 'What is saved' });
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await dialog.waitFor({ state: 'hidden' });
}

describe('a segment', () => {
  it('is built by conditions, counted as one goes, saved, and says why somebody belongs', async () => {
    const { page, close } = await opened();
    await page.goto('/segments');
    await page.getByRole('button', { name: 'New segment' }).first().click();
    await page.getByRole('dialog').getByLabel('Name').fill('On the pro plan');
    await page.getByRole('button', { name: 'Continue' }).click();
    await heading(page, 'On the pro plan').waitFor();
    await page.getByRole('button', { name: 'Add a condition' }).click();
    await page.getByRole('menuitem', { name: 'A field of the contact' }).click();
    await page.getByRole('combobox', { name: 'Field' }).fill('plan');
    await page.getByRole('combobox', { name: 'Comparison' }).click();
    await page.getByRole('option', { name: 'is', exact: true }).click();
    await page.getByLabel('Value', { exact: true }).fill('pro');
    await page.getByRole('region', { name: 'Would belong now' }).getByText('2', { exact: true }).waitFor();
    await expect.poll(() => page.locator('.cm-content').textContent()).toContain('plan: pro');
    await saveAll(page);
    await page.getByRole('tab', { name: 'Members' }).click();
    await page.getByRole('row').filter({ hasText: 'chie' }).waitFor();
    await page.getByRole('button', { name: 'Why does anna belong?' }).click();
    await page.getByRole('dialog').getByText('plan is pro').waitFor();
    await close();
  });
});

describe('a template', () => {
  it('begins from a ready text, shows itself, and is never overwritten unseen', async () => {
    const { page, close } = await opened();
    await page.goto('/templates');
    await page.getByRole('button', { name: 'New template' }).first().click();
    await page.getByRole('dialog').getByLabel('Name').fill('spring');
    await page.getByRole('button', { name: 'Continue' }).click();
    await heading(page, 'spring').waitFor();
    const mail = page.frameLocator('iframe');
    await mail.getByText('What is new').waitFor();
    await saveAll(page);
    await page.getByText('Saved', { exact: true }).first().waitFor();

    const editor = page.locator('.cm-content');
    await editor.click();
    await page.keyboard.press('Control+End');
    await page.keyboard.type('<!-- mine -->');
    const shown = (await server.api('GET', '/api/v1/templates/spring')) as { files: Record<string, string> };
    const theirs = Object.fromEntries(
      Object.entries(shown.files).map(([name, text]) => [name, text.replace('What is new', 'Theirs')]),
    );
    await server.api('PUT', '/api/v1/templates/spring', { files: theirs });
    await save(page).click();
    const dialog = page.getByRole('dialog', { name: 'What is saved' });
    if (await dialog.isVisible()) {
      await dialog.getByRole('button', { name: 'Save', exact: true }).click();
    }
    const conflict = page.getByRole('dialog', { name: 'Somebody else saved meanwhile' });
    await conflict.getByText('Theirs').first().waitFor();
    await conflict.getByRole('button', { name: 'Take the saved text' }).click();
    await mail.getByText('Theirs').waitFor();
    await close();
  });

  it('outlives a page that was closed before it was saved', async () => {
    const { page, close } = await opened();
    await page.goto('/templates/draft?start=letter&language=en');
    await heading(page, 'draft').waitFor();
    await page.locator('.cm-content').click();
    await page.keyboard.press('Control+End');
    await page.keyboard.type('Unsaved words');
    await page.goto('/templates');
    await page.goto('/templates/draft?start=letter&language=en');
    await page.getByText('Unsaved words').first().waitFor();
    await close();
  });
});

describe('a content list', () => {
  it('is filled and put in order by keyboard', async () => {
    const { page, close } = await opened();
    await page.goto('/lists/lessons?start=list');
    for (const title of ['The first steps', 'The second']) {
      await page.getByRole('button', { name: 'Add an item' }).first().click();
      await page.getByRole('dialog').getByLabel('Title').fill(title);
      await page.getByRole('button', { name: 'Done' }).click();
    }
    await page.getByRole('button', { name: /The second/ }).focus();
    await page.keyboard.press('Alt+ArrowUp');
    await expect.poll(() => page.getByRole('listitem').first().textContent()).toContain('The second');
    await saveAll(page);
    const list = (await server.api('GET', '/api/v1/lists/lessons')) as { text: string };
    expect(list.text.indexOf('the-second')).toBeLessThan(list.text.indexOf('the-first-steps'));
    await close();
  });
});

describe('an import', () => {
  it('takes a file, shows what would change, brings it in and gives the errors back', async () => {
    const { page, close } = await opened();
    const file = join(server.data, 'clients.csv');
    const rows = Array.from({ length: 50 }, (_, at) => `new${at}@client.example,Name ${at},${at}`);
    writeFileSync(
      file,
      ['Email,Имя,Сумма', ...rows, 'no address,Broken,1', 'anna@client.example,Anna K,7'].join('\n'),
    );
    await page.goto('/imports');
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser'),
      page.getByRole('button', { name: 'Choose a file' }).click(),
    ]);
    await chooser.setFiles(file);
    await heading(page, 'clients.csv').waitFor();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('Add new contacts and change those that are there').waitFor();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('Would be new').waitFor();
    await page.getByText('Refused', { exact: true }).click();
    await page.getByText('The address has no @').waitFor();
    await page.getByRole('button', { name: 'Start the import' }).click();
    await page.getByText('Done', { exact: true }).waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download errors' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('errors.csv');
    const found = (await server.api('GET', '/api/v1/contacts?search=new7@client.example')) as {
      items: unknown[];
    };
    expect(found.items).toHaveLength(1);
    await close();
  });
});
