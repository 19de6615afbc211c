/** Pictures of the page at three widths and in both themes: `npm run screenshots [FOLDER]`. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openSite, showRedundancy } from './site';

const folder = process.argv[1] ?? '.cache/screenshots';
const widths = [1440, 1024, 390];
const themes = ['light', 'dark'] as const;

await mkdir(folder, { recursive: true });
const site = await openSite();
try {
  for (const width of widths) {
    for (const colorScheme of themes) {
      const picture = (state: string) => ({
        path: join(folder, `${width}-${colorScheme}-${state}.png`),
        fullPage: true,
      });
      const context = { viewport: { width, height: 900 }, colorScheme };
      const page = await site.open({ scenario: { stepMs: 20 }, path: '#epochs=4', context });
      await page.getByText('Test adapter').waitFor();
      await showRedundancy(page);
      await page.evaluate(() => scrollTo(0, 0));
      await page.screenshot(picture('start'));
      await page.getByRole('button', { name: 'Start training' }).click();
      await page.getByText(/^(9\d|1[0-3]\d) \/ 160$/).waitFor();
      await page.getByRole('button', { name: 'Pause' }).click();
      await page.getByText('Paused').waitFor();
      await page.screenshot(picture('paused'));
      await page.getByRole('button', { name: 'Resume' }).click();
      await page.getByText('The merge is proven').waitFor();
      await page.screenshot(picture('results'));
      await page.getByRole('radio', { name: 'Your own' }).check();
      await page.locator('#weights').setInputFiles({
        name: 'network.safetensors',
        mimeType: 'application/octet-stream',
        buffer: Buffer.from('x'),
      });
      await page.getByText('20 tensors').waitFor();
      await page.getByText('Advanced settings').click();
      await page.screenshot(picture('own'));
      await page.getByRole('button', { name: 'Profile a step' }).click();
      await page.getByRole('heading', { name: 'By shader' }).waitFor();
      await page.screenshot(picture('profile'));
      await page.context().close();
    }
  }
} finally {
  await site.close();
}
