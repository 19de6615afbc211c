import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { finish, kept, LONG, reach, start } from './run';
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
  await kept(page);
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
    await kept(page);
    await reload(page);
    await page
      .getByText(/^refocus, net\.safetensors, photos\.zip, \d\d:\d\d: cut off at epoch \d+ of 500\.$/)
      .waitFor();
    await choose(page, 'Resume');
    await reach(page, 81);
    await choose(page, 'Stop and merge');
    await finish(page);
    await page.getByText('What was found').click();
    await page.getByText('photos.zip says bytes of a zip').waitFor();
    // not from the beginning
    await page.getByText(/^goes on from step \d+$/).waitFor();
    // stopped on purpose, it can be gone on with all the same
    await page.getByRole('button', { name: /^Go on refocus/ }).waitFor();
  });

  test('is not joined by a run of the form that is started while its files are opened', async () => {
    const page = await site.open({ scenario: { stepMs: 10 }, path: LONG });
    await start(page);
    await reach(page, 60);
    await kept(page);
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

  test('whose files are gone says so, and an earlier result that comes later leaves that in sight', async () => {
    const page = await site.open({ scenario: { stepMs: 10 }, path: '#epochs=1&source=own' });
    await page.locator('#weights').setInputFiles(file('net.safetensors', 'weights'));
    await page.locator('#train').setInputFiles([file('photos.zip', 'bytes of a zip')]);
    await start(page);
    await finish(page);
    await page.getByLabel('Epochs', { exact: true }).fill('500');
    await start(page);
    await reach(page, 60);
    await kept(page);
    // the new page looks through its runs slowly: the list is there, the result that it showed is not
    await page.addInitScript(() => {
      const query = navigator.locks.query.bind(navigator.locks);
      let calls = 0;
      const release = new Promise<void>((resolve) => Object.assign(window, { release: resolve }));
      navigator.locks.query = async () => {
        if (++calls > 1) await release;
        return query();
      };
    });
    await reload(page);
    await page.getByText(/: cut off at epoch/).waitFor();
    await page.evaluate(async () => {
      const root = await navigator.storage.getDirectory();
      const runs = await root.getDirectoryHandle('refocus-runs');
      for await (const name of runs.keys())
        if (name.startsWith('inputs-')) await runs.removeEntry(name, { recursive: true });
    });
    await page.locator('.saved .primary').click();
    const said = page.getByRole('alert').filter({ hasText: 'choose the same again in step 1' });
    await said.waitFor();
    await page.evaluate(() => (window as unknown as { release(): void }).release());
    await finish(page);
    await said.waitFor();
    // nor is it the built-in example that it goes on with
    await page.getByRole('radio', { name: 'Built-in example' }).check();
    await said.waitFor({ state: 'detached' });
    await choose(page, 'Resume');
    await said.waitFor();
  });

  test('goes on by a click during which the page learns what draws it', async () => {
    const page = await site.open({ scenario: { stepMs: 10, adapter: 'Google SwiftShader' }, path: LONG });
    await start(page);
    await reach(page, 60);
    await kept(page);
    let answer = () => {};
    const asked = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await page.route('**/assets/worker-*.js', async (route) => {
      await asked;
      await route.fallback();
    });
    await reload(page);
    await offer(page).waitFor();
    // where nothing is scrolled, no anchor holds the button in its place
    await page.evaluate(() => scrollTo(0, 0));
    await page.getByRole('button', { name: 'Resume', exact: true }).hover();
    await page.mouse.down();
    answer();
    await page.getByText('This browser draws by software').waitFor();
    await page.mouse.up();
    await reach(page, 60);
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

describe('a browser’s storage', () => {
  /** Room for the site, bytes; absent: as much as the browser gives. */
  const giveRoom = async (page: Page, quotaSize?: number) => {
    const devtools = await page.context().newCDPSession(page);
    const { origin } = new URL(page.url());
    await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize });
  };

  test('that is full is told once, and the run goes on and is kept again where there is room', async () => {
    const page = await site.open({ scenario: { stepMs: 10 }, path: '#epochs=6' });
    await giveRoom(page, 1);
    await start(page);
    await page.getByText(/^From here on this run lives in this page alone.*storage is full/).waitFor();
    const told = page.getByText(/^From here on this run lives in this page alone/);
    await page.waitForFunction(
      () => Number(document.querySelector('.figures dd')?.textContent?.split(' ')[0]) > 130,
    );
    expect(await told.count()).toBe(1);
    await giveRoom(page);
    await page.getByText('There is room again').waitFor();
    await finish(page);
    await page.reload();
    await finish(page);
  });

  test('that was cleared is told of in words, and nothing else is lost', async () => {
    const page = await site.open({ scenario: { stepMs: 0 }, path: '#epochs=1' });
    await start(page);
    await finish(page);
    await page.getByText('The test images, one by one').waitFor();
    await page.evaluate(async () => {
      const root = await navigator.storage.getDirectory();
      await root.removeEntry('refocus-runs', { recursive: true });
    });
    const faults: string[] = [];
    page.on('pageerror', ({ message }) => faults.push(message));
    await page.reload();
    await page.getByText(/^The files of .* are not in the browser’s storage any more/).waitFor();
    await expect.poll(() => page.locator('.run-table tbody tr').count()).toBe(1);
    await start(page);
    await finish(page);
    await expect.poll(() => page.locator('.run-table tbody tr').count()).toBe(2);
    expect(faults).toEqual([]);
  });
});
