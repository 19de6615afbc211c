/** The user's images: what they hold, looked through, and their classes under other names. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { expectAccessible } from './accessible';
import { dropFolders } from './drop';
import { openSite, type Site } from './site';

let site: Site;

beforeAll(async () => {
  site = await openSite();
});
afterEach(() => site.closePages());
afterAll(() => site?.close());

/** A page whose images are folders of those names, with so many images. */
async function openImages(classes: Record<string, number>, path = ''): Promise<Page> {
  const page = await site.open({ path: `#source=own${path}` });
  await page.locator('#weights').setInputFiles(file('net.safetensors'));
  await page.getByText('20 tensors').waitFor();
  await dropFolders(page, classes);
  await page.getByRole('region', { name: 'Classes of the images' }).waitFor();
  return page;
}

const file = (name: string) => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.from('x') });

const names = (page: Page) => page.locator('.classes tbody th .link').allTextContents();

const dialog = (page: Page) => page.getByRole('dialog');

test('classes are bars, in the order that is asked for, and uneven ones are named', async () => {
  const page = await openImages({ owl: 1, cat: 7, dog: 2 });
  expect(await names(page)).toEqual(['cat', 'dog', 'owl']);
  const widths = await page
    .locator('.classes .part-train')
    .evaluateAll((bars) =>
      bars.map((bar) => Math.round(Number.parseFloat((bar as HTMLElement).style.width))),
    );
  expect(widths).toEqual([99, 28, 14]);
  await page.getByText('Uneven: 70 training images of cat, 10 of owl.').waitFor();
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  expect(await names(page)).toEqual(['owl', 'dog', 'cat']);
  expect(await page.getByRole('list', { name: 'Parts of the images' }).allTextContents()).toEqual([
    '100 train3 test (held out)',
  ]);
});

test('a class is looked through page by page, large and small, by the keyboard alone', async () => {
  const page = await openImages({ '<b>cat': 2, dog: 2 });
  await page.getByRole('button', { name: '<b>cat' }).press('Enter');
  const grid = dialog(page).locator('.image-grid button');
  await expect.poll(() => grid.count()).toBe(60);
  await dialog(page).getByText('1 of 4').waitFor();
  await dialog(page).getByRole('button', { name: 'Next page' }).click();
  await dialog(page).getByText('2 of 4').waitFor();
  await grid.nth(1).focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await dialog(page).getByText('<b>cat/62.png').waitFor();
  await page.keyboard.press('ArrowRight');
  await dialog(page).getByText('<b>cat/63.png').waitFor();
  await dialog(page).getByText('64 of 200').waitFor();
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await expect.poll(() => grid.count()).toBe(60);
  await dialog(page).getByRole('button', { name: 'Show those that test' }).click();
  await dialog(page).getByRole('button', { name: '<b>cat/<i>test</i>.png' }).waitFor();
  await page.keyboard.press('Escape');
  await expect.poll(() => dialog(page).count()).toBe(0);
});

test('classes are renamed, merged and left out, and put back', async () => {
  const page = await openImages({ cat: 2, dog: 2, junk: 2, owl: 2 });
  const edit = async (name: string, to: string, button: string) => {
    await page.getByRole('button', { name, exact: true }).click();
    await dialog(page).getByRole('combobox').fill(to);
    await dialog(page).getByRole('button', { name: button }).click();
  };
  await edit('cat', 'pet, small', 'Rename');
  await expect.poll(() => names(page)).toEqual(['dog', 'junk', 'owl', 'pet, small']);
  await edit('dog', 'pet, small', 'Merge');
  await expect.poll(() => names(page)).toEqual(['junk', 'owl', 'pet, small']);
  await edit('junk', 'junk', 'Leave out');
  await expect.poll(() => names(page)).toEqual(['owl', 'pet, small']);
  await page.getByText('10 classes → your 2: new head').waitFor();
  expect(await page.locator('.changed-classes li').allTextContents()).toEqual([
    'pet, small: cat, dog Put back pet, small',
    'junk: left out Put back junk',
  ]);
  const rename = () =>
    JSON.parse(new URLSearchParams(new URL(page.url()).hash.slice(1)).get('rename') ?? '{}');
  expect(rename()).toEqual({ cat: 'pet, small', dog: 'pet, small', junk: '' });
  await page.getByRole('button', { name: 'Put back pet, small' }).click();
  await expect.poll(() => names(page)).toEqual(['cat', 'dog', 'owl']);
  await page.getByRole('button', { name: 'Put back junk' }).click();
  await expect.poll(() => names(page)).toEqual(['cat', 'dog', 'junk', 'owl']);
  expect(page.url()).not.toContain('rename');
});

test('files that want a look are listed: left out, there several times, rotated', async () => {
  const page = await openImages({ cat: 2, dog: 2 });
  await page.getByText('1 file left out').click();
  await page.getByText('star/<i>9</i>.heic: HEIC is not read').waitFor();
  await page.getByText('1 image is there several times, 1 in several classes').click();
  await page.getByText('<b>ring, star: one label at most is right').waitFor();
  await page.getByRole('button', { name: '<b>ring/0.png, star/1.png' }).click();
  await expect.poll(() => dialog(page).locator('.image-grid canvas').count()).toBe(2);
  await page.keyboard.press('Escape');
  await page.getByText('1 file with an EXIF rotation').click();
  await page.getByRole('button', { name: 'Turn them upright' }).click();
  expect(page.url()).toContain('exif=apply');
});

test('a thousand classes of long, right-to-left and emoji names stay within the page', async () => {
  const many = Object.fromEntries(
    Array.from({ length: 1000 }, (_, i) => [`class ${i} כלב 🐕 ${'x'.repeat(i % 80)}`, 1]),
  );
  const page = await openImages(many);
  await page.getByRole('textbox', { name: 'Find a class' }).fill('CLASS 77 ');
  await expect.poll(() => names(page)).toEqual([`class 77 כלב 🐕 ${'x'.repeat(77)}`]);
  for (const width of [1440, 390]) {
    await page.setViewportSize({ width, height: 900 });
    expect(
      await page.evaluate(() => document.documentElement.scrollWidth),
      `at ${width} px`,
    ).toBeLessThanOrEqual(width);
  }
});
