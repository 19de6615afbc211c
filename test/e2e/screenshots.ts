/**
 * Pictures of the page in its states, at three widths and in both themes:
 *
 *     npm run screenshots [FOLDER] [-- --scenes own,many --widths 390 --themes dark]
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Locator, Page } from 'playwright-core';
import { type Scene, scenes } from './scenes';
import { openSite, type Site } from './site';

const { values, positionals } = parseArgs({
  args: process.argv.slice(1),
  allowPositionals: true,
  options: {
    scenes: { type: 'string', default: Object.keys(scenes).join() },
    widths: { type: 'string', default: '1440,1024,390' },
    themes: { type: 'string', default: 'light,dark' },
  },
});
const folder = positionals[0] ?? '.cache/screenshots';

await mkdir(folder, { recursive: true });
const site = await openSite();
const lost: string[] = [];
try {
  for (const width of values.widths.split(',').map(Number))
    for (const colorScheme of values.themes.split(',') as ('light' | 'dark')[])
      for (const name of values.scenes.split(',')) {
        if (!scenes[name]) throw new Error(`There is no scene ${name}: ${Object.keys(scenes).join(', ')}.`);
        await draw(site, name, width, colorScheme);
      }
} finally {
  await site.close();
}
if (lost.length > 0) throw new Error(`Not drawn: ${lost.join('; ')}`);

async function draw(site: Site, name: string, width: number, colorScheme: 'light' | 'dark'): Promise<void> {
  const { scenario, path, context, look }: Scene = scenes[name];
  const page = await site.open({
    scenario,
    path,
    context: { viewport: { width, height: 900 }, colorScheme, ...context },
  });
  const shoot = async (state: string, part?: Locator) => {
    const file = join(folder, `${width}-${colorScheme}-${name}-${state}.png`);
    await picture(part?.page() ?? page, file, part);
  };
  try {
    await look({ page, shoot, site });
  } catch (error) {
    lost.push(`${width} ${colorScheme} ${name} (${(error as Error).message.split('\n')[0]})`);
  }
  await page.context().close();
}

/** Draws a part, or the whole page from its top, with the run's bar at its end: it would lie across the middle. */
async function picture(page: Page, path: string, part?: Locator): Promise<void> {
  const bar = page.locator('.run-bar');
  const place = (position: string) =>
    bar.evaluate((element, value) => {
      (element as HTMLElement).style.position = value;
    }, position);
  await place('static');
  // nothing that is about to open or fade is drawn half-way
  const how = { path, animations: 'disabled' } as const;
  if (part) await part.screenshot(how);
  else {
    await page.evaluate(() => scrollTo(0, 0));
    await page.screenshot({ ...how, fullPage: true });
  }
  await place('');
}
