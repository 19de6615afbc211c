/** The network's layers and the redundancy of their kernels, with a fake engine. */
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { expectAccessible } from './accessible';
import { LONG } from './run';
import { openSite, type Site } from './site';

let site: Site;
beforeAll(async () => {
  site = await openSite();
}, 60_000);
afterEach(() => site.closePages());
afterAll(() => site.close());

/** A panel below the steps: its script comes when it is near. */
async function panelOf(page: Page, name: string) {
  const panel = page.getByRole('region', { name, exact: true });
  await panel.evaluate((element) => element.scrollIntoView());
  return panel;
}
const network = (page: Page) => panelOf(page, 'Network');
const redundancy = (page: Page) => panelOf(page, 'Channel redundancy');

describe('the network', () => {
  test('folds by block and is gone through by arrow keys; a layer shows its kernels and numbers', async () => {
    const page = await site.open();
    const panel = await network(page);
    await panel
      .getByText(/^mobilenet_v2: \d+ convolutions, .* multiply-adds an image of 32×32; \d+ get a map$/)
      .waitFor();
    const rows = panel.getByRole('row');
    await rows.nth(2).focus();
    expect(await rows.nth(2).getAttribute('aria-expanded')).toBe('false');
    const folded = await rows.count();
    await page.keyboard.press('ArrowRight');
    await panel.locator('[aria-expanded="true"]').waitFor();
    expect(await rows.count()).toBeGreaterThan(folded);
    await page.keyboard.press('ArrowDown');
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.textContent))
      .toMatch(/^features\.1\.conv\.0\.0/);
    await page.keyboard.press('Enter');
    await panel.getByRole('heading', { name: 'features.1.conv.0.0' }).waitFor();
    await panel.getByText('All 12 kernels').waitFor();
    await panel
      .getByRole('img', { name: /^Histogram from/ })
      .first()
      .waitFor();
    await expectAccessible(page);
  });

  test('has each layer’s options, which are the form’s', async () => {
    const page = await site.open();
    const panel = await network(page);
    await panel.getByLabel('Search').fill('depthwise stride');
    await panel.getByText(/^\d+ layers found$/).waitFor();
    await panel.getByRole('row').nth(1).click();
    const map = panel.getByLabel('Refocus this layer');
    expect(await map.isChecked()).toBe(true);
    await map.uncheck();
    await page.waitForURL(/layers=/);
    await panel.getByLabel(/Freeze it/).check();
    await page.waitForURL(/freeze=features\.\d+\.conv\.\d\.0%2C|freeze=features\.\d+\.conv\.\d\.0,/);
    await panel.getByLabel(/Freeze it/).uncheck();
    await page.waitForURL((url) => !url.hash.includes('freeze'));
  });
});

describe('the redundancy', () => {
  test('follows a run: before, now and the difference in one order, a pair by keyboard, curves', async () => {
    const page = await site.open({ scenario: { stepMs: 25 }, path: LONG });
    const panel = await redundancy(page);
    await panel.getByText('features.1.conv.0.0 (32 kernels of 3×3)').waitFor({ state: 'attached' });
    expect(await panel.getByRole('img', { name: /arrow keys choose a pair$/ }).count()).toBe(1);
    await page.getByRole('button', { name: 'Start training' }).click();
    await panel.scrollIntoViewIfNeeded();
    await panel.getByText(/^step \d+ − before, mean/).waitFor();
    await panel.getByLabel('Alike kernels side by side').check();
    const [before, now] = [0, 1].map((at) =>
      panel.getByRole('img', { name: /arrow keys choose a pair$/ }).nth(at),
    );
    await before.focus();
    const readout = panel.locator('.readout');
    const first = await readout.textContent();
    await page.keyboard.press('Shift+ArrowDown');
    await expect.poll(() => readout.textContent()).not.toBe(first);
    expect(await readout.textContent()).toMatch(
      /^channel \d+ and channel \d+: KL \S+ before, \S+ at step \d+; cosine/,
    );
    expect(await readout.getAttribute('aria-live')).toBe('polite');
    await panel.getByRole('heading', { name: 'Mean KL divergence, change in %' }).waitFor();
    await page.getByRole('button', { name: 'Stop and merge' }).click();
    await page.getByText('The merge is proven').waitFor();
    await panel.getByText(/^after − before, mean/).waitFor();
    await panel.getByText(/^Skeleton: the sum of/).waitFor();
    await panel.getByText(/^Spread over|Spread over/).waitFor();
    await panel.getByText('Figures of all layers').click();
    const figures = panel.getByRole('region', { name: 'Redundancy of all layers' });
    await expect
      .poll(() => figures.getByRole('row').allTextContents())
      .toEqual([
        expect.stringMatching(/^LayerKernelsMean KLafterMean cosineafterEffective rankafter$/),
        ...Array(3).fill(expect.stringMatching(/^features\.\d.*\d$/)),
      ]);
    expect(await now.getAttribute('aria-label')).toMatch(
      /^features\.1\.conv\.0\.0 after: mean KL divergence/,
    );
    await expectAccessible(page);
  });

  test('says whose kernels it shows where another network is chosen than the one that was trained', async () => {
    const page = await site.open({ path: '#epochs=1' });
    const errors: string[] = [];
    page.on('pageerror', ({ message }) => errors.push(message));
    const panel = await redundancy(page);
    await panel.getByText('Of the network in step 1, before training.').waitFor();
    await page.getByRole('button', { name: 'Start training' }).click();
    await page.getByText('The merge is proven').waitFor();
    await panel.getByText(/^Of refocus, built-in network, .*\d\.$/).waitFor();
    await page.getByRole('radio', { name: 'Your own' }).check();
    await page
      .locator('#weights')
      .setInputFiles({ name: 'a.safetensors', mimeType: '', buffer: Buffer.from('x') });
    await panel.getByText(/^Of refocus, .* trained another network than the one that is chosen/).waitFor();
    await (await network(page)).getByText(/the run that is shown trained another\.$/).waitFor();
    await panel.getByRole('button', { name: 'Look at the chosen one' }).click();
    await panel.getByText('conv1 (48 kernels of 3×3)').waitFor({ state: 'attached' });
    await panel.getByRole('button', { name: 'Look at the run’s' }).click();
    await panel.getByText('features.0.0 (600 kernels of 3×3)').waitFor({ state: 'attached' });
    await expectAccessible(page);
    expect(errors).toEqual([]);
  });

  test('names kernels of a dense layer by both channels, and says how many of them it shows', async () => {
    const page = await site.open();
    const panel = await redundancy(page);
    await panel.getByRole('button', { name: /features\.0\.0/ }).click();
    await panel.getByText('512 of 600 kernels are shown').waitFor();
    await panel.getByRole('img', { name: /arrow keys/ }).hover({ position: { x: 40, y: 60 } });
    await panel.getByText(/^output \d+ input \d and output \d+ input \d: KL/).waitFor();
    const [csv] = await Promise.all([
      page.waitForEvent('download'),
      panel.getByRole('button', { name: 'CSV of the picture before' }).click(),
    ]);
    expect(csv.suggestedFilename()).toBe('features.0.0-divergence-before.csv');
    const lines = (await readFile((await csv.path())!, 'utf8')).trim().split('\r\n');
    expect(lines).toHaveLength(513);
    expect(lines[1]).toMatch(/^output 0 input \d,0,/);
    for (const kind of ['PNG', 'SVG']) {
      const [file] = await Promise.all([
        page.waitForEvent('download'),
        panel.getByRole('button', { name: `${kind} of the picture before` }).click(),
      ]);
      expect(file.suggestedFilename()).toBe(`features.0.0-divergence-before.${kind.toLowerCase()}`);
      const head = (await readFile((await file.path())!)).subarray(0, 8).toString('latin1');
      expect(head).toMatch(kind === 'PNG' ? /^.PNG/ : /^<svg/);
    }
  });

  test('keeps the pair that a finger touched', async () => {
    const page = await site.open({ context: { hasTouch: true, viewport: { width: 390, height: 800 } } });
    const panel = await redundancy(page);
    const readout = panel.locator('.readout');
    const first = await readout.textContent();
    await panel.getByRole('img', { name: /arrow keys/ }).tap({ position: { x: 200, y: 30 } });
    await expect.poll(() => readout.textContent()).not.toBe(first);
    const touched = await readout.textContent();
    await panel.getByRole('heading', { name: 'Channel redundancy' }).tap();
    expect(await readout.textContent()).toBe(touched);
  });

  test('looks at a run only while it is followed', async () => {
    const page = await site.open({ path: '#epochs=1' });
    const panel = await redundancy(page);
    await panel.getByLabel(/Follow the training/).uncheck();
    await page.getByRole('button', { name: 'Start training' }).click();
    await page.getByText('The merge is proven').waitFor();
    await panel.getByText('Figures of all layers').click();
    // before and after, and nothing between
    const [csv] = await Promise.all([
      page.waitForEvent('download'),
      panel.getByRole('button', { name: 'CSV of all layers’ figures' }).click(),
    ]);
    const lines = (await readFile((await csv.path())!, 'utf8')).trim().split('\r\n');
    expect(lines.map((line) => line.split(',')[0])).toEqual(['step', '0', '40']);
    // every figure leaves as a picture and as numbers
    const saved = async (name: string) => {
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        panel.getByRole('button', { name, exact: true }).click(),
      ]);
      return readFile((await download.path())!);
    };
    for (const figure of ['the skeletons', 'what refocusing can change']) {
      expect((await saved(`CSV of ${figure}`)).toString().trim().split('\r\n'), figure).toHaveLength(10);
      expect((await saved(`PNG of ${figure}`)).subarray(1, 4).toString(), figure).toBe('PNG');
    }
    expect((await saved('SVG of the skeletons')).toString().match(/<rect/g)).toHaveLength(1 + 2 * 9);
    const curves = (await saved('SVG of Mean KL divergence, change in %')).toString();
    expect(curves.match(/<polyline/g)).toHaveLength(2 * 3);
    expect(curves).toContain('features.2.conv.1.0');
  });
});
