/** The end of a run, looked into: which file is meant, which classes are confused, which images changed. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { expectAccessible } from './accessible';
import { openSite, type Site } from './site';

let site: Site;

beforeAll(async () => {
  site = await openSite();
});
afterEach(() => site.closePages());
afterAll(() => site?.close());

async function run(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Start training' }).click();
  await page.getByRole('heading', { name: /^The merge is/ }).waitFor();
}

/** Of a thousand rows axe has work for ten seconds, and finds the same as of a hundred. */
const expectImagesAccessible = (page: Page) => expectAccessible(page, { part: '.test-images' });

const open = (page: Page, name: string | RegExp) =>
  page.locator('.test-images summary', { hasText: name }).click();

test('the certificate names the file that it is about, and what that was made of', async () => {
  const page = await site.open({ path: '#epochs=1' });
  await run(page);
  const proof = page.locator('.proof');
  await proof.getByText('merged.safetensors, SHA-256 abad1dea').waitFor();
  await proof.getByText('Made of net.pth, SHA-256 c0ffee').waitFor();
});

test('a matrix is ordered by class, by errors or by likeness; an image of a cell is shown large', async () => {
  const page = await site.open({ scenario: { classes: 12 }, path: '#epochs=1' });
  await run(page);
  await open(page, 'Which classes are taken for which');
  const matrix = page.getByRole('region', { name: 'Confusion matrix' });
  const rows = async () =>
    (await matrix.locator('tbody th').allTextContents()).map((name) => Number(/\d+/.exec(name)![0]));
  const order = page.getByRole('combobox', { name: 'Order' });
  expect(await rows()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  await order.selectOption('most errors first');
  const byError = await rows();
  expect(byError).not.toEqual([...byError].sort((a, b) => a - b));
  expect([...byError].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  await order.selectOption('alike classes together');
  await expect.poll(rows).not.toEqual(byError);
  await matrix.getByRole('button', { name: /^[1-9].* of class 8,.* told class 9,/ }).click();
  await page.getByRole('button', { name: 'image 8, large' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText(/^class 8, .*told class 9, /).waitFor();
  await page.keyboard.press('ArrowRight');
  await dialog.getByText('image 44').waitFor();
  await page.keyboard.press('Escape');
  await expect.poll(() => dialog.count()).toBe(0);
});

test('of a hundred and of a thousand classes there is a picture, read by keys, and the pairs by name', async () => {
  for (const classes of [100, 1000]) {
    const page = await site.open({ scenario: { classes }, path: '#epochs=1' });
    await run(page);
    await open(page, 'Which classes are taken for which');
    const picture = page.getByRole('img', { name: /^Confusion matrix of/ });
    await picture.focus();
    await page.keyboard.press('ArrowRight');
    const readout = page.locator('.test-images .readout');
    await expect.poll(() => readout.textContent()).toMatch(/of class 0,.* told class 0,/);
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => readout.textContent()).toMatch(/of class 0,.* told class 1,/);
    await page.keyboard.press('Enter');
    await page
      .getByRole('button', { name: /^image \d+, large$/ })
      .first()
      .waitFor();
    await page.getByRole('textbox', { name: 'Find a class' }).fill(`class ${classes - 2},`);
    const pairs = page.locator('.pairs button');
    await expect.poll(() => pairs.count()).toBe(2);
    // the middle of the diagonal
    const box = (await picture.boundingBox())!;
    await picture.hover({ position: { x: box.width / 2, y: box.height / 2 } });
    const place = async () => Number(/of class (\d+)/.exec((await readout.textContent())!)?.[1]);
    await expect.poll(async () => Math.abs((await place()) / classes - 0.5)).toBeLessThanOrEqual(0.01);
    await open(page, 'Recall, precision and accuracy');
    const figures = page.getByRole('region', { name: 'Figures of each class' });
    await figures.getByRole('button', { name: 'Recall' }).click();
    await figures.getByRole('button', { name: 'Recall' }).click();
    // rows come as they are scrolled to
    expect(await figures.locator('tbody tr').count()).toBe(60);
    const scrolled = async () => {
      await figures.locator('.more-rows').evaluateAll(([more]) => more?.scrollIntoView());
      return figures.locator('tbody tr').count();
    };
    await expect.poll(scrolled, { timeout: 10_000 }).toBe(classes);
    expect(await figures.getByRole('button', { name: 'more' }).count()).toBe(0);
    if (classes === 100) await expectImagesAccessible(page);
    await page.setViewportSize({ width: 390, height: 800 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await page.context().close();
  }
});

test('classes are ordered by a figure', async () => {
  const page = await site.open({ path: '#epochs=1', scenario: { classes: 5 } });
  await run(page);
  await open(page, 'Recall, precision and accuracy');
  const figures = page.getByRole('region', { name: 'Figures of each class' });
  const recalls = async () =>
    (await figures.locator('tbody tr td:nth-child(3)').allTextContents()).map((text) =>
      Number.parseFloat(text),
    );
  const own = await recalls();
  await figures.getByRole('button', { name: 'Recall' }).click();
  expect(await recalls()).toEqual([...own].sort((a, b) => b - a));
  expect(await figures.getByRole('columnheader', { name: 'Recall' }).getAttribute('aria-sort')).toBe(
    'descending',
  );
  await figures.getByRole('button', { name: 'Recall' }).click();
  expect(await recalls()).toEqual([...own].sort((a, b) => a - b));
  await figures.getByRole('button', { name: 'Recall' }).click();
  expect(await recalls()).toEqual(own);
});

test('which class has gained most against the base is a click away', async () => {
  const page = await site.open({ path: '#epochs=1', scenario: { classes: 5 } });
  await run(page);
  await open(page, 'Recall, precision and accuracy');
  const figures = page.getByRole('region', { name: 'Figures of each class' });
  const columnOf = async (n: number) =>
    (await figures.locator(`tbody tr td:nth-child(${n})`).allTextContents()).map((text) =>
      Number.parseFloat(text.replace('−', '-')),
    );
  const [after, gains] = [await columnOf(3), await columnOf(4)];
  await figures.getByRole('button', { name: 'Against base' }).click();
  await expect.poll(() => columnOf(4)).toEqual([...gains].sort((a, b) => b - a));
  await figures.getByRole('button', { name: 'Against base' }).click();
  await figures.getByRole('button', { name: 'Against base' }).click();
  await page.locator('.test-images select').first().selectOption('base');
  await figures.getByText('Against base').waitFor({ state: 'detached' });
  const before = await columnOf(3);
  expect(gains.some((gain) => gain !== 0)).toBe(true);
  for (const [i, gain] of gains.entries()) expect(gain).toBeCloseTo(after[i] - before[i], 1);
});

test('images are gained and lost against fine-tuning too', async () => {
  const page = await site.open({ path: '#epochs=1' });
  await run(page);
  await page.getByRole('button', { name: 'Fine-tune beside it' }).click();
  await page.getByText(/Fine-tuned against refocused: |Refocused against fine-tuned: /).waitFor();
  await page.getByRole('button', { name: /^Show refocus/ }).click();
  // fine-tuning took every fifth for the other class, refocusing every ninth
  await open(page, '8 gained against fine-tuned');
  await page.locator('details', { hasText: '8 gained' }).getByText('image 4', { exact: true }).waitFor();
  await page.getByText('4 lost against fine-tuned').waitFor();
});

test('a network that is surer than right is told so, with the numbers', async () => {
  const page = await site.open({ path: '#epochs=1' });
  await run(page);
  await open(page, 'calibration');
  // 36 of 40 right, sure by 0.5 to 0.89
  const fold = page.locator('details', { has: page.locator('.reliability') });
  await fold
    .getByText(/on average it is 69\.5.% sure, and right 90\.0.% of the time, so it is right more often/)
    .waitFor();
  expect(await fold.getByRole('rowheader').first().textContent()).toMatch(/^47.% to 53.%$/);
});

test('what the camera sees is predicted frame by frame, until it is stopped', async () => {
  const page = await site.open({ path: '#epochs=1', context: { permissions: ['camera'] } });
  await page.getByText('Try your own image').click();
  await page.getByRole('button', { name: 'Camera', exact: true }).click();
  await page.getByRole('button', { name: 'Predict live' }).click();
  const answers = page.getByRole('region', { name: 'As loaded: camera' });
  const first = async () => Number.parseFloat((await answers.locator('.number').first().textContent()) ?? '');
  await answers.waitFor();
  // each answer of the fake engine is another one
  const before = await first();
  await expect.poll(first).not.toBe(before);
  await page.getByRole('button', { name: 'Stop predicting' }).click();
  await expect.poll(() => answers.count()).toBe(0);
  await page.getByRole('button', { name: 'Predict live' }).click();
  await run(page);
  await page.getByRole('region', { name: 'Refocused: camera' }).waitFor();
});
