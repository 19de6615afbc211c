/** The way from a fresh profile to a proven file, what is said before it, and the form's helpers. */
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { presets } from '../../src/train/presets';
import { dropFolders } from './drop';
import { openSite, type Site } from './site';

let site: Site;

beforeAll(async () => {
  site = await openSite();
});
afterEach(() => site.closePages());
afterAll(() => site?.close());

const file = (name: string) => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.from('x') });
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const state = (page: Page, step: number) => page.locator(`#step-${step} .step-state`);

/** Counts what a user clicks from now on; a click on a label is one, with that of its field. */
async function countClicks(page: Page): Promise<() => Promise<number>> {
  await page.evaluate(() => {
    const seen = window as unknown as { clicks: number };
    seen.clicks = 0;
    document.addEventListener('pointerdown', () => seen.clicks++, true);
  });
  return () => page.evaluate(() => (window as unknown as { clicks: number }).clicks);
}

async function downloadBy(page: Page, name: string): Promise<Buffer> {
  const [download] = await Promise.all([page.waitForEvent('download'), button(page, name).click()]);
  return readFile(await download.path());
}

describe('from a fresh profile', () => {
  test('two clicks lead to a proven file of the built-in example', async () => {
    const page = await site.open();
    const clicks = await countClicks(page);
    expect(await page.getByRole('radio', { name: /^Another camera/ }).isChecked()).toBe(true);
    await button(page, 'Start training').click();
    await page.getByRole('heading', { name: 'The merge is proven' }).waitFor();
    expect([...(await downloadBy(page, 'Download merged.safetensors'))]).toEqual([1, 2, 3]);
    expect(await clicks()).toBe(2);
  });

  test('five lead to one of own weights and images', async () => {
    const page = await site.open();
    const clicks = await countClicks(page);
    await page.getByRole('radio', { name: 'Your own' }).click();
    for (const [place, name] of [
      ['weights', 'net.safetensors'],
      ['train', 'set.zip'],
    ]) {
      const [chooser] = await Promise.all([
        page.waitForEvent('filechooser'),
        page.locator(`label[for=${place}]`).first().click(),
      ]);
      await chooser.setFiles(file(name));
    }
    await button(page, 'Start training').click();
    await page.getByRole('heading', { name: 'The merge is proven' }).waitFor();
    await downloadBy(page, 'Download merged.safetensors');
    expect(await clicks()).toBe(5);
  });

  test('each step says how it stands, from the first moment of a run on', async () => {
    const page = await site.open({ scenario: { loadMs: 1500 } });
    const states = () => Promise.all([1, 2, 3].map((step) => state(page, step).textContent()));
    await expect.poll(states).toEqual(['ready', 'not started', 'none']);
    await button(page, 'Start training').click();
    // before anything is loaded
    await expect.poll(states).toEqual(['ready', 'under way', 'none yet']);
    await page.getByRole('heading', { name: 'The merge is proven' }).waitFor();
    await expect.poll(states).toEqual(['ready', 'complete', 'merge proven']);
    await page.getByRole('radio', { name: 'Your own' }).click();
    await expect.poll(states).toEqual(['no network yet', 'complete', 'merge proven']);
  });

  test('which of the built-in images are taken is in the address', async () => {
    const page = await site.open();
    await page.getByRole('radio', { name: /^Its own images/ }).check();
    await expect.poll(() => new URL(page.url()).hash).toBe('#images=builtin');
    await page.reload();
    expect(await page.getByRole('radio', { name: /^Its own images/ }).isChecked()).toBe(true);
  });
});

describe('a forecast', () => {
  test('says memory, time by what was measured, and what maps add', async () => {
    const page = await site.open({ path: '#epochs=2' });
    const panel = page.getByRole('region', { name: 'What this run will take' });
    // 80 steps of the 60 ms that the warm-up measured
    await panel.getByText(/^About 5\ss for 80 steps \(3\ss an epoch\), 148\sMB of GPU memory/).waitFor();
    await panel.getByText('its maps add 2,430 numbers and 0.04 MB in training, 2.1 %').waitFor();
    await page
      .getByLabel('Run')
      .getByText(/^About 5\ss; 148\sMB/)
      .waitFor();
    await page.getByRole('radio', { name: /^Fine-tune/ }).check();
    await expect.poll(() => panel.getByText('maps add').count()).toBe(0);
  });

  test('is made of a step, and says how good the network is, before a run, where that is asked', async () => {
    const page = await site.open({ path: '#source=own' });
    await page.locator('#weights').setInputFiles(file('network.safetensors'));
    await dropFolders(page, Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`class ${i}`, 2])));
    await page.getByText('Time not known before a first step').first().waitFor();
    const accuracies = page.locator('.accuracies');
    expect(await accuracies.textContent()).toBe('Base–Last–Best–');
    await button(page, 'Test it before training').click();
    await page.getByText('The network as it is now, on 2,000 test images.').waitFor();
    expect(await accuracies.textContent()).toContain('74.20');
    await page.getByText(/^About \d+\ss; /).waitFor();
    expect(await button(page, 'Test it before training').count()).toBe(0);
    // with other settings it may be another
    await page.getByLabel('Seed', { exact: true }).fill('1');
    await button(page, 'Test it before training').waitFor();
    expect(await accuracies.textContent()).toBe('Base–Last–Best–');
  });

  test('offers what the GPU holds', async () => {
    const page = await site.open({ path: '#batch=2000' });
    await page.getByText(/gives a buffer at most 128\sMB, and the batch needs one of 200\sMB/).waitFor();
    await button(page, 'Micro-batch 500').click();
    await expect.poll(() => new URL(page.url()).hash).toBe('#batch=2000&microBatch=500');
    await expect.poll(() => page.getByText('gives a buffer at most').count()).toBe(0);
  });
});

describe('the settings', () => {
  test('are found by a word, marked where they differ, and put back one by one', async () => {
    const page = await site.open({ path: '#momentum=0.5&lr=0.2' });
    await page.getByText('Advanced settings (1 changed)').click();
    await page.getByRole('searchbox', { name: 'Search the settings' }).fill('DECAY norms');
    expect(await page.locator('.advanced .field:not(.search) input, .advanced select').count()).toBe(1);
    await page.getByLabel('Decay norms and biases').waitFor();
    await page.getByRole('searchbox').fill('label smoothing');
    await page.getByText('a number from 0 to below 1', { exact: true }).waitFor();
    await page.getByRole('searchbox').fill('learning rate');
    await page.getByText('In sight above: Learning rate.').waitFor();
    await page.getByRole('searchbox').fill('nowhere');
    await page.getByText('No setting has “nowhere” in its name or help.').waitFor();
    await page.getByRole('searchbox').fill('');
    expect(await page.locator('.field.changed').count()).toBe(2);
    await page.locator('.field.changed', { hasText: 'Momentum' }).getByRole('button').click();
    expect(await page.getByLabel('Momentum', { exact: true }).inputValue()).toBe('0.9');
    await expect.poll(() => new URL(page.url()).hash).toBe('#lr=0.2');
  });

  test('may be taken together, and say what for', async () => {
    const page = await site.open();
    await page.getByText('Advanced settings').click();
    for (const { label, help } of Object.values(presets)) {
      await button(page, label).waitFor();
      await page.getByText(help, { exact: true }).waitFor();
    }
    await button(page, 'Quick try').click();
    await expect.poll(() => new URL(page.url()).hash).toBe('#epochs=1&limit=512');
    expect(await button(page, 'Quick try').getAttribute('aria-pressed')).toBe('true');
  });

  test('leave as a config.json and come back as one', async () => {
    const page = await site.open({ path: '#images=builtin&lr=0.25&mixup=0.3' });
    await page.getByText('Advanced settings').click();
    const json = await downloadBy(page, 'Download config.json');
    expect(JSON.parse(json.toString())).toMatchObject({
      data: ['builtin'],
      settings: { lr: 0.25, mixup: 0.3 },
    });
    const other = await site.open({ path: '#source=own' });
    await other.evaluate((text) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([text], 'config.json'));
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true }));
    }, json.toString());
    await expect.poll(() => new URL(other.url()).hash).toBe('#images=builtin&lr=0.25&mixup=0.3');
  });
});
