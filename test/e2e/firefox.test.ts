/** The main flow in another browser, with the engine itself. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureFirefox } from '../../src/cli/hosts/browsers';
import { pageHeaders } from '../../src/cli/hosts/page-headers';
import { type StaticServer, serve } from '../../src/cli/hosts/server';
import { readSafetensors } from '../../src/io/safetensors';
import { launchFirefox } from '../firefox/launch';
import { BUILT } from './site';

/** milliseconds that a run of four steps may take on a busy machine */
const RUN = 240_000;

let folder: string;
let server: StaticServer;
let browser: Browser;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refocus-firefox-flow-'));
  process.env.FIREFOX ??= await ensureFirefox(() => {});
  server = await serve(join(process.env[BUILT]!, 'page'), { headers: pageHeaders });
  browser = await launchFirefox(folder, RUN);
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

test(
  'in Firefox the built-in job comes to a proven file in two clicks',
  async () => {
    const page = await browser.newPage();
    page.setDefaultTimeout(RUN);
    const faults: unknown[] = [];
    page.on('pageerror', (error) => faults.push(error));
    await page.goto(`${server.url}#epochs=1&batch=64&limit=256&lr=0.01`);
    await page.locator('::-p-text(Start training)').click();
    await page.waitForSelector('h2 ::-p-text(The merge is proven), h3 ::-p-text(The merge is proven)');
    await page.locator('::-p-text(Download merged.safetensors)').click();
    await expect.poll(() => readdir(folder), { timeout: 30_000 }).toContain('merged.safetensors');
    // Firefox keeps the place by an empty file until all of it is there
    const merged = () => readFile(join(folder, 'merged.safetensors'));
    await expect.poll(async () => (await merged()).length, { timeout: 30_000 }).toBeGreaterThan(0);
    const { tensors } = readSafetensors(await merged(), 'merged');
    expect(tensors.get('features.0.0.weight')!.shape).toEqual([16, 3, 3, 3]);
    // refocused kernels are no longer those of the file that the run started from
    const before = readSafetensors(
      await readFile('weights/builtin-mobilenet_v2.safetensors'),
      'builtin',
    ).tensors;
    expect(tensors.size).toBe(before.size);
    expect(faults).toEqual([]);
  },
  RUN,
);
