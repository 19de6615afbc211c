/**
 * What a long run costs, with the view of redundancy open and closed in turns: memory, tasks of the page's main thread, time and
 * GPU work of a step. It fails where memory grows or where the view takes GPU work that it should not.
 *
 *     npm run long-run -- [--steps 2000] [--engine real|fake] [--causes]
 *
 * real: the built-in network, an image a step. fake: the main thread alone, with an event a step, fifty a second. causes: a profiler
 * looks on, and says which functions ran.
 */
import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { COUNT_SCRIPT, countsOf, type GpuCounts } from './gpu-counts';
import { type Heaps, watchHeaps } from './heaps';
import { tasksOf, wordsOf } from './main-thread';
import { openSite, showRedundancy } from './site';

const { values } = parseArgs({
  args: process.argv.slice(1),
  options: {
    steps: { type: 'string', default: '2000' },
    engine: { type: 'string', default: 'real' },
    causes: { type: 'boolean', default: false },
  },
});
const STEPS = Number(values.steps);
const isFake = values.engine === 'fake';
/** Parts of a run, the view open in every second. */
const SECTIONS = 10;
/** Bytes that a heap may grow by over the run: the curves of its steps among them. */
const MOST_GROWTH = 4e6;

interface Section {
  isOpen: boolean;
  steps: number;
  msPerStep: number;
  gpu?: GpuCounts;
  heaps: Heaps;
}

const site = await openSite({ isReadable: values.causes });
try {
  if (!isFake) await firstMovement(await site.open({ scenario: 'real' }));
  const page = await site.open({
    scenario: isFake ? { stepMs: 20 } : 'real',
    before: isFake ? '' : COUNT_SCRIPT,
    path: isFake ? `#epochs=${Math.ceil(STEPS / 40)}` : `#epochs=1&batch=1&limit=${STEPS / 10}&repeats=10`,
    context: { viewport: { width: 1440, height: 900 } },
  });
  page.setDefaultTimeout(0);
  await showRedundancy(page);
  const heaps = await watchHeaps(page);
  await followSteps(page);
  await page.click('#start');
  await reached(page, 2);
  await showRedundancy(page);
  const sections: Section[] = [];
  for (let i = 0; i < SECTIONS; i++) {
    const isOpen = i % 2 === 0;
    await page.setChecked('.redundancy-controls label:last-child input', isOpen);
    sections.push({ isOpen, ...(await section(page, Math.floor((STEPS * (i + 1)) / SECTIONS) - 10, heaps)) });
  }
  judge(sections);
} finally {
  await site.close();
}

/** Tells when something moves after a click on Start, on the page as it opens: the first words, and the first step. */
async function firstMovement(page: Page): Promise<void> {
  page.setDefaultTimeout(0);
  await page.waitForSelector('#redundancy');
  // what warms up meanwhile
  await page.waitForTimeout(3000);
  await page.evaluate(() => {
    const moved: { words?: number; step?: number } = {};
    Object.assign(globalThis, { moved });
    let begun = 0;
    const words = () => document.querySelector('.run-bar')?.textContent;
    let still = words();
    document.querySelector('#start')?.addEventListener('pointerdown', () => {
      begun = performance.now();
      still = words();
    });
    const look = () => {
      if (begun === 0) return;
      if (words() !== still) moved.words ??= performance.now() - begun;
      if (document.querySelector('.figures')) moved.step ??= performance.now() - begun;
    };
    new MutationObserver(look).observe(document.body, {
      ...{ subtree: true, childList: true, characterData: true },
    });
  });
  await page.click('#start');
  await page.waitForSelector('.figures');
  const [moved, paint] = await page.evaluate(() => [
    (globalThis as unknown as { moved: { words: number; step: number } }).moved,
    performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
  ]);
  console.log(
    `First paint ${paint?.toFixed(0)} ms after the address; after Start the bar tells what is done in ` +
      `${moved.words.toFixed(0)} ms, the first step is shown in ${moved.step.toFixed(0)} ms`,
  );
  await page.context().close();
}

/** Notes when the page shows which step. */
async function followSteps(page: Page): Promise<void> {
  await page.evaluate(() => {
    const seen: [number, number][] = [];
    Object.assign(globalThis, { seen });
    const look = () => {
      const [figure = ''] = (document.querySelector('.figures dd')?.textContent ?? '').split('/');
      const step = Number(figure.replace(/\D/g, ''));
      if (step > (seen.at(-1)?.[1] ?? 0)) seen.push([performance.now(), step]);
    };
    new MutationObserver(look).observe(document.body, {
      ...{ subtree: true, childList: true, characterData: true },
    });
  });
}

type Seen = { seen: [number, number][] };

async function reached(page: Page, step: number): Promise<void> {
  const isThere = (wanted: number) => ((globalThis as unknown as Seen).seen.at(-1)?.[1] ?? 0) >= wanted;
  await page.waitForFunction(isThere, step, { polling: 100 });
}

/** Lets the run go on to a step. */
async function section(
  page: Page,
  to: number,
  heaps: () => Promise<Heaps>,
): Promise<Omit<Section, 'isOpen'>> {
  const before = isFake ? undefined : await countsOf(page);
  await page.evaluate(() => (globalThis as unknown as Seen).seen.splice(0, Infinity));
  const tasks = await tasksOf(page, () => reached(page, to), values.causes);
  const seen = await page.evaluate(() => (globalThis as unknown as Seen).seen);
  const after = isFake ? undefined : await countsOf(page);
  const [[begun, first], [ended, last]] = [seen[0], seen[seen.length - 1]];
  const steps = last - first;
  const found = { steps, msPerStep: (ended - begun) / steps, heaps: await heaps() };
  const gpu = before && after && difference(before, after);
  console.log(
    `to step ${last}: ${found.msPerStep.toFixed(1)} ms a step, heap ${(found.heaps.page / 1e6).toFixed(1)} MB, ` +
      `workers' ${(found.heaps.workers / 1e6).toFixed(1)} MB${gpu ? `, ${JSON.stringify(gpu)}` : ''}; ${wordsOf(tasks)}`,
  );
  return { ...found, gpu };
}

/** What there is, and what was done in between. */
function difference(before: GpuCounts, after: GpuCounts): GpuCounts {
  const { buffers, bytes } = after;
  const of = (name: keyof GpuCounts) => after[name] - before[name];
  return {
    ...{ buffers, bytes, dispatches: of('dispatches'), submits: of('submits') },
    ...{ reads: of('reads'), readBytes: of('readBytes') },
  };
}

function judge(sections: readonly Section[]): void {
  const median = (isOpen: boolean) => {
    const all = sections.filter((one) => one.isOpen === isOpen).map(({ msPerStep }) => msPerStep);
    return all.sort((a, b) => a - b)[all.length >> 1];
  };
  const [open, closed] = [median(true), median(false)];
  console.log(
    `Median of a step: ${open.toFixed(2)} ms open, ${closed.toFixed(2)} ms closed, ${(100 * (open / closed - 1)).toFixed(1)} %`,
  );
  // the first section makes what the view needs
  const [, early] = sections;
  const late = sections[sections.length - 1];
  for (const heap of ['page', 'workers'] as const)
    assert.ok(
      late.heaps[heap] - early.heaps[heap] < MOST_GROWTH,
      `the heap of ${heap} grew by ${late.heaps[heap] - early.heaps[heap]} bytes`,
    );
  if (!early.gpu || !late.gpu) return;
  assert.equal(late.gpu.buffers, early.gpu.buffers, 'buffers of the GPU');
  assert.equal(late.gpu.bytes, early.gpu.bytes, 'bytes of the GPU');
}
