/** The built page, served and opened in Chromium, with a fake engine in its worker's place, or the engine. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { chromiumArgs, findChromium } from '../../src/cli/hosts/chromium';
import { PAGE_HEADERS } from '../../src/cli/hosts/page-headers';
import { serve } from '../../src/cli/hosts/server';
import type { Scenario } from './fake-engine';

/** milliseconds at most that the page waits for the fake engine, on a busy machine */
const FAKE_TIMEOUT = 15_000;

export interface Site {
  /** a new page in a context of its own; `path` follows the site's address, for example `#epochs=2` */
  open(options?: {
    /** what the fake engine does; `real`: the engine itself; `absent`: a worker that does not load */
    scenario?: Scenario | 'real' | 'absent';
    path?: string;
    context?: BrowserContextOptions;
  }): Promise<Page>;
  closePages(): Promise<void>;
  /** the folder that is served */
  folder: string;
  /** ends the server: pages have no network any more */
  stopServing(): Promise<void>;
  /** starts it again, at the same address, with the files that are there now */
  serveAgain(): Promise<void>;
  close(): Promise<void>;
}

export async function openSite(): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'refocus-page-'));
  await build({ build: { outDir: folder, emptyOutDir: true }, logLevel: 'error' });
  const fake = await bundleFakeEngine();
  let server = await serve(folder, { headers: PAGE_HEADERS });
  const port = Number(new URL(server.url).port);
  const browser: Browser = await chromium.launch({
    executablePath: findChromium(),
    // two cameras that show moving colours
    args: [...chromiumArgs('software'), '--use-fake-device-for-media-stream=device-count=2'],
  });
  return {
    async open({ scenario = {}, path = '', context = {} } = {}) {
      // a service worker would answer for the files in whose place the fake stands
      const options: BrowserContextOptions = { serviceWorkers: 'block', ...context };
      const page = await (await browser.newContext(options)).newPage();
      const body = `const scenario = ${JSON.stringify(scenario)};\n${fake}`;
      if (scenario !== 'real') {
        await page.route('**/assets/worker-*.js', (route) =>
          scenario === 'absent' ? route.abort() : route.fulfill({ body, contentType: 'text/javascript' }),
        );
      }
      if (scenario !== 'real') page.setDefaultTimeout(FAKE_TIMEOUT);
      await page.goto(server.url + path);
      return page;
    },
    folder,
    stopServing: () => server.close(),
    async serveAgain() {
      server = await serve(folder, { port, headers: PAGE_HEADERS });
    },
    async closePages() {
      for (const context of browser.contexts()) await context.close();
    },
    async close() {
      await browser.close();
      await server.close();
      await rm(folder, { recursive: true });
    },
  };
}

async function bundleFakeEngine(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      lib: { entry: join(import.meta.dirname, 'fake-engine.ts'), formats: ['es'], fileName: 'fake' },
    },
  });
  const [{ output }] = built as { output: { code: string }[] }[];
  return output[0].code;
}
