/** Draws the page's icons into public/: `npm run icons`. The drawing is the logo, nine taps of a kernel coming into focus. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { findChromium } from '../src/cli/hosts/chromium';

const folder = 'public';

/** @param margin share of the side that stays free around the taps; systems that cut icons keep the middle 80 % */
function icon(margin: number, corner: number): string {
  const inner = 512 * (1 - 2 * margin);
  const at = (index: number) => 512 * margin + (inner * (2 * index + 1)) / 6;
  const taps = [0, 1, 2].flatMap((row) =>
    [0, 1, 2].map((column) => {
      const radius = (inner / 36) * [5.6, 4.4, 3.2][column];
      return `<circle cx="${at(column)}" cy="${at(row)}" r="${radius.toFixed(1)}" opacity="${[0.35, 0.65, 1][column]}"/>`;
    }),
  );
  return [
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 512 512">',
    `<rect width="512" height="512" rx="${corner}" fill="#0e7c6b"/>`,
    `<g fill="#fff">${taps.join('')}</g>`,
    '</svg>\n',
  ].join('');
}

const rounded = icon(0.14, 96);
const pictures: [name: string, svg: string, side: number][] = [
  ['icon-192.png', rounded, 192],
  ['icon-512.png', rounded, 512],
  ['icon-maskable-512.png', icon(0.22, 0), 512],
  ['apple-touch-icon.png', icon(0.14, 0), 180],
];

await mkdir(folder, { recursive: true });
await writeFile(join(folder, 'icon.svg'), rounded);
const browser = await chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox'] });
try {
  const page = await browser.newPage();
  for (const [name, svg, side] of pictures) {
    await page.setViewportSize({ width: side, height: side });
    await page.setContent(`<style>body{margin:0}svg{display:block;width:${side}px}</style>${svg}`);
    await page.screenshot({ path: join(folder, name), omitBackground: true });
  }
} finally {
  await browser.close();
}
