/** The panel that looks into networks, with a fake engine. */
import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { expectAccessible } from './accessible';
import { openSite, type Site } from './site';

let site: Site;
beforeAll(async () => {
  site = await openSite();
}, 60_000);
afterEach(() => site.closePages());
afterAll(() => site.close());

test('networks are analysed: figures at a glance, pictures, and a report to keep', async () => {
  const page = await site.open();
  const panel = page.getByRole('region', { name: 'Looking into networks', exact: true });
  await panel.evaluate((element) => element.scrollIntoView());
  const start = panel.getByRole('button', { name: 'Analyse' });
  await start.waitFor();
  const choices = panel.getByRole('group', { name: 'What to look at' }).getByRole('checkbox');
  await expect.poll(() => choices.count()).toBe(8);
  for (const choice of await choices.all()) await choice.uncheck();
  await panel.getByText('Choose what is to be looked at.').waitFor();
  expect(await start.isDisabled()).toBe(true);
  for (const choice of await choices.all()) await choice.check();
  await panel.getByText('How many images, points and steps').click();
  const images = panel.getByLabel(/^Images/);
  await images.fill('3');
  await start.click();
  await panel
    .getByRole('alert')
    .getByText(/must be a whole number from 16/)
    .waitFor();
  await images.fill('');
  await start.click();
  await panel.getByRole('rowheader', { name: '<b>refocused' }).waitFor();
  await panel.getByRole('cell', { name: '42.5' }).waitFor();
  // pictures that the page's policy lets in and that are whole
  const widths = () =>
    panel
      .locator('img')
      .evaluateAll((all) => all.map((image) => (image as HTMLImageElement).naturalWidth > 0));
  await expect.poll(widths).toEqual([true, true, true]);
  await expectAccessible(page);
  const download = page.waitForEvent('download');
  await panel.getByRole('button', { name: 'analysis.html' }).click();
  expect(await readFile(await (await download).path(), 'utf8')).toContain('<h2>Loss landscape</h2>');
});
