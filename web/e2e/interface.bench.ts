/**
 * What the interface costs whoever opens it: bytes and time of the first load, the documents page, a large canvas.
 *
 * `RELANCE_BENCH_DATA=FOLDER` names a workspace with many documents (see docs/BENCHMARKS.md); without it the documents page is
 * measured on the demonstration. Each figure is the median (least to most) of `ROUNDS`, beside a bound measured in turns with it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Look, openPage, program, startBrowser, startDemo } from './harness';

const ROUNDS = 7;
const STEPS = 100;
const PAN_MS = 2_000;
/** The stream of changes stays open, so that the network is never idle; by then all is loaded. */
const QUIET_MS = 1_500;
const PORT = 18_099;

let browser: Browser;
let demo: Awaited<ReturnType<typeof startDemo>>;
let state: NonNullable<Look['state']>;

beforeAll(async () => {
  [browser, demo] = await Promise.all([startBrowser(), startDemo()]);
  state = await enter(demo.url, demo.link);
});

afterAll(async () => {
  await browser?.close();
  await demo?.stop();
});

async function enter(url: string, link: string): Promise<NonNullable<Look['state']>> {
  const { page, context } = await openPage(browser, { url });
  await page.goto(link);
  await page.waitForURL(`${url}/`);
  const kept = await context.storageState();
  await context.close();
  return kept;
}

function say(name: string, unit: string, list: number[]): void {
  const sorted = [...list].sort((a, b) => a - b);
  const shown = (value: number | undefined) => (value ?? 0).toFixed(unit === 'ms' ? 0 : 1);
  const middle = sorted[Math.floor(sorted.length / 2)];
  process.stdout.write(
    `${name.padEnd(58)} ${shown(middle)} (${shown(sorted[0])} to ${shown(sorted.at(-1))}) ${unit}\n`,
  );
}

async function bytesOf(
  session: CDPSession,
  work: () => Promise<void>,
): Promise<{ bytes: number; calls: number }> {
  let bytes = 0;
  let calls = 0;
  session.on('Network.loadingFinished', (event) => {
    bytes += event.encodedDataLength;
    calls += 1;
  });
  await session.send('Network.enable');
  await work();
  return { bytes, calls };
}

describe('the overview', () => {
  it('is loaded', async () => {
    const [sizes, calls, ready, bound] = [[], [], [], []] as [number[], number[], number[], number[]];
    for (let round = 0; round < ROUNDS; round += 1) {
      const { page, context } = await openPage(browser, demo, { state });
      const session = await context.newCDPSession(page);
      const bareBegan = performance.now();
      await page.goto('/icon.svg');
      bound.push(performance.now() - bareBegan);
      const began = performance.now();
      const loaded = await bytesOf(session, async () => {
        await page.goto('/');
        await page.getByRole('heading', { level: 1 }).waitFor();
        // It answers: a key opens the help.
        await page.keyboard.press('?');
        await page.getByRole('dialog').waitFor();
        ready.push(performance.now() - began);
        await page.waitForTimeout(QUIET_MS);
      });
      sizes.push(loaded.bytes / 1024);
      calls.push(loaded.calls);
      await context.close();
    }
    say('first load of the overview, compressed', 'KB', sizes);
    say('  its calls', '', calls);
    say('  to a page that answers a key', 'ms', ready);
    say('  bound: a picture of the same server', 'ms', bound);
  });
});

describe('the documents page', () => {
  it('answers', async () => {
    const data = process.env.RELANCE_BENCH_DATA;
    const server = data === undefined ? undefined : await serve(data);
    const url = server?.url ?? demo.url;
    const own = server === undefined ? state : await enter(server.url, server.link);
    const { page, context } = await openPage(browser, { url }, { state: own });
    const [sorts, filters, scrolls, bound] = [[], [], [], []] as [number[], number[], number[], number[]];
    await page.goto('/documents');
    await page.locator('[data-index="0"]').waitFor();
    for (let round = 0; round < ROUNDS; round += 1) {
      bound.push(await timed(page, () => page.request.get(`${url}/healthz`)));
      sorts.push(
        await timed(page, async () => {
          await page
            .getByRole('columnheader')
            .getByRole('button')
            .nth(round % 2)
            .click();
          await settled(page);
        }),
      );
      filters.push(
        await timed(page, async () => {
          await page.goto(`/documents?kind=${round % 2 === 0 ? 'invoice' : 'offer'}`);
          await page.locator('[data-index="0"]').waitFor();
          await settled(page);
        }),
      );
      scrolls.push(
        await timed(page, async () => {
          await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
          await settled(page);
        }),
      );
    }
    say('documents: another order, to its rows', 'ms', sorts);
    say('documents: another kind by address, to its rows', 'ms', filters);
    say('documents: to the end of what is loaded, to more rows', 'ms', scrolls);
    say('  bound: a call that does nothing', 'ms', bound);
    await context.close();
    server?.child.kill('SIGTERM');
  });
});

async function timed(page: Page, work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => resolve(undefined))));
  return performance.now() - began;
}

async function settled(page: Page): Promise<void> {
  await page.locator('[role=table][aria-busy=false]').first().waitFor();
}

async function serve(data: string): Promise<{ url: string; link: string; child: ChildProcess }> {
  const url = `http://127.0.0.1:${PORT}`;
  const child = spawn(program(), ['serve', '--data', data, '--listen', `127.0.0.1:${PORT}`]);
  let log = '';
  child.stderr.on('data', (text) => {
    log += text;
  });
  for (;;) {
    const link = /https?:\/\/\S*(\/enter#\S+)/.exec(log)?.[1];
    const ready = await fetch(`${url}/readyz`).catch(() => undefined);
    if (ready?.ok === true) {
      return { url, link: `${url}${link ?? process.env.RELANCE_BENCH_LINK ?? ''}`, child };
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

describe('the canvas', () => {
  it(`pans with ${STEPS} steps`, async () => {
    const { page, context } = await openPage(browser, demo, { state });
    const [ours, bound] = [[], []] as [number[], number[]];
    const steps = Array.from(
      { length: STEPS / 2 },
      (_, n) => `  - wait: ${n + 1}d\n  - send: email\n    template: welcome\n`,
    );
    const text = `format: journey/1\nid: large\nname: Large\ntrigger: { event: Signed Up }\nsteps:\n${steps.join('')}`;
    const { csrf } = await (await page.request.get(`${demo.url}/api/v1/session`)).json();
    const put = await page.request.post(`${demo.url}/api/v1/scenario`, {
      headers: { 'X-Relance-Csrf': csrf },
      data: { journeys: { 'large.yaml': text } },
    });
    expect(put.ok(), await put.text()).toBe(true);
    await page.goto('/journeys/large?view=canvas');
    await page.locator('[data-node]').nth(STEPS).waitFor();
    for (let round = 0; round < ROUNDS; round += 1) {
      bound.push(await frames(page, false));
      ours.push(await frames(page, true));
    }
    say(`canvas with ${STEPS} steps: frames a second while panning`, '', ours);
    say('  bound: the same page standing still', '', bound);
    await context.close();
  });
});

/** Frames a second, while the canvas is dragged or not. */
async function frames(page: Page, drag: boolean): Promise<number> {
  const count = page.evaluate(
    (ms) =>
      new Promise<number>((resolve) => {
        const began = performance.now();
        let n = 0;
        const step = () => {
          n += 1;
          const passed = performance.now() - began;
          if (passed < ms) {
            requestAnimationFrame(step);
          } else {
            resolve((n * 1000) / passed);
          }
        };
        requestAnimationFrame(step);
      }),
    PAN_MS,
  );
  if (drag) {
    const box = await page.locator('.react-flow__pane').boundingBox();
    if (box === null) {
      throw new Error('there is no canvas');
    }
    const [x, y] = [box.x + 12, box.y + box.height / 2];
    await page.mouse.move(x, y);
    await page.mouse.down();
    const until = Date.now() + PAN_MS;
    for (let n = 0; Date.now() < until; n += 1) {
      await page.mouse.move(x + Math.sin(n / 8) * 60, y + Math.cos(n / 8) * 200);
    }
    await page.mouse.up();
  }
  return count;
}
