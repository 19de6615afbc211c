/** What explains the page: tour, animation, claims, lessons, keys; and what is there before any script. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { panels } from '../../src/page/lesson/lesson';
import { expectAccessible } from './accessible';
import { finish, LONG, start } from './run';
import { openSite, type Site, showPanel } from './site';

let site: Site;

beforeAll(async () => {
  site = await openSite();
});
afterEach(() => site.closePages());
afterAll(() => site?.close());

const focused = (page: Page) => page.evaluate(() => document.activeElement?.textContent);
const open = (page: Page, title: string) => page.locator('#explain summary', { hasText: title }).click();

test('the tour has six stops, is left and gone on with, by keyboard alone', async () => {
  const page = await site.open();
  const tour = page.getByRole('dialog');
  const button = page.locator('[data-tour]');
  await page.locator('#explain').waitFor();
  await button.press('Enter');
  await tour.getByText('1 of 6').waitFor();
  await expect.poll(() => focused(page)).toBe('A network and images');
  for (const stop of [2, 3]) {
    await page.keyboard.press('ArrowRight');
    await tour.getByText(`${stop} of 6`).waitFor();
  }
  await expect.poll(() => page.locator('.tour-target').getAttribute('class')).toContain('run-bar');
  await page.keyboard.press('Escape');
  await tour.waitFor({ state: 'detached' });
  await expect.poll(() => page.locator('.tour-target').count()).toBe(0);
  await expect.poll(() => focused(page)).toBe('Tour, 3 of 6');
  await page.reload();
  await page.locator('#explain').waitFor();
  await button.press('Enter');
  for (const stop of [4, 5, 6]) {
    await tour.getByRole('button', { name: 'Next' }).click();
    await tour.getByText(`${stop} of 6`).waitFor();
  }
  await tour.getByRole('button', { name: 'Done' }).click();
  await expect.poll(() => button.textContent()).toBe('Tour');
});

test('a lesson has its task as text, hides its panels, and keeps notes over a reload', async () => {
  const task = 'Train.\n<img src=x onerror="document.title=1">';
  const path = `#epochs=1&task=${encodeURIComponent(task)}&hide=profile,results`;
  const page = await site.open({ path });
  expect(await page.locator('.task').textContent()).toBe(task);
  expect(await page.locator('.task img').count()).toBe(0);
  await page.locator('#explain').waitFor();
  expect(await page.locator('.panel.profile').isVisible()).toBe(false);
  expect(await page.locator('#step-3').isVisible()).toBe(false);
  await page.getByLabel('Your notes').fill('Ring gained most.');
  await page.reload();
  expect(await page.getByLabel('Your notes').inputValue()).toBe('Ring gained most.');
  expect(page.url()).toContain('hide=profile%2Cresults');
  await wholePage(page);
  expect(await page.locator('#step-3').isVisible()).toBe(true);
});

test('what is for teachers stands in no lesson, and is there again with the whole page', async () => {
  const page = await site.open({ path: '#hide=profile' });
  const panel = page.locator('#explain');
  await panel.getByText('See a kernel being refocused').waitFor();
  const forTeachers = panel.getByText('For teachers');
  expect(await forTeachers.count()).toBe(0);
  await wholePage(page);
  await forTeachers.click();
  await page.getByLabel('Task').fill('Which class gained?');
  await wholePage(page);
  expect(await forTeachers.count()).toBe(0);
});

test('a teacher tries a lesson here: its task is in sight, and the form is a click away', async () => {
  const page = await site.open();
  await open(page, 'For teachers');
  await page.getByLabel('Task').fill('Which class gained?');
  await page.getByRole('button', { name: 'Try it here' }).click();
  const top = () => page.evaluate(() => document.querySelector('.lesson')!.getBoundingClientRect().top);
  await expect.poll(async () => Math.abs(Math.round(await top()))).toBeLessThan(2);
  expect(await page.getByText('For teachers').count()).toBe(0);
  await wholePage(page);
  await open(page, 'For teachers');
  expect(await page.locator('#lesson-task').inputValue()).toBe('Which class gained?');
});

test('a teacher makes a link, which opens as the lesson', async () => {
  const page = await site.open({ path: '#epochs=2' });
  await open(page, 'For teachers');
  await page.getByLabel('Task').fill('Which class gained?');
  await page.getByRole('group', { name: 'Hide' }).getByLabel('Results', { exact: true }).check();
  const link = await page.getByLabel('Link', { exact: true }).inputValue();
  const student = await page.context().newPage();
  await student.route('**/assets/worker-*.js', (route) => route.abort());
  await student.goto(link);
  await student.getByText('Which class gained?').waitFor();
  expect(await student.locator('#step-3').isVisible()).toBe(false);
  expect(await student.getByLabel('Epochs', { exact: true }).inputValue()).toBe('2');
});

test('every panel that a lesson can hide is where the lesson looks for it', async () => {
  const page = await site.open({ path: '#epochs=1' });
  await page.keyboard.press('s');
  await page.getByRole('heading', { name: /^The merge is/ }).waitFor();
  await page.locator('#explain').waitFor();
  await page.locator('#runs').waitFor();
  for (const { label, selector } of Object.values(panels))
    expect(await page.locator(selector).count(), label).toBe(1);
});

test('one stop of the Tab key leads to Start, whose bar is two lines on a narrow phone', async () => {
  const page = await site.open({ context: { viewport: { width: 360, height: 740 } } });
  await page.getByText('Test adapter').waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  expect(await focused(page)).toBe('Start training');
  expect((await page.locator('.run-bar').boundingBox())!.height).toBeLessThan(95);
});

test('single keys start and show, stay out of what is typed, and can be switched off', async () => {
  const page = await site.open({ path: LONG, scenario: { stepMs: 10 } });
  await page.getByLabel('Epochs', { exact: true }).press('s');
  expect(await page.locator('#start').isEnabled()).toBe(true);
  await page.getByLabel('Epochs', { exact: true }).fill('500');
  await page.locator('h1').click();
  await page.keyboard.press('?');
  const sheet = page.getByRole('dialog', { name: 'Keyboard' });
  await sheet.waitFor();
  await page.keyboard.press('s');
  expect(await page.locator('#start').isEnabled(), 'the sheet is in front').toBe(true);
  await page.keyboard.press('Escape');
  await sheet.waitFor({ state: 'hidden' });
  await page.keyboard.press('s');
  await page.locator('.figures').waitFor();
  await page.keyboard.press('p');
  await page.getByText('Paused', { exact: true }).waitFor();
  await page.keyboard.press('?');
  await sheet.getByLabel('Single keys do this').uncheck();
  await sheet.getByRole('button', { name: 'Close' }).click();
  await page.keyboard.press('p');
  await page.waitForTimeout(200);
  expect(await page.getByText('Paused', { exact: true }).count()).toBe(1);
});

test('on a phone a way within the page leads to the top of its place, though parts above it come late', async () => {
  const page = await site.open({
    scenario: { stepMs: 0 },
    path: '#epochs=1',
    context: { viewport: { width: 390, height: 760 } },
  });
  // a top just above is minus zero
  const topOf = (selector: string) =>
    expect.poll(() =>
      page.locator(selector).evaluate((place) => Math.round(place.getBoundingClientRect().top) + 0),
    );
  await start(page);
  await finish(page);
  await page.getByRole('button', { name: 'To the result' }).click();
  await topOf('#step-3').toBe(0);
  await page.evaluate(() => scrollTo(0, 0));
  await page.getByRole('button', { name: 'What is RefConv?' }).click();
  await page.getByText('What sceptics ask').waitFor();
  await topOf('#explain details:nth-of-type(2)').toBe(0);
  // it stays where its user scrolls
  await page.mouse.wheel(0, -300);
  await topOf('#explain details:nth-of-type(2)').toBe(300);
});

test('a kernel of the loaded network is refocused, picture by picture and played', async () => {
  const page = await site.open();
  await open(page, 'See a kernel');
  const title = page.locator('.animation h4').first();
  const titles: (string | null)[] = [await title.textContent()];
  for (let stop = 2; stop <= 6; stop++) {
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText(`${stop} of 6`).waitFor();
    titles.push(await title.textContent());
  }
  expect(new Set(titles).size).toBe(6);
  const refocused = page.getByRole('img', { name: /^Refocused kernel/ });
  const before = await refocused.getAttribute('aria-label');
  await page.getByRole('button', { name: 'Row 1, column 1' }).click();
  expect(await refocused.getAttribute('aria-label')).not.toBe(before);
  await page.getByRole('button', { name: 'Play' }).click();
  await page.getByText('1 of 6').waitFor();
  await page.getByRole('button', { name: 'Pause', exact: true }).first().waitFor();
  const calm = await site.open({ context: { reducedMotion: 'reduce' } });
  await open(calm, 'See a kernel');
  await calm.getByRole('button', { name: 'Next' }).waitFor();
  expect(await calm.getByRole('button', { name: 'Play' }).count()).toBe(0);
});

test.each([
  [1440, 'light'],
  [390, 'dark'],
] as const)('at %i px in %s colours all of it is accessible', async (width, colorScheme) => {
  const context = { viewport: { width, height: 800 }, colorScheme };
  const page = await site.open({ context, path: '#task=Train&hide=profile&epochs=1' });
  await page.getByText('See a kernel being refocused').waitFor();
  await expectAccessible(page);
  await wholePage(page);
  await openAll(page);
  await page.locator('[data-tour]').click();
  await page.getByRole('dialog').waitFor();
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  await page.getByRole('dialog').waitFor();
  await expectAccessible(page);
});

test('none of it is wider than a window of 320 px', async () => {
  const page = await site.open({ context: { viewport: { width: 320, height: 800 } }, path: '#task=Train' });
  await wholePage(page);
  await openAll(page);
  // what comes when it is near shows whether it is there
  await showPanel(page, 'experiment');
  await page.locator('.panel.experiment select').waitFor();
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
});

const wholePage = (page: Page) => page.getByRole('button', { name: 'Show the whole page' }).click();

/** Opens all parts of the explanation, the animation at its sum. */
async function openAll(page: Page): Promise<void> {
  for (const title of ['For teachers', 'What is RefConv', 'See a kernel']) await open(page, title);
  await page.getByText('What sceptics ask').waitFor();
  await page.getByLabel('Link', { exact: true }).waitFor();
  for (let stop = 2; stop <= 4; stop++) await page.getByRole('button', { name: 'Next' }).click();
  await page.getByText('4 of 6').waitFor();
}

test('something is painted before any script, and little moves when it comes', async () => {
  const page = await site.open();
  const bare = await page.context().newPage();
  await bare.route('**/*.js', (route) => route.abort());
  await bare.goto(page.url());
  expect(await bare.getByRole('heading', { name: 'Refocus' }).isVisible()).toBe(true);
  expect(await bare.locator('#app > main > .step').count()).toBe(3);
  const moved = await page.evaluate(async () => {
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const entries: PerformanceEntry[] = await new Promise((resolve) => {
      new PerformanceObserver((list) => resolve(list.getEntries())).observe({
        type: 'layout-shift',
        buffered: true,
      });
      setTimeout(() => resolve([]), 300);
    });
    return entries.reduce((sum, entry) => sum + (entry as PerformanceEntry & { value: number }).value, 0);
  });
  expect(moved).toBeLessThan(0.1);
});
