/**
 * What a long run costs the page: long tasks of its main thread, its heap, the time of a step, with all views in sight.
 *
 *     npm run long-run -- [--steps 2000] [--engine fake|real] [--closed]
 *
 * `closed`: the window stays at the top of the page, so that what is drawn in sight alone is not drawn.
 */
import { parseArgs } from 'node:util';
import { openSite } from './site';

const { values } = parseArgs({
  args: process.argv.slice(1),
  options: {
    steps: { type: 'string', default: '2000' },
    engine: { type: 'string', default: 'fake' },
    closed: { type: 'boolean', default: false },
  },
});
const STEPS = Number(values.steps);
/** A long task is one above 50 ms, by its definition. */
const READINGS = 8;

const site = await openSite();
try {
  const isFake = values.engine === 'fake';
  const settings = isFake
    ? `#epochs=${Math.ceil(STEPS / 40)}`
    : `#epochs=${Math.ceil(STEPS / 100)}&batch=8&limit=800&repeats=1`;
  const page = await site.open({
    scenario: isFake ? { stepMs: 20 } : 'real',
    path: settings,
    context: { viewport: { width: 1440, height: 4000 } },
  });
  page.setDefaultTimeout(0);
  if (values.closed) await page.setViewportSize({ width: 1440, height: 700 });
  await page.evaluate(() => {
    const tasks: number[] = [];
    Object.assign(globalThis, { tasks });
    new PerformanceObserver((list) =>
      tasks.push(...list.getEntries().map(({ duration }) => duration)),
    ).observe({
      type: 'longtask',
    });
  });
  const cdp = await page.context().newCDPSession(page);
  await page.getByRole('button', { name: 'Start training' }).click();
  const begun = performance.now();
  for (let reading = 1; reading <= READINGS; reading++) {
    const step = Math.floor((STEPS * reading) / READINGS) - 1;
    await page.waitForFunction(
      (wanted) =>
        Number.parseInt((document.querySelector('.figures dd')?.textContent ?? '').replace(/,/g, ''), 10) >=
        wanted,
      step,
      { polling: 200 },
    );
    await cdp.send('HeapProfiler.collectGarbage');
    const { usedSize } = await cdp.send('Runtime.getHeapUsage');
    const tasks = await page.evaluate(() => (globalThis as unknown as { tasks: number[] }).tasks.splice(0));
    const worst = Math.max(0, ...tasks);
    console.log(
      `step ${step}: ${((performance.now() - begun) / 1000).toFixed(1)} s, heap ${(usedSize / 1e6).toFixed(1)} MB, ` +
        `${tasks.length} long tasks, the longest ${worst.toFixed(0)} ms`,
    );
  }
} finally {
  await site.close();
}
