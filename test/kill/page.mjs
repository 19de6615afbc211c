/**
 * Disturbs runs of the page at random moments, lets it go on as it says it does, and compares what comes out with an undisturbed
 * run, byte for byte. Needs Chromium; the engine is the real one.
 *
 *     node test/kill/page.mjs [--how reload|close|destroy|crash] [--times 10] [--seed 1]
 *
 * reload: reloads the page, and resumes what it offers. close: closes the tab, opens the page in another one, and resumes. destroy:
 * destroys the engine's device. crash: ends the browser's GPU process. After the latter two nobody does anything. A page that is left
 * while it trains must ask once; no other question is allowed.
 */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
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

let questions = 0;

async function open(context) {
  // a service worker would bring the engine's script without the hook
  context ??= await browser.newContext({ serviceWorkers: 'block' });
  const page = await context.newPage();
  page.setDefaultTimeout(200_000);
  page.on('dialog', (dialog) => {
    questions++;
    dialog.accept();
  });
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

const STEPS = 20;
/** Of so many disturbances one hits what comes before the first step, and one what comes after the last. */
const PHASES = 5;

/** Waits for a random moment: of the loading, after a step, or of the proof; not for one that is over. */
async function moment(page) {
  const phase = Math.floor(random() * PHASES);
  if (phase === 0) return page.waitForTimeout(random() * 3000);
  const step = phase === 1 ? STEPS : Math.ceil(random() * STEPS);
  await page.waitForFunction(
    (step) =>
      Number.parseInt(document.querySelector('.figures dd')?.textContent ?? '', 10) >= step ||
      [...document.querySelectorAll('h3')].some((h) => h.textContent.startsWith('The merge is')),
    step,
    { polling: 20 },
  );
  await page.waitForTimeout(random() * 500);
}

/** Leaves the page, comes back, and goes on with what is offered. @returns the page, and what it offered */
async function leave(page, how) {
  const asked = questions;
  const isBusy = await page.getByRole('button', { name: 'Stop and merge' }).isEnabled();
  if (how === 'reload') await page.reload();
  else {
    const closed = page.waitForEvent('close');
    await page.close({ runBeforeUnload: true });
    await closed;
    page = await open(page.context());
  }
  const isOver = await isDone(page);
  if (isBusy && !isOver && questions !== asked + 1)
    throw new Error(`${questions - asked} questions, not one`);
  const found = await offer(page)
    .waitFor({ timeout: 3000 })
    .then(
      () => true,
      () => false,
    );
  if (!found && (await isDone(page))) return { page, what: 'it was over' };
  const what = found ? await offer(page).textContent() : 'nothing was kept yet, the run begins again';
  await (found ? page.getByRole('button', { name: /^(Resume|Begin again)$/ }).click() : start(page));
  return { page, what };
}

const losses = (page) => page.getByText(/^The (GPU|engine) was lost at step/);

/** Loses the device, and gives what the page says of it, where that did not come after the last step. */
async function lose(page, how) {
  const before = await losses(page).count();
  if (how === 'crash') await cdp.send('Browser.crashGpuProcess');
  else await page.evaluate(() => new BroadcastChannel('destroy').postMessage(''));
  for (;;) {
    const error = page.locator('.run-bar .error');
    if (await error.isVisible()) throw new Error(`The run ended: ${await error.textContent()}`);
    if ((await losses(page).count()) > before) return losses(page).last().textContent();
    if (await isDone(page)) return 'after the last step';
    await page.waitForTimeout(50);
  }
}

const sha = (bytes) => createHash('sha256').update(bytes).digest('hex');

try {
  const whole = await open();
  const begun = performance.now();
  await start(whole);
  const wanted = sha(await merged(whole));
  const ms = performance.now() - begun;
  console.log(`The undisturbed run took ${(ms / 1000).toFixed(1)} s: ${wanted}`);
  await whole.context().close();

  let times = 0;
  let runs = 0;
  while (times < TIMES) {
    let page = await open();
    await start(page);
    while (times < TIMES) {
      await moment(page);
      if (await isDone(page)) break;
      times++;
      let what;
      const isLeft = values.how === 'reload' || values.how === 'close';
      if (isLeft) ({ page, what } = await leave(page, values.how));
      else what = await lose(page, values.how);
      console.log(`${values.how} ${times}: ${what}`);
    }
    const asked = questions;
    const found = sha(await merged(page));
    if (found !== wanted) throw new Error(`merged.safetensors differs: ${found}`);
    if (questions !== asked) throw new Error('a question nobody needed');
    runs++;
    await page.context().close();
  }
  console.log(`${values.how} ${times} times; ${runs} runs came to the same bytes.`);
} finally {
  await browser.close();
  server.kill();
}
