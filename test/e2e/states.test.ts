/** What a page comes to by mishap, or by another tab: axe finds nothing in it, and nothing is wider than the window. */
import { readFile } from 'node:fs/promises';
import type { Download, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { expectAccessible } from './accessible';
import { finish, LONG, reach, start } from './run';
import { openSite, type Site, showPanel, showRedundancy } from './site';

let site: Site;

beforeAll(async () => {
  site = await openSite();
});
afterEach(() => site.closePages());
afterAll(() => site?.close());

async function check(page: Page): Promise<void> {
  const looks = [
    { width: 1440, colorScheme: 'light' },
    { width: 390, colorScheme: 'dark' },
  ] as const;
  for (const { width, colorScheme } of looks) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    await expectAccessible(page, { message: `at ${width} px` });
    const beyond = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    await expect.poll(beyond, { message: `at ${width} px` }).toBeLessThanOrEqual(0);
  }
}

/** Checks a report that was downloaded, as a page of its own. */
async function checkReport(page: Page, download: Download): Promise<void> {
  const body = await readFile(await download.path(), 'utf8');
  const report = await page.context().newPage();
  await report.route('**/report.html', (route) => route.fulfill({ body, contentType: 'text/html' }));
  await report.goto(new URL('report.html', page.url()).href);
  await report.getByRole('heading', { level: 1 }).waitFor();
  await check(report);
}

test('a run that failed before its first step', async () => {
  const page = await site.open({ scenario: { trainError: 'cat/1.jpg is broken; remove it.' } });
  await start(page);
  await page.getByRole('alert').getByText('cat/1.jpg is broken').waitFor();
  await check(page);
});

test('a run that failed on its way, beside an earlier result', async () => {
  const scenario = { stepMs: 0, secondError: 'The GPU is gone.', failsAfter: 5 };
  const page = await site.open({ scenario, path: '#epochs=1' });
  await start(page);
  await page.getByRole('heading', { name: 'The merge is proven' }).waitFor();
  await start(page);
  await page.getByRole('alert').getByText('The GPU is gone.').waitFor();
  await check(page);
});

test('a run before its first step', async () => {
  const page = await site.open({ scenario: { loadMs: 60_000 }, path: LONG });
  await start(page);
  await page.locator('.before-steps').waitFor();
  await page.locator('.curves canvas').nth(3).waitFor();
  await check(page);
});

test('an experiment that is held, its report, and the form with earlier ones', async () => {
  const experiment = {
    name: 'small',
    arms: ['none', 'finetune'],
    seeds: [0],
    settings: { epochs: 1, lr: 0.01 },
  };
  const path = `#${new URLSearchParams({ experiment: JSON.stringify(experiment) })}`;
  const page = await site.open({ scenario: { stepMs: 50 }, path });
  await showPanel(page, 'experiment');
  const panel = page.locator('.panel.experiment');
  await panel.getByRole('button', { name: 'Start the experiment' }).click();
  await page.locator('.phase', { hasText: 'Run 1 of 1: Training' }).waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  await check(page);
  await page.getByRole('button', { name: 'Resume' }).click();
  await panel.getByText('1 of 1 runs are done.').waitFor();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    panel.getByRole('button', { name: 'Report' }).click(),
  ]);
  await checkReport(page, download);
  await panel.getByRole('button', { name: 'Another experiment' }).click();
  await panel.getByRole('heading', { name: 'Earlier experiments' }).waitFor();
  await check(page);
}, 180_000);

test('a run’s report', async () => {
  const page = await site.open({ scenario: { stepMs: 0 }, path: '#epochs=1' });
  await start(page);
  await finish(page);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'report.html' }).click(),
  ]);
  await checkReport(page, download);
});

test('a run of another tab, watched', async () => {
  const page = await site.open({ scenario: { stepMs: 20 }, path: LONG });
  await start(page);
  await reach(page, 5);
  const other = await page.context().newPage();
  // it needs no engine to look
  await other.route('**/assets/worker-*.js', (route) => route.abort());
  await other.goto(page.url());
  await other.getByText('In another tab: Training').waitFor();
  await reach(other, 10);
  await check(other);
});

test('a browser without WebGPU', async () => {
  const page = await site.open({ scenario: { noAdapter: 'This browser has no WebGPU.' } });
  await page.getByRole('alert').getByText('This browser has no WebGPU.').waitFor();
  await check(page);
});

test('in forced colours the key of a chart has the colours of its lines, and the open layer a frame', async () => {
  const page = await site.open({ path: '#epochs=1', context: { forcedColors: 'active' } });
  await start(page);
  await finish(page);
  const keys = page.locator('.u-legend .u-series:not(:first-child) .u-marker');
  const colours = await keys.evaluateAll((all) => all.map((one) => getComputedStyle(one).borderTopColor));
  expect(new Set(colours).size).toBeGreaterThan(2);
  await showRedundancy(page);
  const frame = (pressed: boolean) =>
    page
      .locator(`.tile[aria-pressed=${pressed}]`)
      .first()
      .evaluate((tile) => getComputedStyle(tile).outlineStyle);
  expect([await frame(true), await frame(false)]).toEqual(['solid', 'none']);
});

test('a window of 1,280 pixels zoomed to 400 % has nothing to scroll sideways, and no bar over what it shows', async () => {
  const viewport = { width: 320, height: 256 };
  const page = await site.open({ path: '#epochs=1', context: { viewport } });
  await start(page);
  await finish(page);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
  await page.evaluate(() => scrollTo(0, 0));
  expect(await page.locator('.run-bar').evaluate((bar) => bar.getBoundingClientRect().top)).toBeGreaterThan(
    256,
  );
});
