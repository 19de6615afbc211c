/**
 * What the page's main thread does for long where there is much to show: 1,000 runs kept, 10,000 images in 1,000 classes, a result
 * of 1,000 classes. The engine is a fake; the page is the real one, not minified, so that functions have their names.
 *
 *     npm run crowded
 */
import type { Page } from 'playwright-core';
import { type Task, tasksOf } from './main-thread';
import { openSite } from './site';

const RUNS = 1000;
const CLASSES = 1000;
const IMAGES = 10;
/** milliseconds for what follows a click, without being waited for */
const REST = 1500;

const site = await openSite({ isReadable: true });
try {
  const page = await site.open({ scenario: { classes: CLASSES }, path: '#source=own&epochs=1' });
  page.setDefaultTimeout(60_000);
  await page.getByText('Test adapter').waitFor();
  await keepRuns(page);
  await told(page, `a page with ${RUNS} runs is loaded`, async () => {
    await page.reload();
    await page.getByRole('heading', { name: 'Runs' }).waitFor();
  });
  await told(page, 'a run is ticked', () => page.locator('.run-table input').nth(3).check());
  await told(page, 'a second one is ticked', () => page.locator('.run-table input').nth(9).check());
  await told(page, 'the ticks are taken away', async () => {
    await page.locator('.run-table input').nth(3).uncheck();
    await page.locator('.run-table input').nth(9).uncheck();
  });
  await told(page, `${CLASSES * IMAGES} images are dropped`, async () => {
    await page
      .locator('#weights')
      .setInputFiles({ name: 'net.safetensors', mimeType: '', buffer: Buffer.from('x') });
    await dropImages(page);
    await page.getByRole('region', { name: 'Classes of the images' }).waitFor();
  });
  await told(page, 'the classes are sorted', () =>
    page.getByRole('button', { name: 'Test', exact: true }).first().click(),
  );
  await told(page, 'a class is searched', () => page.getByLabel('Find a class').first().fill('class 77'));
  await told(page, 'the search is emptied', () => page.getByLabel('Find a class').first().fill(''));
  await told(page, `a run of ${CLASSES} classes is trained and shown`, async () => {
    await page.getByRole('button', { name: 'Start training' }).click();
    await page.getByText('The merge is proven').waitFor();
  });
  await told(page, 'the confusions are opened', () =>
    page.getByText('Which classes are taken for which').first().click(),
  );
  await told(page, 'the result is shown again after a reload', async () => {
    await page.reload();
    await page.getByText('The merge is proven').waitFor();
  });
} finally {
  await site.close();
}

function wordsOf(tasks: readonly Task[]): string {
  return (
    tasks
      .slice(0, 3)
      .map(
        ({ cpuMs, wallMs, causes }) =>
          `\n  ${cpuMs.toFixed(0)} ms of its own, ${wallMs.toFixed(0)} by the clock: ${causes.join(', ')}`,
      )
      .join('') || 'nothing that took long'
  );
}

async function told(page: Page, what: string, work: () => Promise<unknown>): Promise<void> {
  const tasks = await tasksOf(page.context().browser()!, page, async () => {
    await work();
    await page.waitForTimeout(REST);
  });
  console.log(`${what}: ${wordsOf(tasks)}`);
}

/** Lists runs as if they had been trained: their entries alone. */
async function keepRuns(page: Page): Promise<void> {
  await page.evaluate(async (count) => {
    const db = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open('refocus-runs');
      request.onsuccess = () => resolve(request.result);
    });
    const store = db.transaction('entries', 'readwrite').objectStore('entries');
    for (let i = 0; i < count; i++) {
      const id = crypto.randomUUID();
      const date = new Date(1.7e12 + 1e7 * i).toISOString();
      const report = {
        accuracy: { base: 0.74, last: 0.75, best: 0.76 },
        seconds: 12,
        ended: 'finished',
        seed: i,
      };
      store.put(
        {
          ...{ format: 1, id, name: `run ${i}, with a name that is rather long`, date, state: 'finished' },
          ...{ method: 'refocus', seed: i, epochs: 3, epoch: 3, report },
        },
        id,
      );
    }
    await new Promise((resolve) => {
      store.transaction.oncomplete = resolve;
    });
    db.close();
  }, RUNS);
}

async function dropImages(page: Page): Promise<void> {
  await page.evaluate(
    ([classes, images]) => {
      const blob = ['x'];
      const items = Array.from({ length: classes * images }, (_, i) => {
        const name = `${i % images}.png`;
        const fullPath = `/set/class ${Math.floor(i / images)}/${name}`;
        const entry = {
          ...{ isFile: true, fullPath },
          file: (resolve: (one: File) => void) => resolve(new File(blob, name)),
        };
        return { kind: 'file', webkitGetAsEntry: () => entry };
      });
      document.dispatchEvent(Object.assign(new Event('drop'), { dataTransfer: { types: ['Files'], items } }));
    },
    [CLASSES, IMAGES],
  );
}
