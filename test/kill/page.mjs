/**
 * Reloads the page at random moments of a run, goes on with what it offers, and compares what comes out with an uninterrupted
 * run, byte for byte. Needs Chromium; the engine is the real one.
 *
 *     node test/kill/page.mjs [--reloads 20] [--seed 1]
 */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const { values } = parseArgs({
  options: {
    reloads: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    chromium: { type: 'string', default: process.env.CHROMIUM ?? '/usr/bin/chromium' },
  },
});
const HASH = '#epochs=4&batch=8&limit=40&repeats=1&seed=3&checkpointMinutes=0.005';

/** Numbers below 1 that a seed gives. */
let state = Number(values.seed) >>> 0;
function random() {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}

const server = spawn(process.execPath, [join(root, 'src/cli/bin.mjs'), 'start', '--port', '0'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const url = await new Promise((resolve) => {
  let text = '';
  server.stdout.on('data', (chunk) => {
    text += chunk;
    const found = /http:\/\/\S+/.exec(text);
    if (found) resolve(found[0]);
  });
});
const browser = await chromium.launch({
  executablePath: values.chromium,
  args: [
    '--no-sandbox',
    '--enable-unsafe-webgpu',
    '--use-webgpu-adapter=swiftshader',
    '--disable-gpu-watchdog',
  ],
});

async function open() {
  const page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(200_000);
  page.on('dialog', (dialog) => dialog.accept());
  await page.goto(url + HASH);
  return page;
}

async function merged(page) {
  await page.getByRole('heading', { name: /^The merge is/ }).waitFor();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download merged.safetensors' }).click(),
  ]);
  return readFile(await download.path());
}

const start = (page) => page.getByRole('button', { name: 'Start training' }).click();
const offer = (page) => page.getByText(/^A run of/);

try {
  const whole = await open();
  const begun = performance.now();
  await start(whole);
  const wanted = await merged(whole);
  const ms = performance.now() - begun;
  console.log(`The uninterrupted run took ${(ms / 1000).toFixed(1)} s.`);
  await whole.context().close();

  let reloads = 0;
  let runs = 0;
  while (reloads < Number(values.reloads)) {
    const page = await open();
    await start(page);
    while (reloads < Number(values.reloads)) {
      await page
        .locator('.figures')
        .or(page.getByRole('heading', { name: /^The merge is/ }))
        .first()
        .waitFor();
      await page.waitForTimeout(random() * ms * 0.6);
      if (await page.getByRole('heading', { name: /^The merge is/ }).isVisible()) break;
      await page.reload();
      reloads++;
      const found = await offer(page)
        .waitFor({ timeout: 3000 })
        .then(
          () => true,
          () => false,
        );
      console.log(
        `reload ${reloads}: ${found ? await offer(page).textContent() : 'nothing was kept yet, the run begins again'}`,
      );
      await (found ? page.getByRole('button', { name: /^(Resume|Show its results)$/ }).click() : start(page));
    }
    if (!(await merged(page)).equals(wanted)) throw new Error('merged.safetensors differs');
    runs++;
    await page.context().close();
  }
  console.log(`${reloads} reloads; ${runs} runs came to the same bytes.`);
} finally {
  await browser.close();
  server.kill();
}
