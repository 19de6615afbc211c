/** Chooses where the engine runs: Node through Dawn, or headless Chromium. */
import { UserError } from '../../errors';
import type { HostOptions, OpenEngine } from '../command';
import { openBrowser } from './browser';
import { ensureChromium, workingChromium } from './browsers';
import { openNode, probeNode } from './node';

export interface OpenOptions extends HostOptions {
  pageFolder: string;
  note: (line: string) => void;
}

/**
 * Opens the engine. `auto` is Node where Dawn finds a real GPU, else a browser, else Node with any adapter.
 * @throws UserError where the machine has neither
 */
export async function openEngine(options: OpenOptions): Promise<OpenEngine> {
  const { host, pageFolder, note } = options;
  if (!['auto', 'node', 'browser'].includes(host)) {
    throw new UserError(`--runtime must be one of browser, node, auto, not "${host}".`);
  }
  if (host === 'node') return openNode(pageFolder);
  if (host === 'browser') return openBrowser(pageFolder, await browserPath(options));
  const node = await probeNode();
  if (node === 'gpu') return openNode(pageFolder);
  const browser = options.install ? await ensureChromium(note) : await workingChromium();
  if (browser) return openBrowser(pageFolder, browser);
  if (node === 'software') return openNode(pageFolder);
  throw new UserError(
    'No WebGPU here: Node finds no Vulkan driver and there is no Chromium; install one (Debian: ' +
      '`apt-get install chromium`; anywhere: `npx playwright-core install chromium`) or a Vulkan driver.',
  );
}

async function browserPath({ install, note }: OpenOptions): Promise<string> {
  const found = install ? await ensureChromium(note) : await workingChromium();
  if (found) return found;
  throw new UserError(
    'No Chromium was found: install one (Debian: `apt-get install chromium`; anywhere: ' +
      '`npx playwright-core install chromium`) or set CHROMIUM to its path.',
  );
}
