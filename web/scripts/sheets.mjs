// Lays the pictures of each page beside one another, three languages, light and dark, and a phone: one small file a page.
//
// RELANCE_SHOTS=FOLDER npm run e2e -- pages     takes the pictures
// node scripts/sheets.mjs FOLDER ../docs/images/pages
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const [from, to] = process.argv.slice(2);
if (from === undefined || to === undefined) {
  throw new Error('name the folder of pictures, and the folder for the sheets');
}
const LOOKS = ['en-light', 'ru-light', 'ja-light', 'en-dark', 'ru-dark', 'ja-dark'];
const PHONES = ['ru-light-390', 'ja-light-390'];
const executablePath = process.env.RELANCE_CHROMIUM ?? '/usr/bin/chromium';

const names = readdirSync(from)
  .filter((name) => name.endsWith('-en-light.png'))
  .map((name) => name.replace('-en-light.png', ''));
mkdirSync(to, { recursive: true });
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const page = await browser.newPage({ viewport: { width: 1500, height: 800 } });
for (const name of names) {
  const picture = (look, width) => {
    const path = join(from, `${name}-${look}.png`);
    return existsSync(path)
      ? `<img width="${width}" src="data:image/png;base64,${readFileSync(path).toString('base64')}">`
      : '';
  };
  const wide = LOOKS.map((look) => picture(look, 400)).join('');
  const narrow = PHONES.map((look) => picture(look, 131)).join('');
  await page.setContent(
    `<style>body{margin:8px;background:#888;display:flex;gap:6px}div{display:flex;flex-wrap:wrap;align-items:flex-start;gap:6px;width:1212px}
     div+div{width:131px;align-content:flex-start}img{display:block}</style><div>${wide}</div><div>${narrow}</div>`,
  );
  const body = await page.locator('body').boundingBox();
  await page.screenshot({
    path: join(to, `${name}.jpg`),
    type: 'jpeg',
    quality: 62,
    clip: { x: 0, y: 0, width: 1380, height: Math.ceil((body?.height ?? 560) + 16) },
  });
}
await browser.close();
