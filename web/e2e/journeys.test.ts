/** A journey is begun from a ready one, built on the canvas, checked, played and published; two people at once; an ended session. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  findings,
  type Look,
  openPage,
  type Server,
  startBrowser,
  startServer,
  type Watched,
} from './harness';

let browser: Browser;
let server: Server;
/** The state of a browser that is signed in. */
let state: NonNullable<Look['state']>;

beforeAll(async () => {
  [browser, server] = await Promise.all([startBrowser(), startServer()]);
  const first = await openPage(browser, server);
  const made = await first.page.request.post('/api/v1/setup', {
    data: {
      link: server.setupUrl.split('#')[1],
      address: 'mia@acme.test',
      name: 'Mia',
      password: 'a long enough pass-phrase',
      language: 'en',
      zone: 'Europe/London',
    },
  });
  expect(made.ok(), await made.text()).toBe(true);
  state = await first.context.storageState();
  await first.close();
});

afterAll(async () => {
  await server?.stop();
});

type Shown = {
  status: string;
  current: number | null;
  draft: { text: string; revision: string } | null;
  versions: { text: string }[];
};
const shown = (id: string) => server.api('GET', `/api/v1/journeys/${id}`) as Promise<Shown>;

const open = (): Promise<Watched> => openPage(browser, server, { state });

const node = (page: Page, id: string) => page.locator(`[data-node="${id}"]`);

/** Waits until the server has a draft that fits. */
async function drafted(id: string, fits: (text: string) => boolean): Promise<string> {
  await expect.poll(async () => fits((await shown(id)).draft?.text ?? ''), { timeout: 15_000 }).toBe(true);
  return (await shown(id)).draft?.text ?? '';
}

/** Writes the draft as another person would. */
async function writeAside(id: string, text: string, revision: string): Promise<void> {
  const answer = await fetch(`${server.url}/api/v1/journeys/${id}/draft`, {
    method: 'PUT',
    headers: { Authorization: `Bearer ${server.token}`, 'Content-Type': 'text/plain', 'If-Match': revision },
    body: text,
  });
  expect(answer.status).toBe(200);
}

describe('a ready-made journey', () => {
  it('comes as a draft with its letters, and says afterwards that it is in use', async () => {
    const { page, close } = await open();
    await page.goto('/journeys');
    // Nothing is there yet: the empty list offers the library itself.
    await page.getByRole('button', { name: 'Start from a ready-made journey' }).click();
    await page.getByRole('radio', { name: 'Invoice without payment' }).click();
    await page.getByRole('checkbox', { name: '日本語' }).check();
    expect(await findings(page)).toEqual([]);
    await page.getByRole('button', { name: 'Add as a draft' }).click();
    await node(page, 'before-due').waitFor();
    expect(page.url()).toContain('/journeys/invoice-unpaid');
    const draft = await drafted('invoice-unpaid', (text) => text.includes('template: invoice-overdue-2'));
    expect(draft).toContain('name: Invoice without payment');
    const letter = await server.api('GET', '/api/v1/templates/invoice-due-day');
    expect(letter).toMatchObject({ languages: ['en', 'ja'] });
    await page.goto('/journeys?library=true');
    await page.getByText('In use', { exact: true }).waitFor();
    await close();
  });
});

describe('a journey', () => {
  it('is built on the canvas by keyboard, checked, played and published', async () => {
    const { page, close } = await open();
    await page.goto('/journeys');
    await page.getByRole('button', { name: 'New journey' }).first().click();
    await page.getByRole('radio', { name: 'Welcome' }).click();
    await page.getByLabel('Name').fill('Hello to all');
    await page.getByRole('button', { name: 'Create the draft' }).click();
    await node(page, 'welcome').waitFor();
    expect(page.url()).toContain('/journeys/hello-to-all');
    await drafted('hello-to-all', (text) => text.includes('template: welcome'));

    // From the trigger down to the first step, and a task behind it.
    await node(page, ':trigger').focus();
    await page.keyboard.press('ArrowDown');
    expect(await page.evaluate(() => document.activeElement?.getAttribute('data-node'))).toBe('welcome');
    await page.keyboard.press('a');
    await page.getByRole('menuitem', { name: 'Give a task' }).waitFor();
    await page.locator('[role=menuitem]:focus').waitFor();
    for (const kind of ['wait', 'wait_for', 'branch', 'split', 'task']) {
      await page.keyboard.press('ArrowDown');
      await page.locator(`[data-kind="${kind}"]:focus`).waitFor();
    }
    await page.keyboard.press('Enter');
    const title = page.getByRole('textbox', { name: 'Title' });
    await title.fill('Say hello to {{ contact.name }}');
    await title.blur();
    const text = await drafted('hello-to-all', (one) => one.includes('Say hello to'));
    expect(text).toContain(
      '    template: welcome\n  - task: { title: "Say hello to {{ contact.name }}", due: 1bd }\n',
    );

    // A mistake in the text is told at its line; undoing on the canvas takes it back.
    await node(page, 'welcome').focus();
    await page.keyboard.press('Enter');
    const template = page.getByRole('combobox', { name: 'Template' }).or(page.getByLabel('Template'));
    await template.first().fill('hello');
    await template.first().press('Enter');
    await drafted('hello-to-all', (one) => one.includes('template: hello'));
    await page.getByRole('button', { name: 'Undo (Ctrl Z)' }).click();
    await drafted('hello-to-all', (one) => one.includes('template: welcome'));
    expect(await findings(page)).toEqual([]);

    await page.getByRole('tab', { name: 'Preview' }).click();
    await page.getByRole('button', { name: 'Play', exact: true }).first().click();
    await page.getByText('Would be sent').first().waitFor();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.locator('[data-lit]').waitFor();
    expect(await findings(page)).toEqual([]);

    await page.getByRole('button', { name: 'Publish' }).click();
    await page.getByText('It comes into force as version 1.').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Publish' }).click();
    await page.getByRole('button', { name: 'See the version' }).click();
    await page.getByText('in force').waitFor();
    const out = await shown('hello-to-all');
    expect(out).toMatchObject({ status: 'live', current: 1, draft: null });
    expect(out.versions[0]?.text).toBe(text);
    expect(await findings(page)).toEqual([]);
    await close();
  });

  it('has its steps dragged to where they go, and back by one key', async () => {
    const text = `format: journey/1
id: dragged
name: Dragged
trigger: { event: Signed Up }
steps:
  - { id: first, wait: 1d }
  - { id: second, wait: 2d }
  - { id: third, wait: 3d }
`;
    await server.api('POST', '/api/v1/scenario', { journeys: { 'dragged.yaml': text } });
    const { page, close } = await open();
    await page.goto('/journeys/dragged?view=canvas');
    // The picture has found its place when the text was looked at.
    await page.getByText('No problems').waitFor();
    const box = await node(page, 'first').boundingBox();
    const last = await node(page, 'third').boundingBox();
    if (box === null || last === null) {
      throw new Error('there is no step');
    }
    const order = () =>
      page.locator('[data-node]').evaluateAll((all) =>
        all
          .map((one) => one.getAttribute('data-node') ?? '')
          .filter((one) => ['first', 'second', 'third'].includes(one))
          .join(' '),
      );
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 2, last.y + last.height + 12, { steps: 8 });
    await page.locator('[data-near]').waitFor();
    await page.mouse.up();
    await expect.poll(order).toBe('second third first');
    // The click that ended it opened nothing.
    expect(page.url()).not.toContain('step=');
    await page.keyboard.press('Control+z');
    await expect.poll(order).toBe('first second third');
    // Let go where there is no place, it stays; Escape ends a drag too.
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 2, last.y + last.height + 12, { steps: 8 });
    await page.locator('[data-near]').waitFor();
    await page.keyboard.press('Escape');
    await page.mouse.up();
    expect(await order()).toBe('first second third');
    await close();
  });

  it('that two people write keeps both texts until one has chosen', async () => {
    const text = `format: journey/1
id: two-hands
name: Two hands
trigger: { event: Signed Up }
holdout: 5%
steps:
  - id: pause
    wait: 1d
  - send: email
    template: welcome
`;
    await server.api('POST', '/api/v1/scenario', { journeys: { 'two-hands.yaml': text } });
    const { page, close } = await open();
    await page.goto('/journeys/two-hands?step=pause');
    const field = page.getByRole('textbox', { name: 'How long' });
    await field.fill('2');
    await field.blur();
    await drafted('two-hands', (one) => one.includes('wait: 2d'));
    // The other one writes while this page does not hear of it.
    await page.route('**/api/v1/live', (route) => route.abort());
    await page.route('**/api/v1/journeys/two-hands', (route) => route.abort());
    const { draft } = await shown('two-hands');
    await writeAside(
      'two-hands',
      draft?.text.replace('holdout: 5%', 'holdout: 15%') ?? '',
      draft?.revision ?? '',
    );
    await field.fill('3');
    await field.blur();
    await page.locator('[data-conflict]').waitFor();
    expect((await shown('two-hands')).draft?.text).toContain('wait: 2d');
    expect(await findings(page)).toEqual([]);
    // Each one's change is taken where the other left the text alone; what both changed is chosen.
    expect(await page.getByRole('radio', { name: 'Theirs' }).first().isChecked()).toBe(true);
    await page.getByRole('button', { name: 'Keep what is chosen below' }).click();
    const merged = await drafted('two-hands', (one) => one.includes('wait: 3d'));
    expect(merged).toContain('holdout: 15%');
    await close();
  });

  it('loses nothing when the server is away in the middle of writing', async () => {
    const { page, close } = await open();
    await page.goto('/journeys?new=true');
    await page.getByRole('radio', { name: 'Empty' }).click();
    await page.getByLabel('Name').fill('Away');
    await page.getByRole('button', { name: 'Create the draft' }).click();
    await node(page, '1').waitFor();
    await page.route('**/draft', (route) => route.abort());
    await node(page, '1').click();
    const field = page.getByRole('textbox', { name: 'How long' });
    await field.fill('44');
    await field.blur();
    await page.getByText('Not saved; kept in this browser').waitFor();
    await page.unroute('**/draft');
    await server.restart();
    await page.reload();
    await page.getByText('Your unsaved text is back').waitFor();
    await drafted('away', (text) => text.includes('wait: 44d'));
    await close();
  });

  it('of a hundred steps is drawn and panned', async () => {
    const steps = Array.from(
      { length: 20 },
      (_, at) => `  - wait: ${at + 1}d
  - branch:
      - if: { contact.plan: pro }
        then:
          - send: email
            template: pro-${at}
          - wait: 2d
      - else:
          - send: sms
            template: free-${at}
`,
    );
    const text = `format: journey/1\nid: hundred\nname: Hundred\ntrigger: { event: Signed Up }\nsteps:\n${steps.join('')}`;
    await server.api('POST', '/api/v1/scenario', { journeys: { 'hundred.yaml': text } });
    const { page, close } = await open();
    await page.goto('/journeys/hundred?view=canvas');
    await node(page, '1').waitFor();
    expect(await page.locator('[data-node]').count()).toBe(102);
    const drawn = await page.evaluate(() => {
      const first = document.querySelector('[data-node]');
      const counts = { changed: 0 };
      new MutationObserver((all) => {
        counts.changed += all.length;
      }).observe(first?.closest('.react-flow__nodes') ?? document.body, {
        subtree: true,
        childList: true,
        attributes: true,
      });
      Object.assign(window, { counts });
      return counts.changed;
    });
    expect(drawn).toBe(0);
    await page.mouse.move(700, 500);
    for (let at = 0; at < 20; at += 1) {
      await page.mouse.wheel(0, 60);
    }
    // Panning moves the layer that holds the nodes, and touches none of them.
    expect(
      await page.evaluate(() => (window as unknown as { counts: { changed: number } }).counts.changed),
    ).toBe(0);
    await close();
  });
});
