/**
 * A real Chromium on a real program.
 *
 * Every page fails its test when it logs an error, breaks the content security policy, or asks any server but its own.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page, type Request } from 'playwright-core';
import { expect, inject } from 'vitest';

export { program, type Server, startDemo, startServer } from './program';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where the demonstration that tests share is asked for. */
    demoDesk: string;
  }
}

/**
 * The demonstration after its thirty days that several files look at, and the state of a browser that is signed in
 * there. Nobody stops it but the run.
 */
export async function sharedDemo(): Promise<{ url: string; state: State }> {
  const answer = await fetch(inject('demoDesk'));
  const text = await answer.text();
  if (!answer.ok) {
    throw new Error(text);
  }
  return JSON.parse(text);
}

let browser: Promise<Browser> | undefined;

/** One browser for all files of a worker; it ends with it. */
export async function startBrowser(): Promise<Browser> {
  if (browser === undefined || !(await browser).isConnected()) {
    browser = launch();
  }
  return browser;
}

async function launch(): Promise<Browser> {
  const executablePath = process.env.RELANCE_CHROMIUM ?? CHROMIUM.find((path) => existsSync(path));
  if (executablePath === undefined) {
    throw new Error('there is no Chromium: sh scripts/install-web-deps.sh');
  }
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
}

type State = Awaited<ReturnType<BrowserContext['storageState']>>;

/** How a page is looked at; `state` is of a browser that signed in before. */
export type Look = {
  state?: State;
  language?: 'en' | 'ru' | 'ja';
  scheme?: 'light' | 'dark';
  width?: number;
  height?: number;
};

/** What went wrong on a page, beside what the test asks. */
export type Watched = { page: Page; context: BrowserContext; faults: string[]; close: () => Promise<void> };

/** A page that notes every fault: errors in its console, refused content, calls to other servers. */
export async function openPage(browser: Browser, server: { url: string }, look: Look = {}): Promise<Watched> {
  const context = await browser.newContext({
    baseURL: server.url,
    locale: { en: 'en-GB', ru: 'ru-RU', ja: 'ja-JP' }[look.language ?? 'en'],
    colorScheme: look.scheme ?? 'light',
    viewport: { width: look.width ?? 1280, height: look.height ?? 860 },
    reducedMotion: 'reduce',
    timezoneId: 'Europe/London',
    ...(look.state === undefined ? {} : { storageState: look.state }),
  });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('console', (message) => {
    // A refused call is told by the page itself; the browser logs it as well.
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) {
      faults.push(message.text());
    }
  });
  page.on('pageerror', (error) => faults.push(String(error)));
  const calls = new Set<Request>();
  underWay.set(page, calls);
  page.on('requestfinished', (request) => calls.delete(request));
  page.on('requestfailed', (request) => calls.delete(request));
  page.on('request', (request) => {
    if (!request.url().endsWith(STREAM)) {
      calls.add(request);
    }
    if (!request.url().startsWith(server.url) && !/^(data|blob|about):/.test(request.url())) {
      faults.push(`asked ${request.url()}`);
    }
  });
  return {
    page,
    context,
    faults,
    close: async () => {
      await context.close();
      expect(faults).toEqual([]);
    },
  };
}

/** Calls of a page that wait for an answer; the stream of changes is none, for it never ends. */
const underWay = new WeakMap<Page, Set<Request>>();
const STREAM = '/api/v1/live';
/** How long a page may go on loading before it is looked at as it is. */
const SETTLED_MS_MAX = 10_000;

/** Waits until a page has loaded what it shows: no call under way, nothing busy, no place holder, and that twice. */
export async function settled(page: Page): Promise<void> {
  const until = Date.now() + SETTLED_MS_MAX;
  let quiet = 0;
  while (quiet < 2 && Date.now() < until) {
    const isIdle = (underWay.get(page)?.size ?? 0) === 0;
    const isDrawn = await page.evaluate(
      () =>
        new Promise<boolean>((resolve) =>
          requestAnimationFrame(() =>
            setTimeout(
              () =>
                resolve(
                  document.querySelector('h1') !== null &&
                    document.querySelector('[aria-busy=true], .mantine-Skeleton-root[data-visible]') === null,
                ),
              0,
            ),
          ),
        ),
    );
    quiet = isIdle && isDrawn ? quiet + 1 : 0;
  }
}

const AXE = readFileSync(join(import.meta.dirname, '../node_modules/axe-core/axe.min.js'), 'utf8');

type Axe = {
  _audit: { rules: { id: string; impact?: string }[] };
  run: (
    options: object,
  ) => Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }>;
};

/** Serious findings of axe on the page as it is, each with the element. */
export async function findings(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) {
    await page.evaluate(AXE);
  }
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: Axe };
    // What is not serious is not told, and so need not be looked for: a third of the rules.
    const mild = axe._audit.rules.filter((one) => one.impact === 'minor' || one.impact === 'moderate');
    const { violations } = await axe.run({
      rules: Object.fromEntries(mild.map((one) => [one.id, { enabled: false }])),
      // What passed is not told either.
      resultTypes: ['violations'],
      // Frames hold mails without scripts: they could not answer, and would be waited for.
      iframes: false,
      // No rule in force reads style sheets or media.
      preload: false,
    });
    return violations
      .filter((one) => one.impact === 'serious' || one.impact === 'critical')
      .flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.html.slice(0, 200)}`));
  });
}

/** Keeps a picture of the page in e2e/shots, or where `RELANCE_SHOTS` says. */
export async function shot(page: Page, name: string): Promise<void> {
  const folder = process.env.RELANCE_SHOTS ?? join(import.meta.dirname, 'shots');
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}
