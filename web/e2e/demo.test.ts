/** The demonstration: what a newcomer meets first, and the tour of the three main jobs. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findings, openPage, startBrowser, startDemo } from './harness';

const DAYS = 12;

let browser: Browser;
let demo: Awaited<ReturnType<typeof startDemo>>;

beforeAll(async () => {
  [browser, demo] = await Promise.all([startBrowser(), startDemo(DAYS)]);
});

afterAll(async () => {
  await demo?.stop();
});

describe('the demonstration', () => {
  it('says what it is, and leads through approving, why, and building', async () => {
    const { page, context, close } = await openPage(browser, demo);
    await page.goto(demo.link);
    const bar = page.getByRole('region', { name: 'Demonstration' });
    await bar.getByText('nothing was really sent').waitFor();
    await page.getByRole('link', { name: /messages? to approve/ }).waitFor();
    const tour = page.getByRole('region', { name: 'Tour' });
    await tour.getByText('Three things in a minute').waitFor();
    expect(await findings(page)).toEqual([]);

    await tour.getByRole('button', { name: 'Show me' }).click();
    await tour.getByText('Approve reminders').waitFor();
    expect(new URL(page.url()).pathname).toBe('/approvals');
    await tour.getByRole('button', { name: 'Next' }).click();
    await tour.getByText('Why did they not get it?').waitFor();
    expect(new URL(page.url()).pathname).toMatch(/^\/contacts\/con_/);
    await tour.getByRole('button', { name: 'Next' }).click();
    await tour.getByText('Build a journey').waitFor();
    expect(new URL(page.url()).pathname).toBe('/journeys');
    await tour.getByRole('button', { name: 'Done' }).click();
    await tour.waitFor({ state: 'hidden' });

    // Whoever has seen it is not asked again, and finds it when they look for it.
    await page.goto('/');
    await bar.getByRole('button', { name: 'Tour' }).waitFor();
    expect(await tour.count()).toBe(0);
    await bar.getByRole('link', { name: 'Messages “sent”' }).click();
    await page.getByRole('heading', { level: 1 }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/messages');

    // Without the session there is nothing to see.
    await context.clearCookies();
    await page.goto('/');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await close();
  });
});
