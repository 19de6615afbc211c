/**
 * What the page's main thread does for long where there is much to show: 1,000 runs kept, 10,000 images in 1,000 classes, a result
 * of 1,000 classes. The engine is a fake; the page is the real one, not minified, so that functions have their names.
 *
 *     npm run crowded [-- --causes]
 *
 * causes: a profiler looks on, and says which functions ran.
 */
import type { Page } from 'playwright-core';
import { tasksOf, wordsOf } from './main-thread';
import { openSite, showRedundancy } from './site';

const RUNS = 1000;
const CLASSES = 1000;
const IMAGES = 10;
const LAYERS = 150;
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
    await page.waitForSelector('.run-table');
  });
  const tick = (nth: number) => page.click(`.run-table tr:nth-child(${nth}) input`);
  await told(page, 'a run is ticked', () => tick(3));
  await told(page, 'a second one is ticked', () => tick(9));
  await tick(3);
  await tick(9);
  await makeDrop(page);
  await page.setInputFiles('#weights', { name: 'net.safetensors', mimeType: '', buffer: Buffer.from('x') });
  await told(page, `${CLASSES * IMAGES} images are dropped`, async () => {
    await page.evaluate(() => dispatchEvent(new Event('drop now')));
    await page.waitForSelector('.classes');
  });
  await told(page, 'the classes are sorted', () => page.click('.classes th:nth-child(3) button'));
  await told(page, 'the list is scrolled', () =>
    page.evaluate(() => document.querySelector('.survey .more-rows')?.scrollIntoView()),
  );
  await told(page, 'a class is searched', () => page.fill('.survey input', 'class 77'));
  await told(page, 'the search is emptied', () => page.fill('.survey input', ''));
  await told(page, `a run of ${CLASSES} classes is trained and shown`, async () => {
    await page.click('#start');
    await page.waitForSelector('#proof-title');
  });
  for (const [i, fold] of (await page.locator('.test-images > details > summary').all()).entries())
    await told(page, `part ${i + 1} of the test images is opened`, () => fold.click());
  await told(page, 'the result is shown again after a reload', async () => {
    await page.reload();
    await page.waitForSelector('#proof-title');
  });
  await page.context().close();
  await wideNetwork();
} finally {
  await site.close();
}

/** The view of redundancy of a network with many layers, each of as many kernels as a picture has. */
async function wideNetwork(): Promise<void> {
  const scenario = { wideLayers: LAYERS, stepMs: 20 };
  const page = await site.open({ scenario, path: '#epochs=3' });
  page.setDefaultTimeout(60_000);
  await showRedundancy(page);
  await told(page, `one of ${LAYERS} wide layers is opened`, () =>
    page.click('.multiples li:first-child button'),
  );
  await told(page, 'alike kernels stand side by side', () => page.click('.redundancy-controls .check input'));
  await told(page, 'they are compared by cosine', () => page.selectOption('#heat-measure', 'cosine'));
  await told(page, 'a run is followed to its result', async () => {
    await page.click('#start');
    await page.waitForSelector('#proof-title');
  });
  await page.context().close();
}

async function told(page: Page, what: string, work: () => Promise<unknown>): Promise<void> {
  const all = async () => {
    await work();
    await page.waitForTimeout(REST);
  };
  const tasks = await tasksOf(page, all, process.argv.includes('--causes'));
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

/** Makes what is dropped by an event of the window: a folder's entries give their files later, each by a task of its own. */
async function makeDrop(page: Page): Promise<void> {
  await page.evaluate(
    ([classes, images]) => {
      const items = Array.from({ length: classes * images }, (_, i) => {
        const name = `${i % images}.png`;
        const file = new File(['x'], name);
        const entry = {
          ...{ isFile: true, fullPath: `/set/class ${Math.floor(i / images)}/${name}` },
          file: (resolve: (one: File) => void) => setTimeout(() => resolve(file)),
        };
        return { kind: 'file', webkitGetAsEntry: () => entry };
      });
      const dataTransfer = { types: ['Files'], items };
      addEventListener('drop now', () =>
        document.dispatchEvent(Object.assign(new Event('drop'), { dataTransfer })),
      );
    },
    [CLASSES, IMAGES],
  );
}
