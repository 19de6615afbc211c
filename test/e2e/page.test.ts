import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import type { Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readSafetensors } from '../../src/io/safetensors';
import { networkFields, networkOptionNames } from '../../src/run/network-options';
import { applies, defaultSettings, settingFields, settingNames } from '../../src/train/settings';
import { expectAccessible } from './accessible';
import { finish, LONG, reach, start } from './run';
import { openSite, type Site } from './site';

let site: Site;

beforeAll(async () => {
  site = await openSite();
});
afterEach(() => site.closePages());
afterAll(() => site?.close());

/** What the page's download of that button holds. */
async function downloadOf(
  page: Page,
  button: string,
  place: Page | Locator = page,
): Promise<{ name: string; bytes: Buffer }> {
  const folded = page.locator('.other-files:not([open]) > summary');
  if (await folded.isVisible()) await folded.click();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    place.getByRole('button', { name: button }).click(),
  ]);
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}

const file = (name: string) => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.from('x') });

test('the engine itself refocuses the built-in network from the page', async () => {
  const page = await site.open({ scenario: 'real', path: '#epochs=1&batch=64&limit=256&lr=0.01' });
  await start(page);
  await page.getByRole('heading', { name: /^The merge is/ }).waitFor({ timeout: 240_000 });
  expect(await page.getByText('parameters, unchanged').textContent()).toBe(
    '77,898 parameters, unchanged by the merge',
  );
  const merged = await downloadOf(page, 'Download merged.safetensors');
  const { tensors } = readSafetensors(merged.bytes, merged.name);
  expect(tensors.get('features.0.0.weight')!.shape).toEqual([16, 3, 3, 3]);
  const report = JSON.parse((await downloadOf(page, 'report.json')).bytes.toString());
  expect(report.proof).toMatchObject({ ok: true, top1Agreement: 1, images: 256 });
  expect(report.steps).toBe(4);
}, 300_000);

describe('a first load fetches, packed,', () => {
  const packed = async (scripts: readonly string[]) => {
    const names = new Set(scripts.map((url) => /\/assets\/[^/]+\.js$/.exec(url)?.[0]).filter(Boolean));
    const files = await Promise.all([...names].map((name) => readFile(site.folder + name)));
    expect(files.length).toBeGreaterThan(0);
    return files.reduce((sum, bytes) => sum + gzipSync(bytes).length, 0);
  };
  const fetched = () => performance.getEntriesByType('resource').map(({ name }) => name);
  const ofPage = async (page: Page) =>
    (await page.evaluate(fetched)).filter((url) => !/\/worker-[^/]+$/.test(url));

  test('at most 150 KB of script for the page, with the panels in sight', async () => {
    const page = await site.open();
    await page.getByRole('heading', { name: 'Network', exact: true }).waitFor();
    await page.waitForLoadState('networkidle');
    const scripts = await ofPage(page);
    expect(scripts.some((url) => url.includes('/index-'))).toBe(true);
    expect(await packed(scripts)).toBeLessThan(150_000);
  });

  const ofWorker = async (page: Page) => {
    const [worker] = page.workers();
    return [worker.url(), ...(await worker.evaluate(fetched))];
  };

  test('at most 100 KB for its worker, which has no code of a run before there is a network', async () => {
    const page = await site.open({ scenario: 'real', path: '#source=own' });
    await page.getByText('Looking for a GPU').waitFor({ state: 'detached' });
    await page.waitForLoadState('networkidle');
    expect(await packed(await ofWorker(page))).toBeLessThan(100_000);
    expect(await packed(await ofPage(page))).toBeLessThan(150_000);
  });

  test('at most 100 KB for its worker with a first step taken ahead, a forecast and the network in sight', async () => {
    const page = await site.open({ scenario: 'real' });
    // by a step that was measured here
    await page.getByText(/^About .* of GPU memory$/).waitFor({ timeout: 240_000 });
    const scripts = await ofWorker(page);
    for (const part of ['warm-up', 'forecast-job', 'inspect'])
      expect(
        scripts.some((url) => url.includes(`/${part}-`)),
        part,
      ).toBe(true);
    expect(await packed(scripts)).toBeLessThan(100_000);
    // what reads files, recognises networks, ends a run
    for (const part of ['run', 'own-network', 'image-set', 'weights-file', 'zoo', 'more-texts'])
      expect(scripts.filter((url) => new RegExp(`/assets/${part}-[\\w-]{8}\\.js$`).test(url))).toEqual([]);
  }, 300_000);
});

test('a learning rate is found, drawn and taken', async () => {
  const page = await site.open();
  await page.getByRole('button', { name: 'Find a learning rate' }).click();
  await page.getByText('The loss falls fastest there.').waitFor();
  await page.getByRole('img', { name: 'Loss over the learning rate, from 0.000001 to 12' }).waitFor();
  await page.getByRole('button', { name: 'Use 0.02' }).click();
  expect(await page.getByRole('spinbutton', { name: 'Learning rate' }).inputValue()).toBe('0.02');
  expect(page.url()).toContain('lr=0.02');
  const curve = page.getByRole('img', { name: /^Loss over the learning rate/ });
  expect(await curve.count()).toBe(1);
  await page.getByRole('radio', { name: /^Fine-tune/ }).check();
  expect(await curve.count(), 'a rate for refocusing is none for fine-tuning').toBe(0);
});

test('a search for a rate has the GPU for itself', async () => {
  const page = await site.open({ scenario: { loadMs: 1000 } });
  await page.getByRole('button', { name: 'Find a learning rate' }).click();
  await page.getByText('The search for a learning rate needs the GPU; wait for it').waitFor();
  const others = ['Start training', 'Profile a step'].map((name) => page.getByRole('button', { name }));
  for (const other of others) expect(await other.isDisabled()).toBe(true);
  await page.getByText('The loss falls fastest there.').waitFor();
  for (const other of others) expect(await other.isEnabled()).toBe(true);
});

test('a batch is shown as the network sees it, and drawn again', async () => {
  const page = await site.open();
  await page.getByRole('button', { name: 'Show a training batch' }).click();
  const batch = page.getByRole('list', { name: 'A training batch as the network sees it' });
  await page.getByText('Augmentation of epoch 0.').waitFor();
  expect(await batch.getByRole('img').count()).toBe(12);
  expect(await batch.getByText('<i>class 3</i>').count()).toBe(1);
  const redOf = (canvas: HTMLCanvasElement) => canvas.getContext('2d')!.getImageData(7, 3, 1, 1).data[0];
  // the pictures are drawn after the words stand
  const red = () =>
    batch
      .getByRole('img')
      .nth(11)
      .evaluate(redOf as never);
  await expect.poll(red).toBe(0);
  await page.getByRole('button', { name: 'Draw again' }).click();
  await page.getByText('Augmentation of epoch 1.').waitFor();
  await expect.poll(red).toBe(40);
  await page.getByRole('radio', { name: 'Your own' }).check();
  await page.locator('#train').setInputFiles([file('set.zip')]);
  await page.getByRole('button', { name: 'Show a training batch' }).waitFor();
  expect(await batch.count(), 'those images are of another set').toBe(0);
});

describe('a run', () => {
  test('goes from the built-in example to the merged file', async () => {
    const page = await site.open({ path: '#epochs=2' });
    await start(page);
    await finish(page);
    expect(await page.getByLabel('Test accuracy').textContent()).toMatch(/74\.20\s%.*\d\d\.\d\d\s%.*points/);
    expect(await page.getByText('parameters, unchanged').textContent()).toBe(
      '104,330 parameters, unchanged by the merge',
    );
    const merged = await downloadOf(page, 'Download merged.safetensors');
    expect(merged.name).toBe('merged.safetensors');
    expect([...merged.bytes]).toEqual([1, 2, 3]);
    expect([...(await downloadOf(page, 'best.safetensors')).bytes]).toEqual([4, 5]);
    await page.getByText('What was found').click();
    await page.getByText('set.zip: 2 classes by name.').waitFor();
    const skipped = await downloadOf(page, 'Download skipped.csv');
    expect(skipped.bytes.toString()).toBe('path,reason\r\ncat/<b>1</b>.jpg,the JPEG is cut off\r\n');
    expect((await downloadOf(page, 'labels.txt')).bytes.toString()).toBe('<b>ring</b>\nstar\n');
    const report = JSON.parse((await downloadOf(page, 'report.json')).bytes.toString());
    expect(report.proof.images).toBe(512);
    const metrics = (await downloadOf(page, 'metrics.csv')).bytes.toString().trim().split('\r\n');
    expect(metrics).toHaveLength(1 + 80 + 3);
    const loss = (await downloadOf(page, 'CSV of Loss')).bytes.toString();
    expect(loss.split('\r\n')[0]).toBe('step,loss,smoothed_loss,test_loss');
    const picture = await downloadOf(page, 'PNG of Accuracy');
    expect(picture.name).toBe('accuracy.png');
    expect(picture.bytes.subarray(1, 4).toString()).toBe('PNG');
  });

  test('pauses, resumes, guards the page and stops with what it has', async () => {
    const page = await site.open({ scenario: { stepMs: 10 }, path: LONG });
    await start(page);
    const step = page.locator('.figures dd').first();
    await step.waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('Paused', { exact: true }).waitFor();
    await page.waitForTimeout(100);
    const held = await step.textContent();
    await page.waitForTimeout(200);
    expect(await step.textContent()).toBe(held);
    const locks = await page.evaluate(async () => (await navigator.locks.query()).held?.map((l) => l.name));
    // one that keeps the tab awake, one on the files that the run is kept in, one that other tabs wait for
    const lockNames = [
      'refocus-run',
      expect.stringMatching(/^refocus-run ./),
      expect.stringMatching(/^refocus-tab ./),
    ];
    expect(locks?.sort()).toEqual(lockNames);
    const dialog = page.waitForEvent('dialog');
    const closing = page.close({ runBeforeUnload: true });
    expect((await dialog).type()).toBe('beforeunload');
    await (await dialog).dismiss();
    await closing;
    await page.getByRole('button', { name: 'Resume' }).click();
    await expect.poll(() => step.textContent()).not.toBe(held);
    await page.getByRole('button', { name: 'Stop and merge' }).click();
    await finish(page);
    expect(await page.locator('.phase').textContent()).toMatch(/^Stopped after \d+ of 20,000 steps; /);
    const reached = Number(await page.getByRole('progressbar').getAttribute('aria-valuenow'));
    expect(reached, 'the scale stands where the run was stopped').toBeLessThan(50);
    await expect.poll(() => page.evaluate(async () => (await navigator.locks.query()).held)).toEqual([]);
  });

  test('that is stopped before its first step leaves the earlier one', async () => {
    const page = await site.open({ scenario: { loadMs: 3000 }, path: '#epochs=1' });
    const stop = page.getByRole('button', { name: 'Stop and merge' });
    await start(page);
    await stop.click();
    await page.locator('#start:enabled').waitFor();
    expect(await page.locator('.phase').count()).toBe(0);
    await start(page);
    await finish(page);
    const shown = () => page.locator('.phase, .figures, .accuracies, .proof').allTextContents();
    const before = await shown();
    await start(page);
    await stop.click();
    await finish(page);
    await page.locator('#start:enabled').waitFor();
    expect(await shown()).toEqual(before);
    expect(await page.locator('.run-bar [role=status]').textContent()).toBe(
      'Stopped before anything was trained.',
    );
    expect(await page.getByRole('alert').count()).toBe(0);
  });

  test('hears what is clicked before its engine has it', async () => {
    const page = await site.open({ path: LONG });
    // what a run waits for before it goes to the engine comes late
    await page.evaluate(() => {
      const request = navigator.locks.request.bind(navigator.locks) as (
        ...all: unknown[]
      ) => Promise<unknown>;
      navigator.locks.request = (async (...all: unknown[]) => {
        if (all[0] === 'refocus-run') await new Promise((resolve) => setTimeout(resolve, 1500));
        return request(...all);
      }) as never;
    });
    await start(page);
    await page.getByRole('button', { name: 'Stop and merge' }).click();
    await page.locator('#start:enabled').waitFor();
    expect(await page.locator('.figures').count()).toBe(0);
    expect(await page.locator('.run-table tbody tr').count()).toBe(0);
    await start(page);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('Paused', { exact: true }).waitFor();
    // the engine has it
    await page.getByText(/^10,000 training and 2,000 test images/).waitFor();
    await page.waitForTimeout(300);
    expect(await page.locator('.figures').count(), 'no step is taken').toBe(0);
    await page.getByRole('button', { name: 'Resume' }).click();
    await reach(page, 5);
  });

  test('that is not proven gives its file only after a word', async () => {
    const page = await site.open({ scenario: { proofOk: false }, path: '#epochs=1' });
    await start(page);
    await page.getByRole('heading', { name: 'The merge is not proven' }).waitFor();
    const button = page.getByRole('button', { name: 'Download merged.safetensors' });
    await page.getByText('Other files').click();
    const best = page.getByRole('button', { name: 'best.safetensors' });
    expect([await button.isDisabled(), await best.isDisabled()]).toEqual([true, true]);
    expect(await page.locator('.outcome.good').count(), 'nothing is green').toBe(0);
    await page.getByLabel(/I want the files although/).check();
    expect(await button.isDisabled()).toBe(false);
  });

  test('that fails says why, and can be started again', async () => {
    const why = 'cat/1.jpg is broken; remove it.';
    const page = await site.open({ scenario: { trainError: why } });
    await start(page);
    expect(await page.getByRole('alert').textContent()).toContain(why);
    expect(await page.getByRole('button', { name: 'Start training' }).isEnabled()).toBe(true);
  });

  test('lets no script in, and asks no other place', async () => {
    const page = await site.open();
    const refused = await page.evaluate(async () => {
      const refusals: string[] = [];
      document.addEventListener('securitypolicyviolation', (event) =>
        refusals.push((event as SecurityPolicyViolationEvent).effectiveDirective),
      );
      const attempts = [
        () =>
          document.body.insertAdjacentHTML('beforeend', '<img src="data:," onerror="document.title = 1">'),
        () => new Worker('https://refocus.invalid/worker.js'),
        () => fetch('https://refocus.invalid/'),
      ];
      for (const attempt of attempts)
        try {
          await attempt();
        } catch (error) {
          refusals.push((error as Error).name);
        }
      await new Promise((resolve) => setTimeout(resolve, 100));
      return refusals.sort();
    });
    // the policy comes twice, in the document and with it
    const kinds = ['TypeError', 'connect-src', 'require-trusted-types-for'];
    expect([...new Set(refused)]).toEqual(kinds);
    expect(refused.lastIndexOf('TypeError'), 'all three attempts').toBe(2);
    expect(await page.title()).not.toBe('1');
  });

  test('shows user text as text', async () => {
    const page = await site.open({ path: '#epochs=1' });
    page.on('dialog', () => expect.unreachable('a file name ran as a script'));
    await start(page);
    await finish(page);
    expect(await page.getByText('<img src=x onerror=alert(1)>').count()).toBe(1);
    expect(await page.locator('img').count()).toBe(0);
  });
});

describe('the controls', () => {
  test('stand in places of their own: a double click starts a run, and the focus follows', async () => {
    const page = await site.open({ scenario: { stepMs: 10 }, path: LONG });
    await page.getByRole('button', { name: 'Start training' }).dblclick();
    await page.locator('.figures').waitFor();
    await expect.poll(() => page.locator('.phase').textContent()).toBe('Training');
    const focused = () => page.evaluate(() => document.activeElement?.textContent);
    await expect.poll(focused).toBe('Pause');
    await expect.poll(() => page.title()).toMatch(/^\d+ % · Refocus/);
    await page.getByRole('button', { name: 'Stop and merge' }).click();
    await finish(page);
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('step-3');
    await expect.poll(() => page.title()).toMatch(/^Done · Refocus/);
  });

  test('and all else fit the window, whatever its width', async () => {
    const page = await site.open({ path: '#epochs=1' });
    await start(page);
    await finish(page);
    await page.getByRole('button', { name: 'Fine-tune beside it' }).click();
    await page.locator('.verdict').waitFor();
    for (const box of await page.locator('.run-table').getByRole('checkbox').all()) await box.check();
    await page.getByRole('heading', { name: '2 runs beside each other' }).waitFor();
    await page.locator('summary', { hasText: 'Which classes are taken' }).click();
    const overflow: Record<number, number> = {};
    for (const width of [1600, 1280, 1279, 1100, 960, 959, 860, 640, 360]) {
      await page.setViewportSize({ width, height: 900 });
      overflow[width] = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    }
    expect(Object.entries(overflow).filter(([, beyond]) => beyond > 0)).toEqual([]);
  });

  test('are in sight on a phone', async () => {
    const page = await site.open({ context: { viewport: { width: 390, height: 700 } } });
    const box = await page.getByRole('button', { name: 'Start training' }).boundingBox();
    expect(box!.y + box!.height).toBeLessThanOrEqual(700);
  });

  test('an error goes with its cause', async () => {
    const page = await site.open({ path: '#source=own' });
    await start(page);
    await page.getByRole('alert').getByText('Choose a weights file').waitFor();
    await page.locator('#weights').setInputFiles(file('net.safetensors'));
    await expect.poll(() => page.getByRole('alert').count()).toBe(0);
  });
});

describe('the result', () => {
  /** Opens a part of the results. */
  const open = (page: Page, title: string | RegExp) => page.locator('summary', { hasText: title }).click();

  test('says what its accuracies are worth, class by class and image by image', async () => {
    const page = await site.open({ path: '#epochs=1' });
    page.on('dialog', () => expect.unreachable('the name of a class ran as a script'));
    await start(page);
    await finish(page);
    const outcome = page.locator('.outcome');
    expect(await outcome.textContent()).toMatch(
      /120 test images gained, 60 lost against the network you started from \(McNemar’s test, p < 0\.001\)/,
    );
    expect(await page.getByLabel('Test accuracy').textContent()).toMatch(/72\.2\s% to 76\.1\s%/);
    await page.getByText(/^Of 2,000 test images; the ranges hold/).waitFor();
    await open(page, 'Recall, precision and accuracy');
    const row = page.getByRole('row', { name: /^<b>ring<\/b> 20 / });
    expect(await row.textContent()).toMatch(/90\.0\s%\+5\.00\spoints90\.0\s%90\.0\s%/);
    await open(page, 'Which classes are taken for which');
    await page.getByRole('button', { name: '2 of star told <b>ring</b>' }).click();
    const matrix = page.locator('details', { has: page.getByLabel('Confusion matrix') });
    await matrix.getByText('image 17').waitFor();
    expect(await matrix.locator('.image-list li').count()).toBe(2);
    await matrix.getByRole('img', { name: '17' }).waitFor();
    await open(page, '4 wrong, the surest first');
    const wrong = page.locator('details', { hasText: '4 wrong' });
    await expect
      .poll(() => wrong.locator('b').allTextContents())
      .toEqual(['35', '26', '17', '8'].map((number) => `image ${number}`));
    await open(page, '5 gained against the base');
    await page.locator('details', { hasText: '5 gained' }).getByText('image 6').waitFor();
    await page.getByRole('combobox', { name: 'Network', exact: true }).selectOption('base');
    await page.getByText('5 wrong, the surest first').waitFor();
  });

  test('of a run that gained nothing says to keep the network, and nothing is green', async () => {
    const page = await site.open({ scenario: { worse: true }, path: '#epochs=1' });
    await start(page);
    await page.getByRole('heading', { name: 'No gain: keep your network' }).waitFor();
    expect(await page.locator('.outcome.good, .proof.ok, .downloads .primary').count()).toBe(0);
    await page.getByText('Other files').click();
    await page.getByText('the network you started from: no epoch was better').waitFor();
  });

  test('of a run that diverged says so', async () => {
    const page = await site.open({ scenario: { ended: 'diverged' }, path: '#epochs=1&lr=2' });
    await start(page);
    await page.getByRole('heading', { name: 'The run diverged' }).waitFor();
    expect(await page.locator('.phase').textContent()).toMatch(/^Diverged after 40 of 40 steps/);
    await page.getByText('Try a learning rate of 0.2.').waitFor();
    expect(await page.locator('.outcome.good, .proof.ok').count()).toBe(0);
  });

  test('stays when the next run fails', async () => {
    const page = await site.open({ scenario: { secondError: 'photos.zip is gone.' }, path: '#epochs=1' });
    await start(page);
    await finish(page);
    const shown = () => page.locator('.outcome, .phase, .figures, .accuracies').allTextContents();
    const before = await shown();
    await start(page);
    await page.getByRole('alert').getByText('photos.zip is gone.').waitFor();
    expect(await shown()).toEqual(before);
    expect([...(await downloadOf(page, 'Download merged.safetensors')).bytes]).toEqual([1, 2, 3]);
  });

  test('is a click away when the next run fails on its way', async () => {
    const scenario = { secondError: 'The GPU is gone.', failsAfter: 5 };
    const page = await site.open({ scenario, path: '#epochs=1' });
    await start(page);
    await finish(page);
    const before = await page.locator('.accuracies').textContent();
    await start(page);
    await page.getByRole('alert').getByText('The GPU is gone.').waitFor();
    expect(await page.locator('.phase').textContent()).toBe('Failed after 4 steps');
    // the run that failed stands above it
    await page
      .getByRole('button', { name: /^Show refocus/ })
      .nth(1)
      .click();
    expect(await page.locator('.accuracies').textContent()).toBe(before);
    expect([...(await downloadOf(page, 'Download merged.safetensors')).bytes]).toEqual([1, 2, 3]);
  });
});

describe('an image of your own', () => {
  const picture = { name: '<u>cat</u>.png', mimeType: 'image/png', buffer: Buffer.from('x') };
  const answers = (page: Page) => page.locator('.answers section').allTextContents();

  test('is shown to the loaded network before a run, and to all networks after it', async () => {
    const page = await site.open({ path: '#epochs=1' });
    await page.getByText('Try your own image').click();
    await page.locator('#try').setInputFiles([picture]);
    await page.locator('.chances').waitFor();
    expect(await answers(page)).toEqual([
      expect.stringMatching(/^As loaded<b>ring<\/b>60\.0\s%star40\.0\s%$/),
    ]);
    await start(page);
    await finish(page);
    await expect
      .poll(() => answers(page))
      .toEqual([
        expect.stringMatching(/^Base<b>ring<\/b>60\.0/),
        expect.stringMatching(/^Refocused<b>ring<\/b>90\.0/),
      ]);
    await page.getByRole('radio', { name: /^Fine-tune/ }).check();
    await start(page);
    await expect
      .poll(() => answers(page))
      .toEqual([
        expect.stringMatching(/^Base/),
        expect.stringMatching(/^Fine-tuned/),
        expect.stringMatching(/^Refocused/),
      ]);
  });

  test('may be pasted; what cannot be read is said beside it', async () => {
    const page = await site.open();
    await page.evaluate(() => {
      const clipboardData = new DataTransfer();
      clipboardData.items.add(new File(['x'], 'photo.heic'));
      document.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }));
    });
    await page.getByText('HEIC is not read', { exact: true }).waitFor();
    expect(await page.locator('.taken').textContent()).toContain('photo.heic: without a class');
  });

  test('may come from the camera, which is asked for by a click alone', async () => {
    const page = await site.open();
    await page.evaluate(() => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 40, height: 30 });
      // a stream has a frame for each time that its canvas is drawn
      setInterval(() => canvas.getContext('2d')!.fillRect(0, 0, 20, 20), 20);
      const asked = { count: 0 };
      Object.assign(globalThis, { asked });
      navigator.mediaDevices.getUserMedia = async () => {
        asked.count++;
        return canvas.captureStream(10);
      };
    });
    const asked = () =>
      page.evaluate(() => (globalThis as unknown as { asked: { count: number } }).asked.count);
    await page.getByText('Try your own image').click();
    const camera = page.getByRole('button', { name: 'Camera' });
    await camera.waitFor();
    expect(await asked()).toBe(0);
    await camera.click();
    await page.getByRole('button', { name: 'Take the picture' }).waitFor();
    await page.waitForFunction(() => document.querySelector('video')!.videoWidth > 0);
    await page.getByRole('button', { name: 'Take the picture' }).click();
    await page.getByText('camera.jpg').waitFor();
    await page.locator('.chances').waitFor();
    expect(await asked()).toBe(1);
  });

  test('of classes that the base does not have is told by the new network alone', async () => {
    const page = await site.open({ scenario: { newHead: true }, path: '#epochs=1' });
    await start(page);
    await page.getByRole('heading', { name: 'A new classifier for your classes' }).waitFor();
    await page.getByText('Try your own image').click();
    await page.locator('#try').setInputFiles([picture]);
    await expect
      .poll(() => answers(page))
      .toEqual([
        'BaseThe network you started from has no such classes: its classifier is new.',
        expect.stringMatching(/^Refocused<b>ring<\/b>90\.0/),
      ]);
  });
});

describe('the form', () => {
  test('has every setting and network option, with its help', async () => {
    const page = await site.open({ path: '#source=own&schedule=cosine' });
    await page.getByText('Advanced settings').click();
    await page.getByText('Other methods').click();
    const methods = settingFields.method.choices!;
    const seen = new Set<string>(['method']);
    for (const { value: method, label: radio } of methods) {
      await page.getByRole('radio', { name: new RegExp(`^${radio}`) }).check();
      const settings = { ...defaultSettings(), method, schedule: 'cosine' };
      for (const name of settingNames.filter((one) => !seen.has(one) && applies(one, settings))) {
        const { label, help, group } = settingFields[name];
        const field = page.getByLabel(label, { exact: true });
        expect(await field.getAttribute('id')).toBe(name);
        expect(await field.isVisible(), name).toBe(true);
        if (group !== 'main') expect(await page.locator(`#${name}-hint`).textContent()).toBe(help);
        seen.add(name);
      }
    }
    expect([...seen].sort()).toEqual([...settingNames].sort());
    for (const name of networkOptionNames)
      expect(await page.getByLabel(networkFields[name].label, { exact: true }).getAttribute('id')).toBe(name);
  });

  test('has two methods in sight, and the others behind a fold that is open where one of them is chosen', async () => {
    const page = await site.open();
    const retrain = page.getByRole('radio', { name: 'Retrain' });
    await page.getByRole('radio', { name: 'Fine-tune' }).check();
    expect(await retrain.isVisible()).toBe(false);
    await page.getByText('Other methods: retrain, joint').click();
    await retrain.check();
    await expect.poll(() => page.url()).toContain('method=retrain');
    await page.reload();
    await expect.poll(() => retrain.isVisible()).toBe(true);
    expect(await retrain.isChecked()).toBe(true);
  });

  test('hides what has no meaning, and steps numbers by the arrow keys', async () => {
    const page = await site.open({ path: '#lr=0.1&momentum=0.99' });
    await page.getByText('Advanced settings').click();
    const momentum = page.getByLabel('Momentum', { exact: true });
    await momentum.press('ArrowUp');
    expect(await momentum.inputValue(), '1 is out of range').toBe('0.99');
    await momentum.press('ArrowDown');
    expect(await momentum.inputValue()).toBe('0.98');
    const rate = page.getByLabel('Learning rate', { exact: true });
    for (const key of ['ArrowUp', 'ArrowUp']) await rate.press(key);
    expect(await rate.inputValue()).toBe('0.102');
    await page.getByLabel('Optimiser', { exact: true }).selectOption('adamw');
    expect(await momentum.count()).toBe(0);
    await page.getByRole('radio', { name: /^Fine-tune/ }).check();
    expect(await page.getByLabel('Map kernel', { exact: true }).count()).toBe(0);
  });

  test('is put back to the defaults by one click', async () => {
    const page = await site.open({ path: '#lr=0.5&source=own&weightDecay=0.1' });
    await page.getByText('Advanced settings').click();
    await page.getByRole('button', { name: 'Reset all settings' }).click();
    await expect.poll(() => new URL(page.url()).hash).toBe('#source=own');
  });

  test('retrains an architecture without a file of weights', async () => {
    const page = await site.open({ path: '#source=own&method=retrain&arch=resnet20_cifar&epochs=1' });
    await page.locator('#train').setInputFiles([file('set.zip')]);
    await start(page);
    await finish(page);
  });

  test('lives in the URL', async () => {
    const page = await site.open({ path: '#method=finetune&lr=0.2&source=own&arch=resnet32_cifar' });
    expect(await page.getByLabel('Learning rate', { exact: true }).inputValue()).toBe('0.2');
    expect(await page.getByRole('radio', { name: /^Fine-tune/ }).isChecked()).toBe(true);
    expect(await page.getByLabel('Architecture', { exact: true }).inputValue()).toBe('resnet32_cifar');
    await page.getByLabel('Seed', { exact: true }).fill('7');
    await page.getByRole('radio', { name: 'Built-in example' }).check();
    await expect.poll(() => new URL(page.url()).hash).toBe('#method=finetune&lr=0.2&seed=7');
  });

  test('says at the field what is wrong with it', async () => {
    const page = await site.open({ path: '#lr=NaN&nonsense=1' });
    const field = page.getByLabel('Learning rate', { exact: true });
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    const message = await page.locator('#lr-error').textContent();
    expect(message).toBe('Learning rate must be a number above 0 and at most 100, or auto, not "NaN".');
    expect(await page.getByText('The address names nonsense').count()).toBe(1);
    await start(page);
    expect(await page.getByRole('alert').textContent()).toBe(message);
    await field.fill('0.1');
    expect(await page.locator('#lr-error').count()).toBe(0);
  });

  test('lists the layers of a weights file, or says why not', async () => {
    const page = await site.open({ path: '#source=own' });
    await start(page);
    expect(await page.getByRole('alert').textContent()).toMatch(/Choose a weights file/);
    await page.locator('#weights').setInputFiles(file('net.txt'));
    await page.getByText('net.txt is no weights file.').waitFor();
    await page.locator('#weights').setInputFiles(file('net.safetensors'));
    await page.getByText('20 tensors, 46,080 parameters').click();
    expect(await page.getByRole('rowheader', { name: 'layer3.conv1.<i>weight</i> conv 3×3' }).count()).toBe(
      1,
    );
    await start(page);
    expect(await page.getByText('Choose your training images').count()).toBe(1);
    await page.locator('#train').setInputFiles([file('train.zip')]);
    await page.getByLabel('Epochs', { exact: true }).fill('1');
    await start(page);
    await finish(page);
  });
});

describe('what is dropped anywhere on the page', () => {
  /** Drops files, by their paths, on the first element that the selector finds. */
  const drop = async (page: Page, files: Record<string, string>, selector = 'h1') => {
    const transfer = await page.evaluateHandle((given) => {
      const made = new DataTransfer();
      for (const [name, content] of Object.entries(given)) made.items.add(new File([content], name));
      return made;
    }, files);
    await page.dispatchEvent(selector, 'drop', { dataTransfer: transfer });
  };

  test('is sorted by what it is for: weights, images, names of classes', async () => {
    const page = await site.open();
    await drop(page, {
      'net.safetensors': 'x',
      'set.zip': 'x',
      'labels.txt': 'a\nb\n',
      '<u>notes</u>.md': 'x',
    });
    const said = page.locator('.taken');
    await expect
      .poll(() => said.textContent())
      .toMatch(/net\.safetensors: weights\..*labels\.txt: the names of 2 classes\..*set\.zip: images\./);
    expect(await said.textContent()).toContain('Not used: <u>notes</u>.md, it holds no weights');
    expect(await page.getByRole('radio', { name: 'Your own' }).isChecked()).toBe(true);
    await page.getByText('net.safetensors is ResNet-20 for CIFAR.').waitFor();
    await page.getByText('10 classes → your 2: new head').waitFor();
    const survey = page.locator('.survey');
    expect(await survey.textContent()).toMatch(
      /set\.zip: 2 classes, 30 to train, 2 to test \(held out\)\. A batch of 16, learning rate 0\.003\./,
    );
    await survey.getByText('2 classes by name, <i>x</i>.').waitFor();
    await page.getByRole('rowheader', { name: '<b>ring' }).waitFor();
    expect(await page.getByRole('img', { name: 'star/1.png' }).count()).toBe(1);
    await survey.getByText('1 file left out').click();
    const skipped = await downloadOf(page, 'skipped.csv', survey);
    expect(skipped.bytes.toString()).toContain('star/<i>9</i>.heic,HEIC is not read');
    await page.locator('.fit select').selectOption('keep');
    await page.getByText(/^The network tells 10 classes apart, the images have 2/).waitFor();
    expect(page.url()).toContain('head=keep');
  });

  test('may be the shards of one network; a missing one is named', async () => {
    const page = await site.open();
    const shards = ['m-00001-of-00002.safetensors', 'm-00002-of-00002.safetensors'];
    await drop(page, { 'm.safetensors.index.json': '{}', [shards[0]]: 'x' });
    await page.getByText(`${shards[0]} belongs to 2 files.`).waitFor();
    await drop(page, { 'm.safetensors.index.json': '{}', [shards[0]]: 'x', [shards[1]]: 'x' });
    await page.getByText(`${shards[0]} is ResNet-20 for CIFAR.`).waitFor();
    expect(await page.locator('#weights-hint').textContent()).toMatch(/^3 files/);
  });

  test('may be the settings of a run', async () => {
    const page = await site.open();
    await drop(page, { 'config.json': '{"settings": {"lr": 0.25, "wings": 2}}' });
    await page.getByText('config.json: the settings of a run; wings mean nothing here.').waitFor();
    expect(await page.getByLabel('Learning rate', { exact: true }).inputValue()).toBe('0.25');
  });

  test('falls on the box of the test images, or comes after the images by its name', async () => {
    const page = await site.open({ path: '#source=own' });
    await drop(page, { 'set.zip': 'x' });
    await page.getByText(/^set\.zip: 2 classes/).waitFor();
    await drop(page, { 'other.zip': 'x' }, '[data-place=test]');
    await page.getByText(/^set\.zip: 2 classes.*; other\.zip: 2 classes/).waitFor();
    await drop(page, { 'my-test.zip': 'x' });
    await page.getByText(/^set\.zip: 2 classes.*; my-test\.zip: 2 classes/).waitFor();
  });

  test('waits until a run is over', async () => {
    const page = await site.open({ scenario: { stepMs: 10 }, path: LONG });
    await start(page);
    await page.locator('.figures').waitFor();
    await drop(page, { 'net.safetensors': 'x' });
    await page.getByText('A run is going on: stop it, or drop the files again').waitFor();
    expect(await page.locator('.figures').count()).toBe(1);
  });
});

describe('a profile', () => {
  const profile = (page: Page) => page.getByRole('button', { name: 'Profile a step' });

  test('of the chosen step shows shaders by their share and the slowest dispatches', async () => {
    const page = await site.open({ path: '#method=joint&batch=64' });
    await profile(page).click();
    await page.getByText('mobilenet_v2, joint, batch of 64').waitFor();
    const bars = page.getByRole('list', { name: 'Time by shader', exact: true }).getByRole('listitem');
    expect(await bars.count()).toBe(8);
    // 6 of 14.55 ms for 240 MB: 40 GB/s of 100
    expect((await bars.first().textContent())!.replaceAll('\u00a0', ' ')).toBe(
      'depthwise/forward41.2 %6.00 ms2 dispatches40.0 GB/s (40 %)30.0 GFLOP/s (3 %)',
    );
    const solid = bars.first().locator('.bar div div');
    expect(await solid.evaluate((e) => (e as HTMLElement).style.width)).toBe('40%');
    const widths = await bars
      .first()
      .evaluate((e) => [e, e.querySelector('.bar')!].map((x) => x.clientWidth));
    expect(widths[1], 'the bar is as wide as its row').toBe(widths[0]);
    const rows = page.getByRole('region', { name: 'Slowest dispatches' }).getByRole('rowheader');
    expect(await rows.count()).toBe(40);
    expect(await rows.first().textContent()).toBe('features.2.conv.0.0depthwise/forward, forward');
    expect(await rows.nth(3).textContent()).toContain('<i>conv</i>');
    const file = JSON.parse((await downloadOf(page, 'profile.json')).bytes.toString());
    expect(file.dispatches).toHaveLength(53);
  });

  test('stops with the runs made, and excludes a training', async () => {
    const page = await site.open({ scenario: { stepMs: 100 }, path: '#source=own&arch=resnet32_cifar' });
    await profile(page).click();
    await page.getByText(/run \d of 5/).waitFor();
    expect(await page.getByRole('button', { name: 'Start training' }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'Stop the profile' }).click();
    await page.getByText('resnet32_cifar, refocus, batch of 128').waitFor();
    expect(await page.getByText(/the mean of [1-4] runs?\./).count()).toBe(1);
    await page.getByRole('radio', { name: 'Built-in example' }).check();
    await start(page);
    expect(await profile(page).isDisabled()).toBe(true);
    expect(await page.locator('#profile-obstacle').textContent()).toMatch(/^A training is going on/);
    await page.getByRole('button', { name: 'Stop and merge' }).click();
    await finish(page);
    await expect.poll(() => profile(page).isEnabled()).toBe(true);
  });

  test('that cannot be says why', async () => {
    const why = 'A batch of 128 needs 9 GB of GPU memory; choose a smaller batch.';
    const page = await site.open({ scenario: { profileError: why } });
    await profile(page).click();
    expect(await page.getByRole('alert').textContent()).toBe(why);
    await page.getByLabel('Batch size', { exact: true }).fill('0');
    await profile(page).click();
    await page
      .getByRole('alert')
      .getByText(/^Batch size must be/)
      .waitFor();
  });
});

test('the built-in network shows its layers before a run, and a tick gives one a map', async () => {
  const page = await site.open({ path: '#lr=NaN' });
  await page.getByText('3 tensors, 6,552 parameters').click();
  const first = page.getByLabel('Map for features.1.conv.0.0', { exact: true });
  expect(await first.isChecked()).toBe(true);
  expect(await page.getByText('6 convolutions get a map').count()).toBe(1);
  await first.uncheck();
  const layers =
    'features.2.conv.1.0,features.3.conv.1.0,features.4.conv.1.0,features.5.conv.1.0,features.6.conv.1.0';
  await expect.poll(() => new URLSearchParams(new URL(page.url()).hash.slice(1)).get('layers')).toBe(layers);
  await page.getByRole('button', { name: 'Choose automatically' }).click();
  expect(await first.isChecked()).toBe(true);
  await page.getByRole('radio', { name: /^Fine-tune/ }).check();
  expect(await first.count()).toBe(0);
});

test('without WebGPU the page says so and stays readable', async () => {
  const why = 'This browser has no WebGPU; use a recent Chrome, Edge, Firefox or Safari.';
  const page = await site.open({ scenario: { noAdapter: why } });
  // the steps that lead to it come with their own script
  await expect
    .poll(async () =>
      (await page.getByRole('alert').textContent())?.startsWith(`${why}Open chrome://settings`),
    )
    .toBe(true);
  expect(await page.getByRole('button', { name: 'Start training' }).isDisabled()).toBe(true);
  expect(await page.getByRole('heading', { name: 'Channel redundancy' }).isVisible()).toBe(true);
});

test('an engine that does not load or breaks down says so, and the page goes on', async () => {
  const absent = await site.open({ scenario: 'absent' });
  expect(await absent.getByRole('alert').textContent()).toBe(
    "The engine's worker did not load: check the connection and reload the page.",
  );
  const page = await site.open({ scenario: { crash: 'out of bounds' } });
  for (let attempt = 0; attempt < 2; attempt++) {
    await start(page);
    expect(await page.getByRole('alert').textContent()).toMatch(
      /^Refocus failed unexpectedly \(.*out of bounds\)\. Reload the page/,
    );
  }
});

describe.each(['light', 'dark'] as const)('in %s colours', (colorScheme) => {
  test.each([1440, 390])(
    'the page at %i px is accessible and no wider than the window',
    async (width) => {
      const context = { viewport: { width, height: 900 }, colorScheme };
      const page = await site.open({ path: '#epochs=1&lr=0', context });
      await page.getByText('Advanced settings').click();
      await check(page);
      await page.getByLabel('Learning rate', { exact: true }).fill('0.1');
      await start(page);
      await finish(page);
      await page.getByRole('button', { name: 'Fine-tune beside it' }).click();
      await page.locator('.verdict').waitFor();
      for (const box of await page.locator('.run-table').getByRole('checkbox').all()) await box.check();
      await page.getByRole('heading', { name: '2 runs beside each other' }).waitFor();
      await check(page);
      await page.getByRole('radio', { name: 'Your own' }).check();
      await page.locator('#weights').setInputFiles(file('net.safetensors'));
      await page.getByText('20 tensors').click();
      await check(page);
      await page.getByRole('button', { name: 'Profile a step' }).click();
      await page.getByText('more, ').click();
      await check(page);
    },
    180_000,
  );

  test('the other colours are one click away, and are remembered', async () => {
    const page = await site.open({ context: { colorScheme } });
    const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const before = await ground();
    await page.getByRole('button', { name: /(Light|Dark) colours/ }).click();
    await expect.poll(ground).not.toBe(before);
    const after = await ground();
    await page.reload();
    await expect.poll(ground).toBe(after);
  });
});

/** No violation of axe's rules, and nothing to scroll to the side. */
async function check(page: Page): Promise<void> {
  await expectAccessible(page);
  const widths = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  expect(widths[0]).toBeLessThanOrEqual(widths[1]);
}
