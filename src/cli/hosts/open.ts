/** Chooses where the engine runs: Node through Dawn, or headless Chromium. */
import { UserError } from '../../errors';
import { type AdapterKind, createNodeEngine, probeDawn } from '../../node';
import type { HostOptions, OpenEngine } from '../command';
import { type AdapterChoice, adapterChoice } from './adapter';

export interface OpenOptions extends HostOptions {
  pageFolder: string;
  note: (line: string) => void;
}

/**
 * Opens the engine. `auto` is Node where Dawn finds an adapter that is wanted, else a browser.
 * @throws UserError where the machine has neither
 */
export async function openEngine(options: OpenOptions): Promise<OpenEngine> {
  const { host, pageFolder, install, note } = options;
  if (!['auto', 'node', 'browser'].includes(host)) {
    throw new UserError(`--runtime must be one of browser, node, auto, not "${host}".`);
  }
  const isNode = async () => host !== 'browser' && suits(await probeDawn(), adapterChoice());
  if (host === 'node' || (await isNode())) return openNode();
  const driver = await loadDriver();
  const path = await (install ? driver?.ensureChromium(note) : driver?.workingChromium());
  // Debian's Chromium, if it was installed just now, came with a driver for Dawn
  if (install && (await isNode())) return openNode();
  if (driver && path) return driver.openBrowser(pageFolder, path);
  const missing =
    adapterChoice() === 'gpu'
      ? 'Dawn finds no GPU in Node (REFOCUS_ADAPTER asks for one)'
      : 'Dawn finds no Vulkan driver in Node';
  throw new UserError(
    driver
      ? `${missing}, and no Chromium was found: install one of them (Debian: \`apt-get install chromium\`; ` +
          'anywhere: `npx playwright-core install chromium`), or set CHROMIUM to its path.'
      : 'The package playwright-core, which drives a browser, is not there: npm install playwright-core.',
  );
}

/** Whether the engine runs in Node: without a page to build and a browser beside it, which a software adapter feels. */
export function suits(dawn: AdapterKind, wanted: AdapterChoice): boolean {
  return dawn === 'gpu' || (dawn === 'software' && wanted !== 'gpu');
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
