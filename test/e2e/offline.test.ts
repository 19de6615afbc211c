/** The page without a network, newer versions of it, and what is needed to install it. */
import { readFile } from 'node:fs/promises';
import { zipSync } from 'fflate';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { isKept, publish, update } from './publish';
import { openSite, type Site } from './site';

let site: Site;

beforeAll(async () => {
  site = await openSite();
});
afterEach(() => site.closePages());
afterAll(() => site?.close());

const context = { serviceWorkers: 'allow' } as const;

const scriptOf = (page: Page) => page.locator('script[src*="index-"]').getAttribute('src');

test('without its server the page trains, is loaded again and decodes images of the user', async () => {
  const page = await site.open({ scenario: 'real', path: '#epochs=1&batch=32&limit=64', context });
  await isKept(page);
  await site.stopServing();
  await page.getByRole('button', { name: 'Start training' }).click();
  await page.getByRole('heading', { name: /^The merge is/ }).waitFor({ timeout: 120_000 });
  // the built-in network would be warmed up again
  await page.evaluate(() => history.replaceState(null, '', '#source=own'));
  await page.reload();
  const jpeg = await readFile('test/fixtures/images/plain.jpg');
  const set = zipSync({ 'cat/1.jpg': jpeg, 'cat/2.jpg': jpeg, 'dog/1.jpg': jpeg, 'dog/2.jpg': jpeg });
  const file = { name: 'set.zip', mimeType: 'application/zip', buffer: Buffer.from(set) };
  await page.locator('#train').setInputFiles(file);
  await page.getByRole('img', { name: 'dog/1.jpg' }).waitFor();
  await site.serveAgain();
}, 180_000);

test('a document comes from where it is served, and its worker then takes over without a word', async () => {
  const page = await site.open({ context });
  await isKept(page);
  const old = (await scriptOf(page))!;
  const hasOld = () => page.evaluate(async (url) => (await caches.match(url)) !== undefined, old);
  expect(await hasOld()).toBe(true);
  const next = await publish(site);
  await page.reload();
  expect(await scriptOf(page)).toContain(next);
  // a worker that has taken over clears the files of the one before
  await expect.poll(hasOld, { timeout: 20_000 }).toBe(false);
  expect(await page.getByRole('button', { name: 'Load it' }).count()).toBe(0);
});

test('a newer version is told to an open page, and loaded by a button when no tab has a run', async () => {
  const page = await site.open({ context });
  await isKept(page);
  const other = await page.context().newPage();
  await other.goto(page.url());
  const next = await publish(site);
  await update(page);
  const load = page.getByRole('button', { name: 'Load it' });
  await load.waitFor();
  expect(await scriptOf(page)).not.toContain(next);
  await other.evaluate(
    () =>
      new Promise<void>((begun) => {
        navigator.locks.request('refocus-run', { mode: 'shared' }, () => new Promise(() => begun()));
      }),
  );
  await load.click();
  await page.getByText('A run is going on in another tab').waitFor();
  // a closed tab keeps its lock for a moment; once that is gone, the page says so by itself
  await other.close();
  await page.getByText('Settings and saved runs stay.').waitFor();
  await load.click();
  await expect.poll(() => scriptOf(page), { timeout: 20_000 }).toContain(next);
});

test('the newest version is loaded where others have come since, or another tab has taken it', async () => {
  const page = await site.open({ context });
  await isKept(page);
  const other = await page.context().newPage();
  await other.goto(page.url());
  const load = (of: Page) => of.getByRole('button', { name: 'Load it' });
  await publish(site);
  await update(page);
  await load(page).waitFor();
  await load(other).waitFor();
  const next = await publish(site);
  await update(page);
  await load(page).click();
  await expect.poll(() => scriptOf(page), { timeout: 20_000 }).toContain(next);
  await load(other).click();
  await expect.poll(() => scriptOf(other), { timeout: 20_000 }).toContain(next);
});
