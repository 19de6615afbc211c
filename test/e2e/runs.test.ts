import { readFile } from 'node:fs/promises';
import { unzipSync } from 'fflate';
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

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });
const rows = (page: Page) => page.locator('.run-table tbody tr');
const plain = (text: string | null) => (text ?? '').replaceAll('\u00a0', ' ');

async function saved(page: Page, name: string | RegExp): Promise<Buffer> {
  // the files may come a moment after the result
  await page.locator('.other-files').waitFor();
  const folded = page.locator('.other-files:not([open]) > summary');
  if (await folded.isVisible()) await folded.click();
  const [download] = await Promise.all([page.waitForEvent('download'), button(page, name).first().click()]);
  return readFile(await download.path());
}

/** Drops files on the page. */
async function drop(page: Page, files: Record<string, Buffer>): Promise<void> {
  const given = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, [...bytes]]));
  const transfer = await page.evaluateHandle((contents) => {
    const made = new DataTransfer();
    for (const [name, bytes] of Object.entries(contents))
      made.items.add(new File([Uint8Array.from(bytes)], name));
    return made;
  }, given);
  await page.dispatchEvent('h1', 'drop', { dataTransfer: transfer });
}

async function trained(scenario = {}, path = '#epochs=1'): Promise<Page> {
  const page = await site.open({ scenario: { stepMs: 0, ...scenario }, path });
  await start(page);
  await finish(page);
  // what shows the test images comes a moment later
  await page.getByText('The test images, one by one').waitFor();
  return page;
}

/** The figures of the run, the twelve test images, and what stands above them. */
const toldOnTheWay = (page: Page) =>
  page.locator('.figures, .live-panel > .hint, .live li').allTextContents();

/** What the result panel says, without what is drawn. */
const said = (page: Page) =>
  page.locator('.outcome h3, .accuracies, .proof, .downloads li, .test-images summary').allTextContents();

describe('a run that has ended', () => {
  test('is there again after a reload, with everything that was shown of it', async () => {
    const page = await trained();
    const before = await said(page);
    await expect.poll(() => toldOnTheWay(page)).toHaveLength(14);
    const onTheWay = await toldOnTheWay(page);
    expect(onTheWay[0]).toContain('Images a second');
    const kernels = await saved(page, 'redundancy.safetensors');
    const merged = await saved(page, 'Download merged.safetensors');
    await page.reload();
    await finish(page);
    await expect.poll(() => said(page)).toEqual(before);
    expect(await saved(page, 'redundancy.safetensors')).toEqual(kernels);
    expect(await saved(page, 'Download merged.safetensors')).toEqual(merged);
    expect(plain(await page.locator('.figures').first().textContent())).toContain('40 / 40');
    await expect.poll(() => toldOnTheWay(page)).toEqual(onTheWay);
    await page.getByRole('heading', { name: 'Milliseconds a step' }).waitFor();
    expect(await page.locator('.phase').textContent()).toBe('Done');
    await page.getByText('1 warning').waitFor();
    await page.getByText('What was found').click();
    await page.getByText('set.zip: 2 classes by name.').waitFor();
    // a fresh visit begins afresh; the run is a click away
    const other = await page.context().newPage();
    await other.route('**/assets/worker-*.js', (route) => route.abort());
    await other.goto(page.url());
    await button(other, /^Show refocus/).click();
    await finish(other);
    await expect.poll(() => said(other)).toEqual(before);
  });

  test('is listed as such, and named in its place, in every tab', async () => {
    const page = await site.open({ path: '#epochs=1' });
    const other = await page.context().newPage();
    await other.route('**/assets/worker-*.js', (route) => route.abort());
    await other.goto(page.url());
    await start(page);
    await rows(other).getByText('Finished').waitFor();
    expect(await button(other, /^Delete/).isEnabled()).toBe(true);
    await button(page, /^Rename/).click();
    const field = page.getByRole('textbox', { name: /^Name of/ });
    await field.fill('<b>مرحبا</b> first');
    await field.press('Enter');
    await rows(page).getByText('<b>مرحبا</b> first').first().waitFor();
    await rows(other).getByText('<b>مرحبا</b> first').first().waitFor();
    await page.reload();
    await rows(page).getByText('<b>مرحبا</b> first').first().waitFor();
    await button(page, /^Rename/).click();
    await page.getByRole('textbox', { name: /^Name of/ }).press('Escape');
    await rows(page).getByText('<b>مرحبا</b> first').first().waitFor();
  });

  test('is deleted, and taken back as long as that is offered', async () => {
    const page = await trained();
    await button(page, /^Delete/).click();
    await page.getByText('is deleted.').waitFor();
    await expect.poll(() => rows(page).count()).toBe(0);
    await button(page, /^Take it back/).click();
    await expect.poll(() => rows(page).count()).toBe(1);
    // how full the storage is
    expect(plain(await page.locator('.room').textContent())).toMatch(
      /^\d+ kB of .* are used, [\d.]+ GB are left/,
    );
    await page.reload();
    await finish(page);
    await button(page, /^Delete/).click();
    await page.getByText('is deleted.').waitFor();
    await page.reload();
    await button(page, 'Start training').waitFor();
    expect(await rows(page).count()).toBe(0);
  });

  test('is one of several that are deleted, each of which can be taken back', async () => {
    const page = await trained();
    await start(page);
    await expect.poll(() => rows(page).getByText('Finished').count()).toBe(2);
    await button(page, /^Delete/)
      .first()
      .click();
    await expect.poll(() => rows(page).count()).toBe(1);
    await button(page, /^Delete/).click();
    await expect.poll(() => button(page, /^Take it back/).count()).toBe(2);
    await button(page, /^Take it back/)
      .last()
      .click();
    await expect.poll(() => rows(page).count()).toBe(1);
    await page.reload();
    // what is deleted is still to be taken back
    await button(page, /^Take it back/).click();
    await expect.poll(() => rows(page).count()).toBe(2);
  });

  test('that failed on its way is listed with why, and its curves', async () => {
    const page = await site.open({
      scenario: { stepMs: 0, secondError: 'The GPU is gone.', failsAfter: 5 },
      path: '#epochs=1',
    });
    await start(page);
    await finish(page);
    await start(page);
    await page.getByRole('alert').getByText('The GPU is gone.').waitFor();
    await page.reload();
    await finish(page);
    const row = rows(page).filter({ hasText: 'Failed' });
    expect(await row.textContent()).toContain('The GPU is gone.');
    await row.getByRole('button', { name: /^Show/ }).click();
    await expect
      .poll(async () => plain(await page.locator('.figures').first().textContent()))
      .toContain('4 /');
    expect(await page.locator('.phase').textContent()).toContain('The GPU is gone.');
  });
});

describe('runs beside each other', () => {
  test('may begin with what another came to, by one click', async () => {
    const page = await trained();
    const [before] = await said(page);
    await button(page, 'Train on from this for 1 epoch').click();
    await expect.poll(() => rows(page).getByText('Finished').count()).toBe(2);
    await rows(page)
      .first()
      .getByText(/^refocus, merged\.safetensors, another camera, \d/)
      .first()
      .waitFor();
    // the earlier one is as it was
    await rows(page).last().getByRole('button', { name: /^Show/ }).click();
    await expect.poll(() => said(page)).toContain(before);
    // after a reload it has the network that it began with
    await page.reload();
    await rows(page).first().getByRole('button', { name: /^Show/ }).click();
    await button(page, 'Train on from this for 1 epoch').click();
    await expect.poll(() => rows(page).getByText('Finished').count()).toBe(3);
  });

  test('the fair comparison is one click, and says what it is worth; three seeds are another', async () => {
    const page = await trained();
    await button(page, 'Fine-tune beside it').click();
    const verdict = page.locator('.verdict');
    await verdict.waitFor();
    // fine-tuning takes every fifth for the other class, refocusing every ninth
    expect(plain(await verdict.textContent())).toMatch(
      /^Refocused against fine-tuned: \+10\.00 points \(95 %: −7\.70 points to \+26\.75 points\), of 40 test images 8 are gained and 4 lost \(McNemar’s test, p = 0\.388\)\. Here refocused was better, which may be chance/,
    );
    expect(await button(page, 'Fine-tune beside it').count()).toBe(0);
    await page.locator('.fair').getByText('One seed is no proof.').waitFor();
    await button(page, 'Run 4 more for 3 seeds of both').click();
    await page
      .getByText(/^Run \d of 4: /)
      .first()
      .waitFor();
    await page.getByText(/^Over seeds 0, 1, 2: fine-tuned .* ± \d\.\d\d, refocused/).waitFor();
    expect(await rows(page).count()).toBe(6);
    expect(await button(page, /more for 3 seeds/).count()).toBe(0);
  });

  test('have their curves over each other, a table against a reference, and what differs', async () => {
    const page = await trained();
    await button(page, 'Fine-tune beside it').click();
    await page.locator('.verdict').waitFor();
    for (const box of await page.locator('.run-table').getByRole('checkbox').all()) await box.check();
    await page.getByRole('heading', { name: '2 runs beside each other' }).waitFor();
    expect(await page.locator('.overlays canvas').count()).toBe(2);
    const table = page.getByRole('region', { name: 'Table of arms' });
    expect(await table.getByText('reference', { exact: true }).count()).toBe(1);
    expect(plain(await table.textContent())).toContain('(95 %: ');
    const differing = page.getByRole('region', { name: 'Settings that differ' });
    expect(await differing.getByRole('rowheader').allTextContents()).toEqual(['method']);
    const csv = (await saved(page, 'Table as CSV')).toString().split('\r\n');
    expect(csv[0]).toMatch(/^name,method,seed,/);
    expect(csv).toHaveLength(4);
    const [first] = JSON.parse((await saved(page, 'Table as JSON')).toString());
    expect(first.difference).toBeNull();
    await page.getByLabel('Reference').selectOption({ index: 1 });
    await expect
      .poll(async () => JSON.parse((await saved(page, 'Table as JSON')).toString())[1].difference)
      .toBeNull();
    const report = (await saved(page, 'Report of these runs (HTML)')).toString();
    expect(report).toContain('<h2>The runs beside each other</h2>');
    expect(report).not.toContain('<b>ring');
  });
});

describe('a bundle', () => {
  test('takes a run to another browser, where it is shown as it was', async () => {
    const page = await trained();
    const before = await said(page);
    const bundle = await saved(page, 'run.zip');
    const names = Object.keys(unzipSync(bundle));
    for (const name of ['config.json', 'report.json', 'metrics.csv', 'merged.safetensors', 'report.html'])
      expect(names).toContain(name);
    const other = await site.open({ path: '' });
    // chosen: on a phone nothing is dropped
    await other
      .getByLabel('Open files')
      .setInputFiles({ name: 'my <i>run.zip', mimeType: 'application/zip', buffer: bundle });
    await finish(other);
    expect(plain(await other.locator('.figures').first().textContent())).toContain('40 / 40');
    await expect.poll(() => said(other)).toEqual(before);
    await rows(other).getByText('my <i>run', { exact: true }).first().waitFor();
    // its network and images are the built-in ones: the comparison can be made here
    await button(other, 'Fine-tune beside it').click();
    await other.locator('.verdict').waitFor();
  });

  test('is a folder, too, as the command line leaves one', async () => {
    const page = await trained();
    const before = await said(page);
    const look = await page.locator('.live li').allTextContents();
    expect(look.length).toBe(12);
    const files = unzipSync(await saved(page, 'run.zip'));
    const other = await site.open({ path: '' });
    await drop(
      other,
      Object.fromEntries(
        Object.entries(files).map(([name, bytes]) => [`runs/first/${name}`, Buffer.from(bytes)]),
      ),
    );
    await finish(other);
    await expect.poll(() => said(other)).toEqual(before);
    await rows(other).getByText('first', { exact: true }).first().waitFor();
    // what was seen live comes along
    expect(await other.locator('.live li').allTextContents()).toEqual(look);
  });

  test('names what is not proven so, and is taken in again', async () => {
    const page = await trained({ proofOk: false, isOnnx: true });
    const unproven = ['best.unproven.safetensors', 'merged.unproven.onnx', 'merged.unproven.safetensors'];
    const networks = (bundle: Buffer) =>
      Object.keys(unzipSync(bundle)).filter((name) => /^(merged|best)\./.test(name));
    const bundle = await saved(page, 'run.zip');
    expect(networks(bundle).sort()).toEqual(unproven);
    const other = await site.open({ path: '' });
    await drop(other, { 'run.zip': bundle });
    await finish(other);
    expect(networks(await saved(other, 'run.zip')).sort()).toEqual(unproven);
  });

  test('of a run that is not over goes on', async () => {
    const page = await site.open({ scenario: { stepMs: 10 }, path: LONG });
    await start(page);
    await reach(page, 60);
    await button(page, 'Stop and merge').click();
    await finish(page);
    const bundle = await saved(page, 'run.zip');
    const other = await site.open({ scenario: { stepMs: 10 }, path: '#epochs=3' });
    await drop(other, { 'run.zip': bundle });
    await finish(other);
    await button(other, /^Go on run/).click();
    // the steps of the run that was shown before stand until the engine tells its own
    await other.getByText(/^goes on from step \d+$/).waitFor({ state: 'attached' });
    await reach(other, 41);
    await button(other, 'Stop and merge').click();
    await finish(other);
    expect(await rows(other).count()).toBe(1);
  });

  test('with a log of another form shows what the rest of it tells', async () => {
    const page = await trained();
    const before = await said(page);
    const { zipSync } = await import('fflate');
    const files = unzipSync(await saved(page, 'run.zip'));
    const log = {
      plan: { steps: 3 },
      course: { points: [1], grams: [[]] },
      stepTimes: 'x',
      live: { looks: [0] },
    };
    files['log.json'] = new TextEncoder().encode(
      JSON.stringify({ ...log, imageReports: [{}], notes: ['A note.', 4] }),
    );
    const other = await site.open({ path: '' });
    const errors: string[] = [];
    other.on('pageerror', ({ message }) => errors.push(message));
    await drop(other, { 'run.zip': Buffer.from(zipSync(files)) });
    await finish(other);
    await expect.poll(() => said(other)).toEqual(before);
    expect(plain(await other.locator('.figures').first().textContent())).toMatch(/^Step40Loss/);
    expect(errors).toEqual([]);
  });

  test('that holds something else says so', async () => {
    const page = await site.open();
    const bundle = Buffer.from(await readFile(await brokenBundle(await trained())));
    await drop(page, { 'old.zip': bundle });
    await page.getByText(/^old\.zip: report\.json is no report of a run that this version reads/).waitFor();
    expect(await rows(page).count()).toBe(0);
  });
});

/** A bundle whose report is of another version. */
async function brokenBundle(page: Page): Promise<string> {
  const { zipSync } = await import('fflate');
  const { writeFile, mkdtemp } = await import('node:fs/promises');
  const { join } = await import('node:path');
  const { tmpdir } = await import('node:os');
  const files = unzipSync(await saved(page, 'run.zip'));
  files['report.json'] = new TextEncoder().encode('{"version":"0.0.1"}');
  const path = join(await mkdtemp(join(tmpdir(), 'refocus-bundle-')), 'old.zip');
  await writeFile(path, zipSync(files));
  return path;
}

test('what the browser’s storage does not take stays in the page, which says so', async () => {
  const page = await site.open({ scenario: { stepMs: 0 }, path: '#epochs=1' });
  // a worker that cannot open its files, as one of a private window
  await page.route('**/assets/keeper-*.js', (route) =>
    route.fulfill({ body: 'throw new Error("x")', contentType: 'text/javascript' }),
  );
  await start(page);
  await finish(page);
  await page.getByText(/^From here on this run lives in this page alone/).waitFor();
  await page.getByText('in this page alone: export it to keep it').waitFor();
  expect((await saved(page, 'Download merged.safetensors')).length).toBe(3);
});

test('a run of another version is told, and can be removed', async () => {
  const page = await trained();
  await page.evaluate(
    () =>
      new Promise<void>((resolve, reject) => {
        const opening = indexedDB.open('refocus-runs');
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const done = opening.result.transaction('entries', 'readwrite');
          done.objectStore('entries').put({ format: 99 }, 'from-the-future');
          done.oncomplete = () => resolve();
        };
      }),
  );
  await page.reload();
  await page.getByText('A run of another version of Refocus is in this browser’s storage').waitFor();
  await finish(page);
  await button(page, 'Remove it').click();
  await page.getByText('A run of another version').waitFor({ state: 'detached' });
});
