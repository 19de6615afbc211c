import { readFile } from 'node:fs/promises';
import { unzipSync } from 'fflate';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { expectAccessible } from './accessible';
import { dropFolders } from './drop';
import { reach, start } from './run';
import { openSite, type Site, showPanel } from './site';

let site: Site;

beforeAll(async () => {
  site = await openSite();
});
afterEach(() => site.closePages());
afterAll(() => site?.close());

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });
const panel = (page: Page) => page.locator('.panel.experiment');
const done = (page: Page, words: string | RegExp) => panel(page).getByText(words).waitFor();
const rows = (page: Page) => panel(page).locator('.experiment-table tbody tr');
const SMALL = {
  name: 'small',
  arms: ['none', 'finetune', 'refocus'],
  seeds: [0, 1],
  settings: { epochs: 1, lr: 0.01 },
};

async function open(scenario = {}, hash = JSON.stringify(SMALL)): Promise<Page> {
  const page = await site.open({
    scenario: { stepMs: 0, ...scenario },
    path: `#${new URLSearchParams({ experiment: hash })}`,
  });
  await showPanel(page, 'experiment');
  return page;
}

async function drop(page: Page, name: string, text: string): Promise<void> {
  const dataTransfer = await page.evaluateHandle(
    ([name, text]) => {
      const made = new DataTransfer();
      made.items.add(new File([text], name));
      return made;
    },
    [name, text],
  );
  await page.dispatchEvent('h1', 'drop', { dataTransfer });
}

describe('an experiment', () => {
  test('out of the address runs its arms over its seeds, and leaves its report', async () => {
    const page = await open();
    await button(page, 'Start the experiment').click();
    await done(page, '4 of 4 runs are done.');
    await expect.poll(() => rows(page).count()).toBe(3);
    const cells = await rows(page).locator('td').allTextContents();
    expect(cells.filter((text) => text.includes('%')).length).toBeGreaterThan(8);
    await panel(page).getByRole('heading', { name: 'What was shown' }).waitFor();
    // a phone that is turned, and turned back: its words stay as large, so the drawing has as many units as pixels
    const drawn = () =>
      panel(page)
        .locator('.bands svg')
        .evaluateAll((all) =>
          all.map((svg) => [(svg as SVGSVGElement).viewBox.baseVal.width, svg.getBoundingClientRect().width]),
        );
    for (const [width, height, atLeast, atMost] of [
      [390, 844, 280, 390],
      [844, 390, 600, 640],
      [390, 844, 280, 390],
    ]) {
      await page.setViewportSize({ width, height });
      await expect
        .poll(async () =>
          (await drawn()).every(
            ([units, pixels]) => Math.abs(units - pixels) < 1 && units >= atLeast && units <= atMost,
          ),
        )
        .toBe(true);
    }
    // a table that is wider than the window is scrolled by keys, too
    await expectAccessible(page, { part: '.panel.experiment' });
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      panel(page).getByRole('button', { name: 'Report' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('small.html');
    const html = await readFile(await download.path(), 'utf8');
    expect(html).toContain('The arms');
    // what its runs have trained, by its engine
    expect(html).toMatch(/Network<\/th><td>(<bdi>)?net\.pth/);
    expect(html).toMatch(/Training images<\/th><td>(<bdi>)?builtin</);
    expect(html).not.toContain('<script');
    // its runs are in the list, by their arms
    await expect.poll(() => page.locator('.run-table').textContent()).toContain('small: refocus, seed 1');
  });

  test('is changed by the form, which the address follows', async () => {
    const page = await open({}, 'reviewers');
    await panel(page).getByRole('checkbox', { name: 'Retrained' }).uncheck();
    await panel(page).getByLabel('Seeds').fill('2');
    await panel(page).getByLabel('Seeds').blur();
    await expect
      .poll(() =>
        JSON.parse(new URLSearchParams(new URL(page.url()).hash.slice(1)).get('experiment') ?? '{}'),
      )
      .toMatchObject({ arms: ['none', 'finetune', 'refocus'], seeds: [0, 1] });
  });

  test('that is no experiment is said, and cannot be started', async () => {
    const page = await open({}, JSON.stringify({ ...SMALL, arms: ['tune'] }));
    await panel(page).getByText('there is no arm "tune"').waitFor();
    expect(await button(page, 'Start the experiment').isDisabled()).toBe(true);
    for (const hash of ['no preset', '[null]', '{"name":3,"arms":[null],"seeds":7}']) {
      const other = await open({}, hash);
      await panel(other).getByRole('alert').waitFor();
    }
  });

  test('is stopped, there again after a reload, and goes on with the run that was cut', async () => {
    const page = await open({ stepMs: 60 });
    await button(page, 'Start the experiment').click();
    await done(page, /^2 of 4: Refocused, seed 0/);
    await panel(page).getByRole('button', { name: 'Stop' }).click();
    await done(page, '1 of 4 runs are done.');
    await page.reload();
    await showPanel(page, 'experiment');
    await done(page, '1 of 4 runs are done.');
    await panel(page).getByRole('button', { name: 'Go on' }).click();
    await done(page, '4 of 4 runs are done.');
    // the run that was stopped went on: there are four, not five
    await expect.poll(() => page.locator('.run-table tbody tr').count()).toBe(4);
  });

  test('says between two of its runs which one comes next, and keeps the GPU for itself', async () => {
    const page = await open();
    await page.evaluate(() => {
      const seen = new Set<string>();
      const bar = document.querySelector('.run-bar')!;
      const look = () => {
        const words = bar.querySelector('.phase')?.textContent;
        if (words && (bar.querySelector('#start') as HTMLButtonElement).disabled) seen.add(words);
        else seen.add(`${words} and Start`);
      };
      new MutationObserver(look).observe(bar, { attributes: true, subtree: true, childList: true });
      Object.assign(window, { seen });
    });
    await button(page, 'Start the experiment').click();
    await done(page, '4 of 4 runs are done.');
    await expect.poll(() => page.locator('.phase').textContent()).toBe('Done');
    const seen = await page.evaluate(() => [...(window as unknown as { seen: Set<string> }).seen]);
    const runs = ['Fine-tuned, seed 0', 'Refocused, seed 0', 'Fine-tuned, seed 1', 'Refocused, seed 1'];
    const at = (i: number, words: string) => seen.indexOf(`Run ${i + 1} of 4: ${words}`);
    for (const [i, words] of runs.entries()) {
      expect(at(i, 'Training'), words).toBeGreaterThan(0);
      if (i === 0) continue;
      // either may be too short to be drawn
      const between = Math.max(at(i - 1, `${runs[i - 1]}, is kept`), at(i, `${words}, begins`));
      expect(between, words).toBeGreaterThan(at(i - 1, 'Training'));
      expect(between, words).toBeLessThan(at(i, 'Training'));
    }
    expect(seen.filter((words) => !words.startsWith('Run '))).toEqual(
      seen.filter((words) => ['undefined and Start', 'Done and Start'].includes(words)),
    );
  });

  test('tries an arm that diverged again at its own rate, and never takes it at a lower one', async () => {
    const wild = { name: 'wild', arm: 'finetune', rate: { of: 'finetune', times: 1000 } };
    const arms = ['finetune', wild];
    const page = await open({ mostRate: 5 }, JSON.stringify({ ...SMALL, arms, seeds: [0] }));
    const told = panel(page).getByText('wild, seed 0 did not come to its end: The loss was NaN');
    await button(page, 'Start the experiment').click();
    await done(page, '1 of 2 runs are done.');
    await told.waitFor();
    await panel(page).getByText('Nothing yet: that takes').waitFor();
    await panel(page).getByRole('button', { name: 'Go on' }).click();
    await expect.poll(() => page.locator('.run-table tbody tr').count()).toBe(3);
    await panel(page).getByRole('button', { name: 'Go on' }).waitFor();
    await told.waitFor();
    expect(await panel(page).getByText('1 of 2 runs are done.').count()).toBe(1);
  });

  test('passes over a rate that diverged in its search, and says which arm did at every one', async () => {
    const experiment = {
      ...{ ...SMALL, seeds: [0], settings: { epochs: 1 } },
      arms: ['finetune', 'refocus', { name: 'same', arm: 'joint', rate: { of: 'refocus', times: 1 } }],
      lrSearch: { rates: [10, 0.02], epochs: 1, heldOut: 0.2 },
    };
    const searched = (rates: number[]) =>
      open({ mostRate: 5 }, JSON.stringify({ ...experiment, lrSearch: { ...experiment.lrSearch, rates } }));
    const page = await searched([10, 0.02]);
    await button(page, 'Start the experiment').click();
    await done(page, '7 of 7 runs are done.');
    await panel(page)
      .getByText('Fine-tuned 0.0200 (the edge of the grid; 10.0 diverged), Refocused 0.0200 (')
      .waitFor();
    // nor is its run left, to be gone on with at another rate
    await expect.poll(() => page.locator('.run-table tbody tr').count()).toBe(3);
    const other = await searched([10, 20]);
    await button(other, 'Start the experiment').click();
    await done(other, '4 of 7 runs are done.');
    await panel(other).getByText('Fine-tuned is not trained').waitFor();
    await panel(other).getByText('Begin another experiment with lower rates.').first().waitFor();
    await panel(other).getByText('Fine-tuned none (10.0 and 20.0 diverged)').waitFor();
    await other.reload();
    await showPanel(other, 'experiment');
    await done(other, '4 of 7 runs are done.');
    await button(other, 'Another experiment').waitFor();
    expect(await panel(other).getByRole('button', { name: 'Go on' }).count()).toBe(0);
  });

  test('of one figure has it in the middle of its chart, between round numbers that are not cut', async () => {
    const page = await open({ newHead: true }, JSON.stringify({ ...SMALL, arms: ['finetune'], seeds: [0] }));
    await button(page, 'Start the experiment').click();
    await done(page, '1 of 1 runs are done.');
    const chart = panel(page).locator('.bands').first();
    await expect.poll(() => chart.locator('.grid').count()).toBeGreaterThan(2);
    const { x: left } = (await chart.boundingBox())!;
    for (const text of await chart.locator('svg text').all())
      expect((await text.boundingBox())!.x).toBeGreaterThanOrEqual(left);
  });

  test('leaves each arm’s merged weights, and each figure leads to its run', async () => {
    const page = await open();
    await button(page, 'Start the experiment').click();
    await done(page, '4 of 4 runs are done.');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      panel(page).getByRole('button', { name: 'Merged weights' }).click(),
    ]);
    const unpacked = unzipSync(await readFile(await download.path()));
    expect(Object.keys(unpacked).sort()).toEqual(
      ['finetune', 'refocus'].flatMap((arm) => [0, 1].map((seed) => `${arm}-seed${seed}.safetensors`)),
    );
    await rows(page).nth(1).getByRole('button').last().click();
    await page.locator('.run-table tr.shown .run-name', { hasText: 'small: finetune, seed 1' }).waitFor();
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('step-3');
  });

  test('stays in a list when another takes its place, and can be deleted and taken back', async () => {
    const page = await open();
    await button(page, 'Start the experiment').click();
    await done(page, '4 of 4 runs are done.');
    await button(page, 'Another experiment').click();
    await button(page, 'Start the experiment').waitFor();
    await panel(page).getByRole('button', { name: 'Delete small' }).click();
    await done(page, /small is deleted; its runs stay/);
    await panel(page).getByRole('button', { name: 'Take it back' }).click();
    await done(page, /4 of 4 runs, begun/);
    await page.reload();
    await showPanel(page, 'experiment');
    await button(page, 'Open small').click();
    await done(page, '4 of 4 runs are done.');
    await page.reload();
    await showPanel(page, 'experiment');
    await done(page, '4 of 4 runs are done.');
  });

  test('takes no run of its user’s for one of its own, of the same settings but other images', async () => {
    const page = await site.open({
      scenario: { stepMs: 100 },
      path: `#${new URLSearchParams({ method: 'finetune', epochs: '1', lr: '0.01', experiment: JSON.stringify(SMALL) })}`,
    });
    await page.getByRole('radio', { name: /Its own images/ }).check();
    await start(page);
    await reach(page, 2);
    await button(page, 'Stop and merge').click();
    await page.locator('.run-table').getByText('Stopped').waitFor();
    await showPanel(page, 'experiment');
    await button(page, 'Start the experiment').click();
    await done(page, /^2 of 4: /);
    // the first run of the experiment is over, and one more goes on: the user's is as it was
    await expect.poll(() => page.locator('.run-table tbody tr').count()).toBe(3);
    expect(await page.locator('.run-table').getByText('Stopped').count()).toBe(1);
  });

  test('trains all of its runs on the images that it was begun with', async () => {
    const page = await open({ stepMs: 30 });
    await button(page, 'Start the experiment').click();
    await done(page, /^2 of 4: Refocused, seed 0/);
    await panel(page).getByRole('button', { name: 'Stop' }).click();
    await panel(page).getByRole('button', { name: 'Go on' }).waitFor();
    for (const isReloaded of [false, true]) {
      if (isReloaded) await page.reload();
      await page.getByRole('radio', { name: /Its own images/ }).check();
      await showPanel(page, 'experiment');
      await panel(page).getByRole('button', { name: 'Go on' }).click();
      if (isReloaded) break;
      await done(page, /^3 of 4: /);
      await panel(page).getByRole('button', { name: 'Stop' }).click();
      await panel(page).getByRole('button', { name: 'Go on' }).waitFor();
    }
    await done(page, '4 of 4 runs are done.');
    for (const run of ['finetune, seed 1', 'refocus, seed 1']) {
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        button(page, `Export small: ${run}`).click(),
      ]);
      const { 'config.json': config } = unzipSync(await readFile(await download.path()));
      expect(JSON.parse(new TextDecoder().decode(config)).data, run).toEqual(['builtin-camera']);
    }
  });

  test('keeps its own files through its search, and asks for the same again where they are gone', async () => {
    const searched = {
      name: 'searched',
      arms: ['none', 'finetune'],
      seeds: [0],
      settings: { epochs: 1 },
      lrSearch: { rates: [0.01, 0.02], epochs: 1, heldOut: 0.2 },
    };
    const page = await open({ stepMs: 30 }, JSON.stringify(searched));
    const choose = async (name: string) => {
      await page.getByRole('radio', { name: 'Your own' }).check();
      await page.locator('#weights').setInputFiles({ name, mimeType: '', buffer: Buffer.from('weights') });
      await page.locator('#step-1').getByText(name).first().waitFor();
    };
    const chooseBoth = async (name: string) => {
      await choose(name);
      await dropFolders(page, { cat: 4, dog: 4 });
      await page.getByRole('region', { name: 'Classes of the images' }).waitFor();
      await showPanel(page, 'experiment');
    };
    const runs = () => page.locator('.run-table tbody th').allTextContents();
    await chooseBoth('mine.safetensors');
    await button(page, 'Start the experiment').click();
    await done(page, /^2 of 3: Fine-tuned, rate 0.0200 tried/);
    // the first search's run is over: it stays as long as no other is sure to have its files
    await expect.poll(async () => (await runs()).filter((name) => name.includes('rate 0.01')).length).toBe(1);
    await panel(page).getByRole('button', { name: 'Stop' }).click();
    await panel(page).getByRole('button', { name: 'Go on' }).waitFor();
    await page.evaluate(async () => {
      const root = await navigator.storage.getDirectory();
      await root.removeEntry('refocus-runs', { recursive: true });
    });
    await page.reload();
    await showPanel(page, 'experiment');
    await panel(page).getByRole('button', { name: 'Go on' }).click();
    const asked = panel(page).getByRole('alert').filter({ hasText: 'choose the same again in step 1' });
    await asked.getByText('It was mine.safetensors (7 bytes); ').waitFor();
    await chooseBoth('other.safetensors');
    await panel(page).getByRole('button', { name: 'Go on' }).click();
    await asked.waitFor();
    await choose('mine.safetensors');
    await showPanel(page, 'experiment');
    await panel(page).getByRole('button', { name: 'Go on' }).click();
    await done(page, '3 of 3 runs are done.');
    await expect.poll(async () => (await runs()).filter((name) => name.includes('rate ')).length).toBe(0);
  });

  test('takes the place of the one that is shown, dropped or by a link; a file with a mistake does not', async () => {
    const page = await open();
    await button(page, 'Start the experiment').click();
    await done(page, '4 of 4 runs are done.');
    const address = page.url();
    await drop(page, 'cut.json', '{"name":"cut","arms":["no');
    await page.getByText('it is not JSON, or breaks off').waitFor();
    await drop(page, 'wrong.json', JSON.stringify({ ...SMALL, arms: ['tune'] }));
    await page.getByText('wrong.json: there is no arm "tune"').waitFor();
    expect(page.url()).toBe(address);
    const other = { ...SMALL, name: 'other' };
    await drop(
      page,
      'results.json',
      JSON.stringify({ format: 'refocus experiment results', experiment: other }),
    );
    await panel(page).getByText('other, changed').waitFor({ state: 'attached' });
    await button(page, 'Open small').click();
    await done(page, '4 of 4 runs are done.');
    // another's link in the same browser
    const link = await page.context().newPage();
    await link.goto(`${new URL(page.url()).origin}/#experiment=connection`);
    await showPanel(link, 'experiment');
    await panel(link).getByRole('button', { name: 'Open small' }).waitFor();
    await expect
      .poll(() => panel(link).getByLabel('Experiment', { exact: true }).inputValue())
      .toBe('connection');
  });

  test('is taken when its file is dropped', async () => {
    const page = await open({}, 'smoke');
    await drop(page, 'mine.json', JSON.stringify(SMALL));
    await page.getByText('mine.json: an experiment').waitFor();
    await panel(page).getByText('small, changed').waitFor({ state: 'attached' });
  });
});
