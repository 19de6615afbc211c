/** Finds the browsers that headless runs and tests need, and brings them where there are none. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { UserError } from '../errors';
import { findChromium } from './chromium';

const runFile = promisify(execFile);

type Note = (line: string) => void;

const DOWNLOAD_HOST = 'https://cdn.playwright.dev/';

/**
 * Path of a Chromium: one that is there, else Playwright's, else Debian's where we may install.
 * @throws UserError that says what to install
 */
export async function ensureChromium(note: Note): Promise<string> {
  const found = findChromium();
  if (found && (await starts(found))) return found;
  if (process.env.CHROMIUM)
    throw new UserError(`${process.env.CHROMIUM} (CHROMIUM) does not start; name another one.`);
  if (await installPlaywrightChromium(note)) return chromium.executablePath();
  if (await installDebian(['chromium'], note)) {
    const installed = findChromium();
    if (installed && (await starts(installed))) return installed;
  }
  throw new UserError(
    'No Chromium was found: install one (Debian: `apt-get install chromium`), or run ' +
      '`npx playwright-core install --with-deps chromium`, or set CHROMIUM to its path.',
  );
}

/**
 * Path of a Firefox with a Vulkan driver for its WebGPU; Debian's where we may install.
 * @throws UserError that says what to install
 */
export async function ensureFirefox(note: Note): Promise<string> {
  const find = async () => {
    for (const path of firefoxCandidates()) if (await starts(path)) return path;
    return undefined;
  };
  const found = await find();
  if (found && (await hasVulkan())) return found;
  if (await installDebian(['firefox-esr', 'mesa-vulkan-drivers'], note)) {
    const installed = await find();
    if (installed) return installed;
  }
  // another driver may be elsewhere: Firefox itself will tell
  if (found) return found;
  throw new UserError(
    'No Firefox was found: install one (Debian: `apt-get install firefox-esr mesa-vulkan-drivers`), or set FIREFOX to its path.',
  );
}

/** Firefoxes that may be there, best first: the one that FIREFOX names, the system's. */
function firefoxCandidates(): string[] {
  if (process.env.FIREFOX) return [process.env.FIREFOX];
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  const onPath = ['firefox', 'firefox-esr'].flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...onPath, '/Applications/Firefox.app/Contents/MacOS/firefox'].filter((path) => existsSync(path));
}

/** Whether a Vulkan driver is registered, which Firefox needs on Linux. */
async function hasVulkan(): Promise<boolean> {
  if (process.platform !== 'linux' || process.env.VK_ICD_FILENAMES || process.env.VK_DRIVER_FILES)
    return true;
  const folders = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d'];
  const drivers = await Promise.all(folders.map((folder) => readdir(folder).catch(() => [])));
  return drivers.flat().length > 0;
}

/** True where the program runs at all; one without its libraries does not. */
async function starts(program: string): Promise<boolean> {
  return succeeds(program, ['--version'], 60_000);
}

async function succeeds(program: string, args: string[], timeout: number): Promise<boolean> {
  try {
    await runFile(program, args, { timeout, maxBuffer: 2 ** 26 });
    return true;
  } catch {
    return false;
  }
}

async function installPlaywrightChromium(note: Note): Promise<boolean> {
  try {
    // Playwright itself retries for minutes where the host cannot be reached.
    await fetch(DOWNLOAD_HOST, { method: 'HEAD', signal: AbortSignal.timeout(5000) });
  } catch {
    return false;
  }
  note("Downloading Playwright's Chromium");
  const cli = join(dirname(createRequire(import.meta.url).resolve('playwright-core/package.json')), 'cli.js');
  await succeeds(process.execPath, [cli, 'install', '--no-shell', 'chromium'], 300_000);
  return starts(chromium.executablePath());
}

async function installDebian(packages: string[], note: Note): Promise<boolean> {
  if (process.getuid?.() !== 0 || !(await succeeds('apt-get', ['--version'], 10_000))) return false;
  note(`Installing Debian's ${packages.join(' and ')}`);
  await succeeds('apt-get', ['update'], 300_000);
  return succeeds('apt-get', ['install', '-y', '--no-install-recommends', ...packages], 900_000);
}
