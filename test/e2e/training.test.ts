import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { finish, kept, LONG, reach, start, stepOf } from './run';
import { openSite, type Site } from './site';

let site: Site;

beforeAll(async () => {
  site = await openSite();
});
afterEach(() => site.closePages());
afterAll(() => site?.close());

const click = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();

describe('a run that a click begins', () => {
  const PHONE = { viewport: { width: 390, height: 760 } };
  const scenario = { stepMs: 10, loadMs: 1000 };
  /** Clicks where the button is: nothing is scrolled for it. */
  const press = async (page: Page) => {
    await page.getByText('Test adapter').waitFor();
    const { x, y } = (await page.locator('#start').boundingBox())!;
    await page.mouse.click(x + 10, y + 10);
  };
  const isInSight = (page: Page, selector: string) =>
    page.evaluate((selector) => {
      const { top, bottom } = document.querySelector(selector)!.getBoundingClientRect();
      return top >= 0 && bottom <= document.querySelector('.run-bar')!.getBoundingClientRect().top;
    }, selector);
  const topOf = async (page: Page) => (await page.locator('.progress').boundingBox())!.y;

  test('comes into sight on a phone, before its first step, which moves nothing', async () => {
    const late = { ...scenario, loadMs: 8000 };
    const page = await site.open({ scenario: late, path: LONG, context: PHONE });
    // whatever the fonts: CI's stand otherwise than a desk's
    await page.evaluate(() => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync('dt, dd { line-height: 2.1 }');
      document.adoptedStyleSheets = [sheet];
    });
    await press(page);
    await page.locator('.before-steps').getByText('Loading the images').waitFor();
    await page.locator('.curves canvas').nth(3).waitFor();
    await page.getByText('1 warning').waitFor();
    await expect.poll(() => topOf(page)).toBeLessThan(20);
    await page.evaluate(() => {
      const shifts: number[] = [];
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries() as (PerformanceEntry & {
          value: number;
          hadRecentInput: boolean;
        })[])
          if (!entry.hadRecentInput) shifts.push(entry.value);
      }).observe({ type: 'layout-shift' });
      Object.assign(window, { shifts });
    });
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Pause');
    const place = async (part: string) => (await page.locator(part).boundingBox())!;
    const before = await place('.before-steps');
    await reach(page, 30);
    const after = await place('.figures');
    expect(Math.abs(after.y + after.height - before.y - before.height)).toBeLessThan(2);
    expect(await isInSight(page, '.figures')).toBe(true);
    const shifts = await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts);
    expect(shifts.reduce((sum, value) => sum + value, 0)).toBeLessThan(0.02);
  });

  test('comes there at once where less motion is asked for', async () => {
    const page = await site.open({ scenario, path: LONG, context: { ...PHONE, reducedMotion: 'reduce' } });
    await page.evaluate(() => {
      const places = new Set<number>();
      addEventListener('scroll', () => places.add(Math.round(scrollY)));
      Object.assign(window, { places });
    });
    await press(page);
    await page.locator('.before-steps').waitFor();
    await expect.poll(() => isInSight(page, '.before-steps')).toBe(true);
    const places = await page.evaluate(() => [...(window as unknown as { places: Set<number> }).places]);
    // one jump, and what comes late above it
    expect(places.filter((y) => y < places.at(-1)! / 2)).toEqual([]);
  });

  test('moves nothing where some of it is in sight, or where it does not begin', async () => {
    const wide = await site.open({ scenario, path: LONG });
    await press(wide);
    await wide.locator('.before-steps').waitFor();
    await reach(wide, 5);
    expect(await wide.evaluate(() => scrollY)).toBe(0);
    const phone = await site.open({ path: '#source=own', context: PHONE });
    await press(phone);
    await phone.getByRole('alert').getByText('Choose a weights file').waitFor();
    expect(await phone.evaluate(() => scrollY)).toBe(0);
  });

  test('has its charts before there is anything to draw', async () => {
    const page = await site.open({ scenario: { ...scenario, newHead: true }, path: LONG });
    const errors: string[] = [];
    page.on('pageerror', ({ message }) => errors.push(message));
    await press(page);
    await page.getByLabel('Log loss').check();
    await page.getByRole('img', { name: 'Loss of training and test, no step yet' }).waitFor();
    expect(await page.getByRole('button', { name: 'Last quarter' }).isDisabled()).toBe(true);
    await reach(page, 5);
    await page.getByRole('img', { name: /^Loss of training and test, [\d.]+ at step/ }).waitFor();
    expect(errors).toEqual([]);
  });
});

describe('while a run goes on', () => {
  test('it can be taken step by step', async () => {
    const page = await site.open({ scenario: { stepMs: 10 }, path: LONG });
    await start(page);
    await reach(page, 20);
    expect(await page.getByRole('button', { name: 'One step' }).isDisabled()).toBe(true);
    await click(page, 'Pause');
    await page.getByText('Paused').waitFor();
    await page.waitForTimeout(50);
    const before = await stepOf(page);
    for (const more of [1, 2]) {
      await click(page, 'One step');
      await reach(page, before + more);
      await page.waitForTimeout(50);
      expect(await stepOf(page)).toBe(before + more);
    }
    await click(page, 'Resume');
    await reach(page, before + 10);
  });

  test('twelve test images show how sure the network is', async () => {
    const page = await site.open({ scenario: { stepMs: 10 }, path: LONG });
    await start(page);
    const cards = page.locator('.live li');
    await cards.nth(11).waitFor();
    expect(await cards.count()).toBe(12);
    await page.getByText(/After step [\d,]+ it tells \d+ of 12 right, \d+ at step 0/).waitFor();
    const text = await cards.first().textContent();
    await page.waitForFunction((old) => document.querySelector('.live li')?.textContent !== old, text);
    // names of classes are text
    expect(await cards.first().locator('b').first().textContent()).toBe('<b>ring</b>');
    await click(page, 'Stop and merge');
    await finish(page);
    await cards.first().waitFor();
  });

  test('title and icon tell how far it is', async () => {
    const page = await site.open({ scenario: { stepMs: 10 }, path: '#epochs=100' });
    const icon = () => page.evaluate(() => document.querySelector<HTMLLinkElement>('link[rel="icon"]')!.href);
    const idle = await icon();
    await start(page);
    await expect.poll(() => page.title()).toMatch(/^\d+ % · Refocus/);
    await expect.poll(icon).not.toBe(idle);
    const some = await icon();
    // a part of it is a hundred steps and more
    await expect.poll(icon, { timeout: 15_000 }).not.toBe(some);
    await click(page, 'Stop and merge');
    await finish(page);
    await expect.poll(icon).toBe(idle);
  });

  test('a notification tells its end, where it was asked for by a click and nobody looks', async () => {
    const page = await site.open({ scenario: { stepMs: 10 }, path: LONG });
    await page.context().addInitScript(() => {
      const told: string[] = [];
      class Fake {
        static permission = 'default';
        static async requestPermission() {
          Fake.permission = 'granted';
          return 'granted';
        }
        constructor(title: string, { body }: { body: string }) {
          told.push(`${title}: ${body}`);
        }
      }
      Object.assign(globalThis, { Notification: Fake, told });
      Object.defineProperty(document, 'hidden', { value: true });
    });
    await page.reload();
    const told = () => page.evaluate(() => (globalThis as unknown as { told: string[] }).told);
    await start(page);
    await click(page, 'Stop and merge');
    await finish(page);
    expect(await told()).toEqual([]);
    await start(page);
    await click(page, 'Notify me when it ends');
    await click(page, 'Stop and merge');
    await expect.poll(told).toEqual([expect.stringMatching(/^Refocus: the run has ended: Stopped after /)]);
  });

  test('a part of one chart is shown in all, and the whole again', async () => {
    const page = await site.open({ scenario: { stepMs: 1 }, path: '#epochs=3' });
    await start(page);
    await finish(page);
    await expect
      .poll(() => page.locator('.curves .chart h3').allTextContents())
      .toEqual(['Loss', 'Accuracy', 'Learning rate', 'Milliseconds a step']);
    const over = page.locator('.curves .u-over');
    const pixels = () =>
      page.evaluate(() =>
        [...document.querySelectorAll<HTMLCanvasElement>('.curves canvas')].map((canvas) =>
          canvas.toDataURL(),
        ),
      );
    const { width } = (await over.first().boundingBox())!;
    // waits until the page below what still comes stands still
    await over.first().dragTo(over.first(), {
      sourcePosition: { x: 0.2 * width, y: 50 },
      targetPosition: { x: 0.5 * width, y: 50 },
    });
    await page.getByRole('button', { name: 'Whole run' }).waitFor();
    await click(page, 'Whole run');
    await page.mouse.move(0, 0);
    await page.waitForTimeout(100);
    const whole = await pixels();
    await click(page, 'Last quarter');
    await page.waitForTimeout(100);
    const quarter = await pixels();
    const charts = whole.map((picture, i) => picture !== quarter[i]).filter(Boolean);
    expect(charts).toHaveLength(4);
    await over.nth(2).dblclick();
    await page.getByRole('button', { name: 'Last quarter' }).waitFor();
    await page.locator('.tools select').selectOption('time');
    await page.locator('.u-legend').getByText('Time', { exact: true }).first().waitFor();
  });

  test('a place is pointed at in all charts at once; the loss is drawn by its logarithm, and all of it as a table', async () => {
    const page = await site.open({ scenario: { stepMs: 1 }, path: '#epochs=3' });
    await start(page);
    await finish(page);
    await expect.poll(() => page.locator('.curves .chart').count()).toBe(4);
    const steps = () => page.locator('.curves .u-series:first-child .u-value').allTextContents();
    // where nobody points, the latest of each line
    const figures = () => page.locator('.curves .u-series .u-value').allTextContents();
    await expect.poll(async () => new Set(await steps())).toEqual(new Set(['120']));
    expect((await figures()).filter((text) => !/\d/.test(text))).toEqual([]);
    const over = page.locator('.curves .u-over').first();
    await over.hover({ position: { x: 100, y: 60 } });
    await expect.poll(async () => new Set(await steps()).size).toBe(1);
    expect((await steps())[0]).toMatch(/^\d+$/);
    expect(Number((await steps())[0])).toBeLessThan(110);
    await page.mouse.move(0, 0);
    await expect.poll(async () => new Set(await steps())).toEqual(new Set(['120']));
    await page.locator('.tools select').selectOption('epoch');
    await page.locator('.u-legend').getByText('Epoch', { exact: true }).first().waitFor();
    const canvases = page.locator('.curves canvas');
    const drawn = (i: number) =>
      canvases.nth(i).evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
    await page.mouse.move(0, 0);
    await page.waitForTimeout(100);
    const [loss, accuracy] = [await drawn(0), await drawn(1)];
    await page.locator('.curves').getByLabel('Log loss').check();
    await expect.poll(() => drawn(0)).not.toBe(loss);
    expect(await drawn(1), 'an accuracy has no logarithm').toBe(accuracy);
    await page.getByText('The curves as a table').click();
    const rows = page.getByRole('region', { name: 'The curves as a table' }).getByRole('rowheader');
    await expect.poll(() => rows.allTextContents()).toEqual(['0', '40', '80', '120']);
  });
});

test('a run is watched by another tab, which has no hand in it', async () => {
  const page = await site.open({ scenario: { stepMs: 10 }, path: LONG });
  await start(page);
  await reach(page, 20);
  const other = await page.context().newPage();
  // it needs no engine to look
  await other.route('**/assets/worker-*.js', (route) => route.abort());
  await other.goto(page.url());
  await reach(other, 30);
  await other.getByText('In another tab: Training').waitFor();
  await other.locator('#step-2').getByText('in another tab', { exact: true }).waitFor();
  expect(await other.title()).toMatch(/^\d+ % · /);
  for (const name of ['Pause', 'Stop and merge', 'Discard'])
    expect(await other.getByRole('button', { name }).isDisabled()).toBe(true);
  await other.locator('.live li').nth(11).waitFor();
  const seen = await stepOf(other);
  await reach(other, seen + 10);
  // all steps are there, those before it came as well
  await expect.poll(() => other.locator('.chart').count()).toBe(4);
  await page.close({ runBeforeUnload: false });
  await other.getByText(/: cut off at epoch \d+ of 500\.$/).waitFor();
  await other.getByText('In another tab: Training').waitFor({ state: 'detached' });
});

describe('a tab that nobody sees', () => {
  const hide = () => {
    Object.assign(window, { isHidden: false, screenLocks: 0 });
    const hidden = () => (window as unknown as { isHidden: boolean }).isHidden;
    Object.defineProperty(document, 'hidden', { get: hidden });
    Object.defineProperty(document, 'visibilityState', { get: () => (hidden() ? 'hidden' : 'visible') });
    // browsers draw nothing of a hidden tab
    const draw = window.requestAnimationFrame.bind(window);
    window.requestAnimationFrame = (callback) => (hidden() ? 0 : draw(callback));
    const counted = window as unknown as { screenLocks: number };
    Object.defineProperty(navigator, 'wakeLock', {
      value: {
        async request() {
          counted.screenLocks++;
          return { release: async () => counted.screenLocks-- };
        },
      },
    });
  };
  const turn = (page: Page, isHidden: boolean) =>
    page.evaluate((value) => {
      Object.assign(window, { isHidden: value });
      document.dispatchEvent(new Event('visibilitychange'));
    }, isHidden);
  const locks = (page: Page) =>
    page.evaluate(() => (window as unknown as { screenLocks: number }).screenLocks);

  test('trains to its end, and keeps the screen on while it is seen alone', async () => {
    const page = await site.open({ scenario: { stepMs: 10 }, path: '#epochs=3' });
    await page.addInitScript(hide);
    await page.reload();
    await start(page);
    await reach(page, 10);
    await expect.poll(() => locks(page)).toBe(1);
    await turn(page, true);
    await expect.poll(() => locks(page)).toBe(0);
    await turn(page, false);
    await expect.poll(() => locks(page)).toBe(1);
    await turn(page, true);
    // the list and the storage know of its end, without anything drawn
    await expect.poll(() => page.title(), { timeout: 15_000 }).toMatch(/^Done/);
    await turn(page, false);
    await finish(page);
    await page.getByText('120 / 120').waitFor();
    expect(await locks(page)).toBe(0);
  });
});

describe('a run of another tab is taken over', () => {
  /** A run, and another tab that watches it. */
  async function watchedRun(path = LONG) {
    const page = await site.open({ scenario: { stepMs: 10 }, path });
    const other = await page.context().newPage();
    await other.goto(page.url());
    await other.getByRole('button', { name: 'Start training' }).waitFor();
    await page.bringToFront();
    await start(page);
    await reach(other, 50);
    return { page, other };
  }
  const goneOn = async (page: Page) => {
    await page.getByText('What was found').click();
    const note = await page.getByText(/^goes on from step \d+$/).textContent();
    return Number(note?.match(/\d+/)?.[0]);
  };

  /** It goes on behind that step; then it is ended. */
  const end = async (page: Page, step: number) => {
    await reach(page, step + 5);
    await click(page, 'Stop and merge');
    await finish(page);
  };

  test('at the very step that it had come to there, and watched from there', async () => {
    const { page, other } = await watchedRun();
    await kept(page);
    await click(other, 'Take over');
    await page.getByText('In another tab: Training').waitFor();
    // between two epochs, whose ends are at multiples of 40
    const step = await goneOn(other);
    expect(step).toBeGreaterThanOrEqual(50);
    await end(other, step);
    expect(await other.locator('.run-table tbody tr').count()).toBe(1);
    await page.getByText('In another tab: Training').waitFor({ state: 'detached' });
    await expect.poll(() => page.locator('.run-table tbody tr').getByText('Stopped').count()).toBe(1);
  });

  test('while it is held, too, and comes to its end', async () => {
    const { page, other } = await watchedRun('#epochs=16');
    await click(page, 'Pause');
    await page.getByText('Paused').first().waitFor();
    const step = await stepOf(page);
    await kept(page);
    await click(other, 'Take over');
    expect(await goneOn(other)).toBe(step);
    await finish(other);
    await other.getByText('640 / 640').waitFor();
    await expect.poll(() => page.locator('.run-table tbody tr').getByText('Finished').count()).toBe(1);
  });

  test('from its last checkpoint where the other tab does not answer', async () => {
    const { page, other } = await watchedRun();
    await kept(page);
    const hung = page.evaluate(() => {
      const end = Date.now() + 9000;
      while (Date.now() < end);
    });
    await click(other, 'Take over');
    // as long as it is waited for: a run that began meanwhile would leave it lying
    await other.getByRole('button', { name: 'Taking over' }).waitFor();
    expect(await other.getByRole('button', { name: 'Start training' }).isDisabled()).toBe(true);
    const step = await goneOn(other);
    expect(step % 40).toBe(0);
    await hung;
    await page.getByText('In another tab: Training').waitFor();
    await end(other, step);
  });
});

describe('a run that is thrown away', () => {
  test('asks once, and leaves the result that was there', async () => {
    const page = await site.open({ scenario: { stepMs: 10 }, path: '#epochs=1' });
    await start(page);
    await finish(page);
    await page.goto(page.url().replace('#epochs=1', LONG));
    await start(page);
    await reach(page, 50);
    await click(page, 'Discard');
    await page.getByText(/^Discard what [\d,]+ steps have trained\?/).waitFor();
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Go on');
    await click(page, 'Go on');
    const at = await stepOf(page);
    await reach(page, at + 10);
    await click(page, 'Discard');
    await click(page, 'Discard for good');
    await finish(page);
    await page.getByText('What was trained is discarded.').waitFor({ state: 'attached' });
    expect(await page.getByText(/: cut off at epoch/).count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Start training' }).isEnabled()).toBe(true);
  });
});

describe('a run that cannot go on as it is', () => {
  test('for want of memory is begun again with smaller micro-batches, by one click', async () => {
    const remedy = { message: 'The GPU could not give 900 MB.', settings: { microBatch: 16 } };
    const page = await site.open({ scenario: { stepMs: 1, remedy }, path: '#epochs=1&microBatch=64' });
    await start(page);
    await page.getByText('The GPU could not give 900 MB.').waitFor();
    await page.getByRole('button', { name: /^Start again with .* 16$/ }).click();
    await finish(page);
    expect(page.url()).toContain('microBatch=16');
    expect(await page.getByRole('button', { name: /^Start again/ }).count()).toBe(0);
  });

  test('within its limit of memory is told before, with what would fit by one click', async () => {
    const page = await site.open({ path: '#memory=40' });
    const told = page.getByText(
      'The memory limit is 40.0 MB, and a step of the batch takes at least 63.2 MB',
    );
    await told.waitFor();
    await click(page, 'Micro-batch 16');
    await told.waitFor({ state: 'detached' });
    await expect.poll(() => page.url()).toMatch(/#(?=.*microBatch=16).*memory=40/);
    await page.evaluate(() => {
      location.hash = '#memory=40';
    });
    await told.waitFor();
    await click(page, 'Limit 63.2 MB');
    await told.waitFor({ state: 'detached' });
    await expect.poll(() => page.url()).toContain('memory=64');
  });

  test('because it diverged goes on from its last good state at a lower rate, by one click', async () => {
    const page = await site.open({ scenario: { stepMs: 1, ended: 'diverged' }, path: '#epochs=2&lr=0.02' });
    await start(page);
    await page
      .getByText(/^Diverged after/)
      .first()
      .waitFor();
    await click(page, 'Go on from step 80 at learning rate 0.002');
    await page.getByText('Done').first().waitFor();
    await page.getByText('What was found').click();
    await page.getByText('at rate 0.002').waitFor();
  });

  test('because it diverged in its first epoch begins again at a lower rate, after a reload too', async () => {
    const page = await site.open({ scenario: { stepMs: 1, mostRate: 5 }, path: '#epochs=1&lr=20' });
    await start(page);
    await page.getByRole('button', { name: 'Start again with learning rate 2' }).waitFor();
    await page.reload();
    await page.getByText(/: failed at epoch 0.1 of 1\.$/).waitFor();
    const more = page.getByRole('button', { name: /^Go on with learning rate 2/ });
    await expect.poll(() => more.count()).toBe(2);
    await more.first().click();
    await finish(page);
    expect(await page.getByText('The loss was NaN').count()).toBe(0);
  });

  test('because its numbers were not finite names the layer, as text, and stays told after a reload', async () => {
    const nonFinite = { step: 71, pass: 'forward', layer: '<b>features.3</b>.conv', kind: 'conv2d' } as const;
    const scenario = { stepMs: 1, ended: 'diverged', nonFinite } as const;
    const page = await site.open({ scenario, path: '#epochs=2&lr=100' });
    await start(page);
    const sentence =
      'The first output that was not finite, in step 71, was that of <b>features.3</b>.conv (conv2d).';
    const outcome = page.locator('.outcome');
    await outcome.getByText(sentence).waitFor();
    await outcome.getByText('Try a learning rate of 10.').waitFor();
    await page.getByRole('button', { name: 'Go on from step 80 at learning rate 10' }).waitFor();
    await page.reload();
    await outcome.getByText(sentence).waitFor();
    await page.getByRole('button', { name: /^Go on at a lower rate/ }).click();
    await outcome.getByText(sentence).waitFor({ state: 'detached' });
    await finish(page);
    expect(await page.getByText(sentence).count()).toBe(0);
  });

  test('because its engine lost the GPU goes on in a new engine', async () => {
    const page = await site.open({ scenario: { stepMs: 2, lostAt: 60 }, path: '#epochs=3' });
    await start(page);
    await page
      .getByText(/^The engine was lost at step (59|60): training goes on from step 40, in a new one\.$/)
      .waitFor();
    await finish(page);
    await page.getByText('120 / 120').waitFor();
  });

  test('in any new engine goes on after a reload, which asks nobody', async () => {
    const page = await site.open({ scenario: { stepMs: 2, lostAt: 60, lossTimes: 3 }, path: '#epochs=3' });
    page.on('dialog', () => {
      throw new Error('the page asked');
    });
    const reloaded = page.waitForEvent('domcontentloaded');
    await start(page);
    await reloaded;
    await finish(page);
    await page.getByText('120 / 120').waitFor();
  });

  test('in no page says so, and can be resumed', async () => {
    const page = await site.open({ scenario: { stepMs: 2, lostAt: 60, lossTimes: 99 }, path: '#epochs=3' });
    await start(page);
    await page.getByRole('alert').getByText('The GPU was lost (test).').waitFor();
    await page.getByRole('region', { name: 'Table of runs' }).getByText('The GPU was lost (test).').waitFor();
  });
});

describe('without WebGPU', () => {
  const agents = {
    safari:
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15',
  };
  test('the page says what to do in this browser', async () => {
    const noAdapter = 'WebGPU is there but found no GPU.';
    const linux = await site.open({ scenario: { noAdapter } });
    await linux.getByText('WebGPU is there but found no GPU.').waitFor();
    await linux.getByText(/chrome:\/\/settings\/system/).waitFor();
    const safari = await site.open({ scenario: { noAdapter }, context: { userAgent: agents.safari } });
    await safari.getByText(/Restart the browser; an old device/).waitFor();
  });
});
