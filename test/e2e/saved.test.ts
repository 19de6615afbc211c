import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { finish, LONG, reach, start } from './run';
import { openSite, type Site } from './site';

let site: Site;

beforeAll(async () => {
  site = await openSite();
});
afterEach(() => site.closePages());
afterAll(() => site?.close());

const offer = (page: Page) => page.getByText(/: cut off at epoch/);
const choose = (page: Page, button: string) =>
  page.getByRole('button', { name: button, exact: true }).click();

const file = (name: string, text: string) => ({
  name,
  mimeType: 'application/octet-stream',
  buffer: Buffer.from(text),
});

/** Reloads, whether or not the page asks back. */
async function reload(page: Page): Promise<void> {
  const accept = (dialog: { accept(): Promise<void> }) => dialog.accept();
  page.on('dialog', accept);
  await page.reload();
  page.off('dialog', accept);
}

async function merged(page: Page): Promise<Buffer> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download merged.safetensors' }).click(),
  ]);
  return readFile(await download.path());
}

test('a run goes on after a reload and comes to the same bytes', async () => {
  const path = '#epochs=3&batch=4&limit=12&repeats=1&checkpointMinutes=0.001';
  const open = async () => {
    const page = await site.open({ scenario: 'real', path });
    page.setDefaultTimeout(200_000);
    return page;
  };
  const whole = await open();
  await start(whole);
  await finish(whole);
  const bytes = await merged(whole);
  await whole.context().close();

  const page = await open();
  await start(page);
  await reach(page, 4);
  await reload(page);
  await page.getByText(/: cut off at epoch [012](\.\d)? of 3\.$/).waitFor();
  await choose(page, 'Resume');
  await finish(page);
  expect((await merged(page)).equals(bytes)).toBe(true);
}, 300_000);

describe('a run that outlives its page', () => {
  test('brings the files that were chosen', async () => {
    const page = await site.open({ scenario: { stepMs: 10 }, path: `${LONG}&source=own` });
    await page.locator('#weights').setInputFiles(file('net.safetensors', 'weights'));
    await page.locator('#train').setInputFiles([file('photos.zip', 'bytes of a zip')]);
    await start(page);
    await reach(page, 100);
    await reload(page);
    await page
      .getByText(/^refocus, net\.safetensors, photos\.zip, \d\d:\d\d: cut off at epoch \d+ of 500\.$/)
      .waitFor();
    await choose(page, 'Resume');
    // not from the beginning, and the curves have all of it
    await reach(page, 81);
    await choose(page, 'Stop and merge');
    await finish(page);
    await page.getByText('What was found').click();
    await page.getByText('photos.zip says bytes of a zip').waitFor();
    // stopped on purpose, it can be gone on with all the same
    await page.getByRole('button', { name: /^Go on refocus/ }).waitFor();
  });

  test('is not joined by a run of the form that is started while its files are opened', async () => {
    const page = await site.open({ scenario: { stepMs: 10 }, path: LONG });
    await start(page);
    await reach(page, 60);
    await reload(page);
    // both in one go, before the page has said that either is under way; until the engine has answered, and the run's
    // newest checkpoint is found, there is neither button
    await page.waitForFunction(() => {
      const buttons = [...document.querySelectorAll('button')];
      const both = ['Resume', 'Start training'].map((name) =>
        buttons.find(({ textContent, disabled }) => textContent === name && !disabled),
      );
      if (!both.every((button) => button !== undefined)) return false;
      for (const button of both) button.click();
      return true;
    });
    await reach(page, 60);
    const locks = await page.evaluate(async () => (await navigator.locks.query()).held!.map((l) => l.name));
    expect(locks.filter((name) => name === 'refocus-run')).toHaveLength(1);
  });

  test('is offered by no other page while it goes on', async () => {
    const page = await site.open({ scenario: { stepMs: 10 }, path: LONG });
    await start(page);
    await reach(page, 60);
    const other = await page.context().newPage();
    // it needs no engine to look
    await other.route('**/assets/worker-*.js', (route) => route.abort());
    await other.goto(page.url());
    await other.getByRole('button', { name: 'Start training' }).waitFor();
    expect(await offer(other).count()).toBe(0);
    await page.close({ runBeforeUnload: false });
    await reload(other);
    await offer(other).waitFor();
  });
});
