/** A salesperson's day in the filled workspace: approving, finding out why, documents, tasks, search. */
import type { Browser } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { findings, type Look, openPage, sharedDemo, startBrowser } from './harness';

let browser: Browser;
let demo: Awaited<ReturnType<typeof sharedDemo>>;

beforeAll(async () => {
  [browser, demo] = await Promise.all([startBrowser(), sharedDemo()]);
});

type Item = { id: string; [more: string]: unknown };

async function open(path: string, look: Look = {}) {
  const opened = await openPage(browser, demo, { ...look, state: demo.state });
  const items = async (list: string): Promise<Item[]> => {
    const answer = await opened.page.request.get(list);
    expect(answer.ok(), list).toBe(true);
    return (await answer.json()).items;
  };
  await opened.page.goto(path);
  return { ...opened, items };
}

describe('approvals', () => {
  it('ten reminders go by the keyboard, and closing the page loses none', async () => {
    const { page, context, faults, items } = await open('/approvals');
    const waiting = await items('/api/v1/approvals?limit=500');
    expect(waiting.length).toBeGreaterThan(10);
    const current = page.locator('button[aria-current]');
    await current.waitFor();
    // A mistake is taken back.
    await page.keyboard.press('s');
    await page.getByRole('status').getByText('Skipped').waitFor();
    await page.keyboard.press('u');
    await page.getByText(`${waiting.length} messages wait for your answer`).waitFor();
    // One is rewritten, then nine more go as they are.
    await page.keyboard.press('e');
    const text = page.getByRole('textbox', { name: 'Text' });
    await text.fill('Good morning! Did you see our offer?');
    await page.keyboard.press('Control+Enter');
    for (let left = waiting.length - 2; left >= waiting.length - 10; left -= 1) {
      await page.getByText(`${left + 1} messages wait for your answer`).waitFor();
      await expect
        .poll(() => page.evaluate(() => document.activeElement?.getAttribute('aria-current')))
        .toBe('true');
      await page.keyboard.press('a');
    }
    await page.getByText(`${waiting.length - 10} messages wait for your answer`).waitFor();
    // The last answers still wait to be sent when the page closes.
    await page.close();
    await expect
      .poll(
        async () => {
          const answer = await context.request.get('/api/v1/approvals?limit=500');
          return (await answer.json()).items.length;
        },
        { timeout: 15_000 },
      )
      .toBe(waiting.length - 10);
    expect(faults).toEqual([]);
    await context.close();
  });

  it('are read on a phone, one after another', async () => {
    const { page, close } = await open('/approvals', { width: 390, height: 800 });
    await page.locator('button[data-question]').first().click();
    await page.getByRole('region', { name: 'The message' }).waitFor();
    expect(await findings(page)).toEqual([]);
    await page.getByRole('button', { name: 'Back to the list' }).click();
    await page.getByRole('list', { name: 'Messages to approve' }).waitFor();
    await close();
  });
});

describe('contacts', () => {
  it('say why one did not get a message', async () => {
    const { page, close } = await open('/');
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').fill('daniel rey');
    await page.getByRole('option', { name: /Daniel Reyes/ }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Daniel Reyes' }).waitFor();
    await page.getByRole('tab', { name: 'Why / why not' }).click();
    await page.getByRole('combobox', { name: 'Ask about a journey' }).click();
    await page.getByRole('option', { name: /welcome/i }).click();
    const told = page.getByRole('region', { name: 'Why / why not' });
    await told
      .getByText(/Daniel Reyes/)
      .first()
      .waitFor();
    await told.getByText('What it rests on').waitFor();
    expect(await findings(page)).toEqual([]);
    await close();
  });

  it('have their consents noted with a proof', async () => {
    const { page, items, close } = await open('/contacts?search=olivia');
    const [olivia] = await items('/api/v1/contacts?search=olivia');
    await page.getByRole('link', { name: 'Olivia Grant' }).click();
    await page.getByRole('tab', { name: 'Consents' }).click();
    await page.getByRole('button', { name: 'Note an answer' }).click();
    await page.getByText('refused', { exact: true }).click();
    await page.getByRole('textbox', { name: 'What proves it' }).fill('said so on the phone');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('The answer is noted').waitFor();
    await page.getByText('said so on the phone').first().waitFor();
    const answer = await page.request.get(`/api/v1/contacts/${olivia?.id}/consents`);
    expect((await answer.json()).in_force).toMatchObject([
      { about: 'channel:email', answer: 'denied', source: 'person', proof: { text: 'said so on the phone' } },
    ]);
    await close();
  });

  it('are merged and parted again', async () => {
    const { page, items, close } = await open('/contacts');
    const [gromov] = await items('/api/v1/contacts?search=gromov');
    const id = gromov?.id ?? 'p.gromov';
    await page.goto('/contacts?search=olivia');
    await page.getByRole('link', { name: 'Olivia Grant' }).click();
    await page.getByRole('tab', { name: 'Identities' }).click();
    await page.getByRole('button', { name: 'Merge with another' }).click();
    await page
      .getByRole('combobox', { name: /turned out/i })
      .or(page.getByRole('textbox', { name: /same\?/ }))
      .first()
      .fill('p.gromov');
    await page
      .getByRole('option', { name: /gromov/ })
      .first()
      .click();
    await page.getByText('What happens', { exact: true }).waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Merge', exact: true }).click();
    await page.getByText(/Merged; can be undone/).waitFor();
    await page.getByRole('region', { name: 'Turned out to be the same' }).waitFor();
    await page.getByRole('button', { name: 'Undo the merge' }).click();
    await page.getByText('They are two contacts again').waitFor();
    const answer = await page.request.get(`/api/v1/contacts/${id}`);
    expect((await answer.json()).merged_into).toBeUndefined();
    await close();
  });

  it('are erased only when that is typed', async () => {
    const { page, close } = await open('/contacts?search=%E5%B0%8F%E5%B7%9D');
    await page.getByRole('link', { name: '小川 美咲' }).click();
    await page.getByRole('button', { name: 'More actions' }).click();
    await page.getByRole('menuitem', { name: 'Erase' }).click();
    const go = page.getByRole('button', { name: 'Erase for good' });
    expect(await go.isDisabled()).toBe(true);
    await page.getByRole('textbox', { name: 'Type this to confirm' }).fill('m.ogawa@aoba-sekkei.example');
    await go.click();
    await page.getByText('Erased. Nothing is held of them any more.').waitFor();
    await close();
  });
});

describe('documents', () => {
  it('are filtered, and the filter is kept as a view', async () => {
    const { page, close } = await open('/documents');
    await page.getByRole('table', { name: 'Documents' }).waitFor();
    await page.getByText('Overdue', { exact: true }).click();
    await page.waitForURL(/overdue=true/);
    await page
      .getByText(/days? late/)
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'Due' }).click();
    await page.getByRole('button', { name: 'Save view' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('What is late');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('tab', { name: 'What is late', selected: true }).waitFor();
    await page.getByRole('tab', { name: 'All documents' }).click();
    await page.waitForURL((url) => !url.search.includes('overdue'));
    await page.reload();
    await page.getByRole('tab', { name: 'What is late' }).click();
    await page.waitForURL(/overdue=true.*sort=due|sort=due.*overdue=true/);
    await page.locator('[role=table][aria-busy=false]').waitFor();
    expect(await findings(page)).toEqual([]);
    await close();
  });

  it('are marked as paid, and that is taken back', async () => {
    const { page, items, close } = await open('/documents');
    const [late] = await items('/api/v1/documents?overdue=true&kind=invoice&limit=50');
    const path = `/api/v1/contacts/${late?.contact}/documents/${encodeURIComponent(String(late?.id))}`;
    expect(late).toBeDefined();
    const stands = async () => (await (await page.request.get(path)).json()).document.state;
    const before = await stands();
    await page.goto(`/documents/${late?.contact}/${encodeURIComponent(String(late?.id))}`);
    await page.getByRole('button', { name: 'Mark as paid' }).click();
    await page.getByText('1 document marked as paid').waitFor();
    await expect.poll(stands).toBe('paid');
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect.poll(stands).toBe(before);
    await page.getByRole('button', { name: 'Mark as paid' }).waitFor();
    expect(await findings(page)).toEqual([]);
    await close();
  });
});

describe('tasks', () => {
  it('are done, put off, and taken back', async () => {
    const { page, items, close } = await open('/tasks?whose=all');
    const openTasks = () => items('/api/v1/tasks?state=open&limit=500');
    const before = (await openTasks()).length;
    await page.locator('button[aria-current]').waitFor();
    await page.keyboard.press('d');
    await expect.poll(async () => (await openTasks()).length).toBe(before - 1);
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect.poll(async () => (await openTasks()).length).toBe(before);
    await page.keyboard.press('7');
    await page.getByText(/^Postponed to/).waitFor();
    expect(await findings(page)).toEqual([]);
    await close();
  });
});
