/** Every page of the filled workspace: no fault, no serious finding of axe, in three languages, light and dark, wide and narrow. */
import type { Browser, Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { findings, type Look, openPage, settled, sharedDemo, shot, startBrowser } from './harness';

let browser: Browser;
let demo: Awaited<ReturnType<typeof sharedDemo>>;
let paths: Record<string, string>;

beforeAll(async () => {
  [browser, demo] = await Promise.all([startBrowser(), sharedDemo()]);
  const { page, close } = await openPage(browser, demo, { state: demo.state });
  paths = await allPaths(page);
  await close();
});

/** Each page by a name; of pages about one thing, the first thing that is there. */
async function allPaths(page: Page): Promise<Record<string, string>> {
  const first = async (path: string) => {
    const answer = await page.request.get(path);
    expect(answer.ok(), path).toBe(true);
    return (await answer.json()).items[0];
  };
  const contact = await first('/api/v1/contacts?limit=1');
  const document = await first('/api/v1/documents?limit=1');
  const journey = await first('/api/v1/journeys?limit=1');
  const template = await first('/api/v1/templates?limit=1');
  return {
    overview: '/',
    approvals: '/approvals',
    tasks: '/tasks',
    documents: '/documents',
    document: `/documents/${document.contact}/${encodeURIComponent(document.id)}`,
    contacts: '/contacts',
    contact: `/contacts/${contact.id}`,
    messages: '/messages',
    journeys: '/journeys',
    journey: `/journeys/${journey.id}`,
    segments: '/segments',
    'journey-numbers': `/journeys/${journey.id}?tab=numbers`,
    templates: '/templates',
    template: `/templates/${template.id}`,
    lists: '/lists',
    imports: '/imports',
    payments: '/payments',
    recognition: '/recognition',
    reports: '/reports',
    'settings-me': '/settings/me',
    'settings-team': '/settings/team',
    'settings-keys': '/settings/keys',
    'settings-audit': '/settings/audit',
    'settings-channels': '/settings/channels',
    'settings-workspace': '/settings/workspace',
    'settings-rules': '/settings/rules',
    'settings-topics': '/settings/topics',
    'settings-mailboxes': '/settings/mailboxes',
    'settings-connect': '/settings/mailboxes?connect=new',
  };
}

/** One page as it is, with all that is wrong about it. */
async function faultsOf(page: Page, path: string): Promise<string[]> {
  await page.goto(path);
  await page.getByRole('heading', { level: 1 }).first().waitFor();
  await settled(page);
  const found = await findings(page);
  const width = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (width > 0) {
    found.push(`${width} px wider than the window`);
  }
  // As it is seen: texts of two parts that follow each other are no one word.
  // biome-ignore lint/performance/useDomNodeTextContent: texts that are seen, with the breaks between them
  const words = await page.locator('body').innerText();
  const keys = words
    .match(/\b[a-z]+(\.[a-zA-Z]+){1,3}\b/g)
    ?.filter((one) => /^(problem|state|kind|place|part)\./.test(one));
  found.push(...(keys ?? []).map((one) => `a word without a text: ${one}`));
  return found;
}

/** Every page in one look. A picture is kept where something is wrong, or of all where `RELANCE_SHOTS` asks for them. */
async function lookAt(how: Look): Promise<string[]> {
  const { page, context, faults } = await openPage(browser, demo, { ...how, state: demo.state });
  const found: string[] = [];
  for (const [name, path] of Object.entries(paths)) {
    const here = await faultsOf(page, path);
    here.push(...faults.splice(0));
    if (here.length > 0 || process.env.RELANCE_SHOTS !== undefined) {
      await shot(page, [name, how.language, how.scheme, how.width].filter(Boolean).join('-'));
    }
    found.push(...here.map((one) => `${name}: ${one}`));
  }
  await context.close();
  return found;
}

const LOOKS: Look[] = [
  { language: 'en', scheme: 'light' },
  { language: 'ru', scheme: 'dark' },
  { language: 'ja', scheme: 'light', width: 390, height: 800 },
  ...(process.env.RELANCE_SHOTS === undefined
    ? []
    : ([
        { language: 'en', scheme: 'dark' },
        { language: 'ru', scheme: 'light' },
        { language: 'ja', scheme: 'light' },
        { language: 'ja', scheme: 'dark' },
        { language: 'ru', scheme: 'light', width: 390, height: 800 },
      ] as Look[])),
];

describe('every page', () => {
  for (const how of LOOKS) {
    // Two looks at once: while one waits for the server, the other is looked at.
    it.concurrent(`is whole in ${how.language}, ${how.scheme}, ${how.width ?? 1280} px`, {
      timeout: 240_000,
    }, async () => {
      expect(await lookAt(how)).toEqual([]);
    });
  }
});
