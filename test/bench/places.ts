/**
 * Where the benchmark runs: a Chromium or a Node process a measurement. In one GPU process for all, what a library leaves
 * behind slows those that come after it.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';
import { build, type InlineConfig } from 'vite';
import { type AdapterChoice, adapterChoice } from '../../src/cli/hosts/adapter';
import { ensureChromium } from '../../src/cli/hosts/browsers';
import { chromiumArgs } from '../../src/cli/hosts/chromium';
import { serve } from '../../src/cli/hosts/server';
import type { LibraryName } from './libraries/library';
import type { Outcome } from './measure-case';

/** A place to measure in. */
export interface Place {
  /** what runs the work, for the report */
  description: string;
  measure(library: LibraryName, caseName: string, reps?: number): Promise<Outcome>;
  close(): Promise<void>;
}

const root = join(import.meta.dirname, '..', '..');
const cache = join(root, '.cache', 'bench');
const shared: InlineConfig = { root, configFile: false, logLevel: 'error', publicDir: false, base: './' };

/** Chromium on a built page; a real adapter first, software where there is none, as REFOCUS_ADAPTER says. */
export async function openBrowserPlace(note: (line: string) => void): Promise<Place> {
  const outDir = join(cache, 'page');
  const input = join(import.meta.dirname, 'index.html');
  await build({
    ...shared,
    build: { outDir, emptyOutDir: true, target: 'es2023', rolldownOptions: { input } },
  });
  const server = await serve(outDir);
  const url = `${server.url}test/bench/index.html`;
  const executablePath = await ensureChromium(note);
  const launch = (adapter: AdapterChoice) => chromium.launch({ executablePath, args: chromiumArgs(adapter) });
  let choice = adapterChoice();
  let found = await describe(await launch(choice), url);
  if (!found.adapter && choice === 'any') {
    choice = 'software';
    found = await describe(await launch(choice), url);
  }
  return {
    description: `Chromium ${found.version}, ${found.adapter ?? 'no adapter'}`,
    async measure(library, caseName, reps) {
      const browser = await launch(choice);
      try {
        const page = await browser.newPage();
        await page.goto(url);
        await page.waitForFunction(() => window.measureCase !== undefined);
        return await page.evaluate(([l, c, r]) => window.measureCase(l, c, r), [
          library,
          caseName,
          reps,
        ] as const);
      } catch (error) {
        return { error: (error as Error).message.split('\n')[0] };
      } finally {
        await browser.close();
      }
    },
    close: () => server.close(),
  };
}

/** The browser's version and its adapter's name, if it has one; closes it. */
async function describe(browser: Browser, url: string): Promise<{ version: string; adapter?: string }> {
  const page = await browser.newPage();
  await page.goto(url);
  const adapter = await page.evaluate(async () => {
    const info = (await navigator.gpu?.requestAdapter().catch(() => null))?.info;
    return info && [info.vendor, info.architecture, info.description].filter(Boolean).join(' ');
  });
  const version = browser.version();
  await browser.close();
  return { version, adapter };
}

/** Node through Dawn, each measurement in a process of its own. */
export async function openNodePlace(): Promise<Place> {
  const outDir = join(cache, 'node');
  await build({
    ...shared,
    // the libraries' modules are written for bundlers
    ssr: { noExternal: [/^@tensorflow\//, '@jax-js/jax', 'valibot', 'fflate'], external: ['webgpu'] },
    resolve: { mainFields: ['module'] },
    build: { ssr: join(import.meta.dirname, 'node.ts'), outDir, emptyOutDir: true, target: 'node20' },
  });
  const run = promisify(execFile);
  const call = async (...args: string[]) => {
    const { stdout } = await run(process.execPath, [join(outDir, 'node.js'), ...args], {
      maxBuffer: 2 ** 26,
    });
    return JSON.parse(stdout.trim().split('\n').at(-1)!);
  };
  return {
    description: `Node ${process.version}, ${await call()}`,
    async measure(library, caseName, reps) {
      try {
        return await call(library, caseName, ...(reps ? [String(reps)] : []));
      } catch (error) {
        return { error: String((error as Error).message).slice(0, 400) };
      }
    },
    close: async () => {},
  };
}
