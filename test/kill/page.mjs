/**
 * Disturbs runs of the page at random moments, lets it go on as it says it does, and compares what comes out with an undisturbed
 * run, byte for byte. Needs Chromium; the engine is the real one.
 *
 *     node test/kill/page.mjs [--how reload|destroy|crash] [--times 10] [--seed 1]
 *
 * reload: reloads the page, and resumes what it offers. destroy: destroys the engine's device. crash: ends the browser's GPU process.
 * After the latter two nobody does anything.
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
    how: { type: 'string', default: 'reload' },
    times: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    chromium: { type: 'string', default: process.env.CHROMIUM ?? '/usr/bin/chromium' },
  },
});
const TIMES = Number(values.times);
const HASH = '#epochs=4&batch=8&limit=40&repeats=1&seed=3&checkpointMinutes=0.005';

/** Runs before the engine's script: its device can be destroyed from the page. */
const HOOK = `{
  const devices = [];
  const request = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (...given) {
    const device = await request.apply(this, given);
    devices.push(device);
    return device;
  };
  new BroadcastChannel('destroy').onmessage = () => devices.at(-1)?.destroy();
}
`;

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
    '--disable-gpu-process-crash-limit',
    // after a second crash within two minutes Chrome gives a page no GPU for as long
    '--disable-domain-blocking-for-3d-apis',
  ],
});
const cdp = await browser.newBrowserCDPSession();

async function open() {
  // a service worker would bring the engine's script without the hook
  const page = await (await browser.newContext({ serviceWorkers: 'block' })).newPage();
  page.setDefaultTimeout(200_000);
  page.on('dialog', (dialog) => dialog.accept());
  await page.route('**/assets/worker-*.js', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: HOOK + (await response.text()) });
  });
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
const offer = (page) => page.getByText(/: cut off at epoch/);
const isDone = (page) => page.getByRole('heading', { name: /^The merge is/ }).isVisible();

/** Waits until a run trains or is over, and then for a part of the time that a whole one takes. */
async function moment(page, ms) {
  await page
    .locator('.figures')
    .or(page.getByRole('heading', { name: /^The merge is/ }))
    .first()
    .waitFor();
  await page.waitForTimeout(random() * ms * 0.6);
}

/** Reloads, and goes on with what is offered. */
async function reload(page) {
  await page.reload();
  const found = await offer(page)
    .waitFor({ timeout: 3000 })
    .then(
      () => true,
      () => false,
    );
  const what = found ? await offer(page).textContent() : 'nothing was kept yet, the run begins again';
  await (found ? page.getByRole('button', { name: /^(Resume|Begin again)$/ }).click() : start(page));
  return what;
}

const losses = (page) => page.getByText(/^The (GPU|engine) was lost at step/);

/** Loses the device, and gives what the page says of it, where that did not come after the last step. */
async function lose(page, how) {
  const before = await losses(page).count();
  if (how === 'crash') await cdp.send('Browser.crashGpuProcess');
  else await page.evaluate(() => new BroadcastChannel('destroy').postMessage(''));
  for (;;) {
    if ((await losses(page).count()) > before) return losses(page).last().textContent();
    if (await isDone(page)) return 'after the last step';
    await page.waitForTimeout(50);
  }
}

try {
  const whole = await open();
  const begun = performance.now();
  await start(whole);
  const wanted = await merged(whole);
  const ms = performance.now() - begun;
  console.log(`The undisturbed run took ${(ms / 1000).toFixed(1)} s.`);
  await whole.context().close();

  let times = 0;
  let runs = 0;
  while (times < TIMES) {
    const page = await open();
    await start(page);
    while (times < TIMES) {
      await moment(page, ms);
      if (await isDone(page)) break;
      times++;
      const what = values.how === 'reload' ? await reload(page) : await lose(page, values.how);
      console.log(`${values.how} ${times}: ${what}`);
    }
    if (!(await merged(page)).equals(wanted)) throw new Error('merged.safetensors differs');
    runs++;
    await page.context().close();
  }
  console.log(`${values.how} ${times} times; ${runs} runs came to the same bytes.`);
} finally {
  await browser.close();
  server.kill();
}
