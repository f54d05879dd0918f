/** Names that want to break a page: markup, endless, from right to left, pictures. No page runs, breaks or grows by them. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findings, type Look, openPage, type Server, startBrowser, startServer } from './harness';

const NAMES = {
  markup: `<script>window.hurt=1</script><img src=x onerror="window.hurt=1">"'&{{ 7*7 }}`,
  endless: 'x'.repeat(10_000),
  leftward: '‮شركة الاختبار‬ עסק',
  pictures: '👩‍👩‍👧‍👦'.repeat(40),
};

let browser: Browser;
let server: Server;
let signedIn: NonNullable<Look['state']>;
let contacts: Record<string, string>;

beforeAll(async () => {
  [browser, server] = await Promise.all([startBrowser(), startServer()]);
  await server.send(
    Object.entries(NAMES).flatMap(([userId, name]) => {
      const document = { id: `D-${userId}`, kind: 'invoice', number: name, amount: '12.50', currency: 'EUR' };
      return [
        {
          type: 'identify',
          userId,
          traits: { name, company: name, email: `${userId}@client.example`, owner: name.slice(0, 200) },
        },
        { type: 'track', userId, event: 'Document Sent', properties: { document } },
      ];
    }),
  );
  const { page, context, close } = await openPage(browser, server);
  const link = new URL(server.setupUrl).hash.slice(1);
  const account = {
    address: 'mara@client.example',
    password: 'a sentence nobody guesses',
    name: NAMES.markup.slice(0, 90),
  };
  const answer = await page.request.post('/api/v1/setup', { data: { link, ...account, language: 'en' } });
  expect(answer.status(), await answer.text()).toBe(200);
  signedIn = await context.storageState();
  await close();
  contacts = {};
  for (const userId of Object.keys(NAMES)) {
    const { items } = (await server.api('GET', `/api/v1/contacts?user_id=${userId}`)) as {
      items: { id: string }[];
    };
    contacts[userId] = items[0]?.id ?? '';
  }
});

afterAll(async () => {
  await server?.stop();
});

describe('hostile names', () => {
  for (const width of [1280, 390]) {
    it.concurrent(`break no page of ${width} px`, { timeout: 180_000 }, async () => {
      const { page, close } = await openPage(browser, server, { state: signedIn, width, height: 800 });
      const profiles = Object.values(contacts).map((id) => `/contacts/${id}`);
      const found: string[] = [];
      for (const path of [
        '/',
        '/contacts',
        '/documents',
        '/approvals',
        '/tasks',
        '/messages',
        '/settings/team',
        ...profiles,
      ]) {
        await page.goto(path);
        await page.getByRole('heading', { level: 1 }).first().waitFor();
        await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' });
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        if (wider > 0) {
          found.push(`${path}: ${wider} px wider than the window`);
        }
        found.push(...(await findings(page)).map((one) => `${path}: ${one}`));
        expect(await page.evaluate(() => 'hurt' in window), path).toBe(false);
      }
      expect(found).toEqual([]);
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox').fill('markup@client');
      await page.getByRole('option').first().waitFor();
      expect(await page.evaluate(() => 'hurt' in window)).toBe(false);
      await close();
    });
  }
});
