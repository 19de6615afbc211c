/** A set of the user's own making: classes by name, pictures from the camera and from files. */
import { readFile } from 'node:fs/promises';
import { unzipSync } from 'fflate';
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

const camera = { permissions: ['camera'] };

async function openSet(page: Page): Promise<void> {
  await page.getByText('Make a set with the camera').click();
  await page.getByRole('listitem', { name: 'Class 2' }).waitFor();
}

const pictures = (page: Page, name: string) =>
  page.getByRole('listitem', { name, exact: true }).getByRole('img');

const photo = (name: string) => ({ name, mimeType: 'image/png', buffer: Buffer.from(name) });

/** Presses a button until there are so many pictures of a class. */
async function record(page: Page, name: string, atLeast: number): Promise<void> {
  await page.getByRole('button', { name: `Camera for ${name}`, exact: true }).click();
  await page.waitForFunction(() => (document.querySelector('video')?.videoWidth ?? 0) > 0);
  await page.getByRole('button', { name: 'Hold to record' }).hover();
  await page.mouse.down();
  await expect.poll(() => pictures(page, name).count()).toBeGreaterThanOrEqual(atLeast);
  await page.mouse.up();
}

test('three classes are made without a file, trained, and there again after a reload', async () => {
  const page = await site.open({ path: '#source=own&epochs=1', context: camera });
  await openSet(page);
  await page.getByRole('button', { name: 'Add a class' }).click();
  await page.getByRole('textbox', { name: 'Name of the class' }).nth(2).fill('כלב 🐕');
  for (const name of ['Class 1', 'Class 2', 'כלב 🐕']) await record(page, name, 3);
  // the fake engine looks into the files that it is given
  await page.getByText('my images: 3 classes').waitFor();
  await page.getByText('10 classes → your 3: new head').waitFor();
  expect(page.url(), 'no name of a class in the address').not.toContain('Class');
  await expectAccessible(page);
  const before = await pictures(page, 'Class 1').count();
  await page.reload();
  await page.getByText('my images: 3 classes').waitFor();
  expect(await pictures(page, 'Class 1').count()).toBe(before);
  await page.getByRole('button', { name: 'Start training' }).click();
  await page.getByRole('heading', { name: /^The merge is/ }).waitFor();
});

test('the camera is asked for by a click, a short press takes one picture, a key does too', async () => {
  const page = await site.open({ path: '#source=own', context: camera });
  await page.evaluate(() => {
    const { mediaDevices } = navigator;
    const asked = { count: 0 };
    const ask = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = (wanted) => {
      asked.count++;
      return ask(wanted);
    };
    Object.assign(globalThis, { asked });
  });
  const asked = () =>
    page.evaluate(() => (globalThis as unknown as { asked: { count: number } }).asked.count);
  await openSet(page);
  expect(await asked()).toBe(0);
  await record(page, 'Class 1', 1);
  expect(await asked()).toBe(1);
  const count = await pictures(page, 'Class 1').count();
  await page.getByRole('button', { name: 'Hold to record' }).press('Enter');
  await expect.poll(() => pictures(page, 'Class 1').count()).toBeGreaterThan(count);
  // a screen reader's press has no pointer and no key
  const next = await pictures(page, 'Class 1').count();
  await page
    .getByRole('button', { name: 'Hold to record' })
    .evaluate((button) => (button as HTMLElement).click());
  await expect.poll(() => pictures(page, 'Class 1').count()).toBe(next + 1);
  const device = () =>
    page.evaluate(() => {
      const { srcObject } = document.querySelector('video')!;
      return (srcObject as MediaStream | null)?.getVideoTracks()[0].getSettings().deviceId;
    });
  const first = await device();
  await page.getByRole('button', { name: 'Other camera' }).click();
  await expect.poll(device).not.toBe(first);
  await page.getByRole('button', { name: 'Close the camera' }).click();
  expect(await page.locator('video').count()).toBe(0);
});

test('without leave the page says what to do, and goes on', async () => {
  const page = await site.open({ path: '#source=own' });
  await page.evaluate(() => {
    navigator.mediaDevices.getUserMedia = async () => {
      throw new DOMException('no', 'NotAllowedError');
    };
  });
  await openSet(page);
  await page.getByRole('button', { name: 'Camera for Class 1' }).click();
  await page.getByText('was not allowed to use the camera').waitFor();
});

test('pictures are chosen or dropped into a class, removed and brought back, and saved as a zip', async () => {
  const page = await site.open({ path: '#source=own' });
  await openSet(page);
  const choose = (name: string, ...names: string[]) =>
    page
      .getByRole('listitem', { name, exact: true })
      .locator('input[type=file]')
      .setInputFiles(names.map(photo));
  await choose('Class 1', 'a.png', 'b.png');
  await choose('Class 1', 'a.png', 'notes.txt');
  await page.getByText('1 file is no picture').waitFor();
  await page.getByRole('listitem', { name: 'Class 2' }).evaluate((card) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(['c'], 'c.png', { type: 'image/png' }));
    card.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
  });
  await page.getByText('my images: 2 classes').waitFor();
  expect(await page.locator('.taken').count(), 'the page has not taken it for something else').toBe(0);
  await page.getByRole('button', { name: 'Remove b.png' }).click();
  expect(await pictures(page, 'Class 1').count()).toBe(2);
  await page.getByRole('button', { name: 'Undo' }).click();
  expect(await pictures(page, 'Class 1').count()).toBe(3);
  const name = page.getByRole('textbox', { name: 'Name of the class' }).first();
  await name.fill('Class 2');
  await page.getByText('There is a class of that name.').waitFor();
  await name.fill('cat');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save as a zip' }).click(),
  ]);
  const zip = unzipSync(await readFile(await download.path()));
  expect(Object.keys(zip).sort()).toEqual(['Class 2/c.png', 'cat/a 2.png', 'cat/a.png', 'cat/b.png']);
  expect(Buffer.from(zip['cat/b.png']).toString()).toBe('b.png');
  // elsewhere, or on another day, it is opened again and goes on from there
  const saved = {
    name: 'my-images.zip',
    mimeType: 'application/zip',
    buffer: await readFile(await download.path()),
  };
  const other = await site.open({ path: '#source=own' });
  await openSet(other);
  const open = async (file: typeof saved) => {
    await other.getByLabel('Open a saved set').setInputFiles(file);
  };
  await open({ ...saved, name: 'no-set.zip', buffer: Buffer.from('no zip') });
  await other.locator('.capture .error').getByText('no-set.zip').waitFor();
  await open(saved);
  await other.getByText('my-images.zip: 4 pictures of 2 classes.').waitFor();
  expect(await pictures(other, 'cat').count()).toBe(3);
  expect(await pictures(other, 'Class 1').count()).toBe(0);
  await other.getByRole('button', { name: 'Remove b.png' }).click();
  await open(saved);
  await expect.poll(() => pictures(other, 'cat').count()).toBe(5);
  await other.getByText('my images: 2 classes').waitFor();
});

test('a set of one’s own does not displace files that were chosen, until it is told to', async () => {
  const page = await site.open({ path: '#source=own' });
  await page.locator('#train').setInputFiles([photo('set.zip')]);
  await openSet(page);
  for (const name of ['Class 1', 'Class 2'])
    await page
      .getByRole('listitem', { name, exact: true })
      .locator('input[type=file]')
      .setInputFiles([photo(`${name}.png`)]);
  await page.getByText('Training uses other images than these 2 pictures').waitFor();
  await page.getByText('set.zip: 2 classes').waitFor();
  await page.getByRole('button', { name: 'Use these' }).click();
  await page.getByText('my images: 2 classes').waitFor();
});
