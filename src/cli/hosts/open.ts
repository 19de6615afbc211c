/** Chooses where the engine runs: Node through Dawn, or headless Chromium. */
import { UserError } from '../../errors';
import { createNodeEngine, probeDawn } from '../../node';
import type { HostOptions, OpenEngine } from '../command';

export interface OpenOptions extends HostOptions {
  pageFolder: string;
  note: (line: string) => void;
}

/**
 * Opens the engine. `auto` is Node where Dawn finds a real GPU, else a browser, else Node with any adapter.
 * @throws UserError where the machine has neither
 */
export async function openEngine(options: OpenOptions): Promise<OpenEngine> {
  const { host, pageFolder, install, note } = options;
  if (!['auto', 'node', 'browser'].includes(host)) {
    throw new UserError(`--runtime must be one of browser, node, auto, not "${host}".`);
  }
  const dawn = host === 'auto' ? await probeDawn() : 'none';
  if (dawn === 'gpu' || host === 'node') return openNode();
  const driver = await loadDriver();
  const path = await (install && dawn === 'none' ? driver?.ensureChromium(note) : driver?.workingChromium());
  if (driver && path) return driver.openBrowser(pageFolder, path);
  if (dawn === 'software') return openNode();
  throw new UserError(
    driver
      ? 'No Chromium was found, and Dawn finds no Vulkan driver in Node: install one of them (Debian: `apt-get install ' +
          'chromium`; anywhere: `npx playwright-core install chromium`), or set CHROMIUM to its path.'
      : 'The package playwright-core, which drives a browser, is not there: npm install playwright-core.',
  );
}

async function openNode(): Promise<OpenEngine> {
  return { api: await createNodeEngine(), close: async () => {} };
}

/** What drives a browser; undefined where Playwright is not installed, as in a project that uses the library alone. */
async function loadDriver() {
  try {
    return { ...(await import('./browsers')), ...(await import('./browser')) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}
