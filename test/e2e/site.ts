/** The built page, served and opened in Chromium, with a fake engine in its worker's place, or the engine. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { chromiumArgs, findChromium } from '../../src/cli/hosts/chromium';
import { pageHeaders } from '../../src/cli/hosts/page-headers';
import { serve } from '../../src/cli/hosts/server';
import type { Scenario } from './fake-engine';
import { lateAnswers, slowDown } from './slow';

/** milliseconds at most that the page waits for the fake engine, on a busy machine */
const FAKE_TIMEOUT = 60_000;

export interface Site {
  /** a new page in a context of its own; `path` follows the site's address, for example `#epochs=2` */
  open(options?: {
    /** what the fake engine does; `real`: the engine itself; `absent`: a worker that does not load */
    scenario?: Scenario | 'real' | 'absent';
    path?: string;
    /** a script that runs before the real engine's, in its worker */
    before?: string;
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

/** Scrolls to a panel, which comes when it is about to be seen; those above it may come meanwhile, and move it. */
export async function showPanel(page: Page, id: string): Promise<void> {
  await page.waitForFunction((id) => {
    const place = document.getElementById(id);
    place?.scrollIntoView();
    return place?.querySelector('.panel:not(.pending)');
  }, id);
}

/** Scrolls to the view of redundancy. */
export async function showRedundancy(page: Page): Promise<void> {
  await showPanel(page, 'redundancy');
  await page.waitForSelector('.multiples');
}

/** names the folder of what `buildSite` has built, for all files of tests */
export const BUILT = 'REFOCUS_BUILT_SITE';

interface Build {
  /** functions keep their names, for a profile */
  isReadable?: boolean;
}

/** Builds page and fake engine. @returns the folder that sites are copied from */
export async function buildSite({ isReadable = false }: Build = {}): Promise<string> {
  const built = await mkdtemp(join(tmpdir(), 'refocus-built-'));
  const minify = isReadable ? false : undefined;
  await build({ build: { outDir: join(built, 'page'), emptyOutDir: true, minify }, logLevel: 'error' });
  await writeFile(join(built, 'fake.js'), await bundleFakeEngine());
  return built;
}

export async function openSite(how?: Build): Promise<Site> {
  const built = process.env[BUILT] ?? (await buildSite(how));
  // a copy: a test may put a newer version in its place
  const folder = await mkdtemp(join(tmpdir(), 'refocus-page-'));
  await cp(join(built, 'page'), folder, { recursive: true });
  const fake = await readFile(join(built, 'fake.js'), 'utf8');
  if (!process.env[BUILT]) await rm(built, { recursive: true });
  let server = await serve(folder, { headers: pageHeaders });
  const port = Number(new URL(server.url).port);
  const browser: Browser = await chromium.launch({
    executablePath: findChromium(),
    // two cameras that show moving colours
    args: [...chromiumArgs('software'), '--use-fake-device-for-media-stream=device-count=2'],
  });
  return {
    async open({ scenario = {}, path = '', before = '', context = {} } = {}) {
      // a service worker would answer for the files in whose place the fake stands
      const options: BrowserContextOptions = { serviceWorkers: 'block', ...context };
      const made = await browser.newContext(options);
      const body = `${lateAnswers}const scenario = ${JSON.stringify(scenario)};\n${fake}`;
      if (scenario !== 'real') {
        // for each of its tabs
        await made.route('**/assets/worker-*.js', (route) =>
          scenario === 'absent' ? route.abort() : route.fulfill({ body, contentType: 'text/javascript' }),
        );
      }
      if (scenario !== 'real') made.setDefaultTimeout(FAKE_TIMEOUT);
      const page = await made.newPage();
      await slowDown(page);
      if (before)
        await page.route('**/assets/worker-*.js', async (route) => {
          const response = await route.fetch();
          await route.fulfill({ response, body: before + (await response.text()) });
        });
      await page.goto(server.url + path);
      return page;
    },
    folder,
    stopServing: () => server.close(),
    async serveAgain() {
      server = await serve(folder, { port, headers: pageHeaders });
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
