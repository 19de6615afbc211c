/** Newer versions of the page, and the service worker that keeps the one that is open. */
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import type { Site } from './site';

/** Waits until the page's service worker answers for it. */
export const isKept = (page: Page) =>
  page.waitForFunction(() => navigator.serviceWorker.controller?.state === 'activated', null, {
    timeout: 30_000,
  });

/** Puts another version in the page's place, whose script has another name, and serves it. */
export async function publish(site: Site): Promise<string> {
  const html = await readFile(join(site.folder, 'index.html'), 'utf8');
  const [, script] = html.match(/assets\/(index-[\w-]+\.js)/)!;
  const next = script.replace('index-', 'index-next-');
  await copyFile(join(site.folder, 'assets', script), join(site.folder, 'assets', next));
  for (const file of ['index.html', 'service-worker.js']) {
    const path = join(site.folder, file);
    await writeFile(path, (await readFile(path, 'utf8')).replaceAll(script, next));
  }
  await site.stopServing();
  await site.serveAgain();
  return next;
}

/** Looks for a newer version; ends once that waits, in the place of one that waited before. */
export const update = (page: Page) =>
  page.evaluate(async () => {
    const registration = (await navigator.serviceWorker.getRegistration())!;
    const before = registration.waiting;
    await registration.update();
    while (!registration.waiting || registration.waiting === before)
      await new Promise((resolve) => setTimeout(resolve, 50));
  });
