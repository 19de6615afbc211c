import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openSite, type Site } from './site';
import { type SmallGpu, smallGpu } from './small-gpu';

let site: Site;

beforeAll(async () => {
  site = await openSite();
});
afterEach(() => site.closePages());
afterAll(() => site?.close());

const open = (gpu: SmallGpu, hash: string): Promise<Page> =>
  site.open({
    scenario: 'real',
    before: smallGpu(gpu),
    path: `#epochs=1&batch=16&limit=16&repeats=1${hash}`,
  });

describe('the engine on a GPU with little memory', () => {
  test('offers a smaller micro-batch than the one that was asked for, and runs with it', async () => {
    const page = await open({ total: 8e6 }, '&microBatch=16');
    await page.click('#start');
    const again = page.getByRole('button', { name: 'Start again with micro-batch 8' });
    await again.waitFor({ timeout: 60_000 });
    await page.getByText(/The GPU could not give \d+ MB/).waitFor();
    await again.click();
    await page.getByRole('heading', { name: /^The merge is/ }).waitFor({ timeout: 120_000 });
    expect(page.url()).toContain('microBatch=8');
  }, 200_000);

  test('says before the start which micro-batch its largest buffer holds', async () => {
    const page = await open({ largest: 1e6 }, '');
    const told = page.getByText(/^This GPU gives a buffer at most 1\.0\sMB, and the batch needs one of \d/);
    await told.waitFor({ timeout: 60_000 });
    const offer = page.getByRole('button', { name: /^Micro-batch \d+$/ });
    const [rows] = /\d+/.exec((await offer.textContent()) ?? '') ?? [];
    expect(Number(rows)).toBeLessThan(16);
    await offer.click();
    await told.waitFor({ state: 'detached', timeout: 60_000 });
    expect(page.url()).toContain(`microBatch=${rows}`);
  }, 200_000);
});
