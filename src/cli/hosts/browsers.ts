/** Finds the browsers that headless runs and tests need, and brings them where there are none. */
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { chromium } from 'playwright-core';
import { UserError } from '../../errors';
import { chromiumCandidates } from './chromium';
import { type Machine, thisMachine } from './machine';

type Note = (line: string) => void;

const DOWNLOAD_HOST = 'https://cdn.playwright.dev/';

/**
 * Path of the first Chromium that is there and starts; undefined where there is none.
 * @throws UserError where CHROMIUM names one that does not start
 */
export async function workingChromium(machine: Machine = thisMachine): Promise<string | undefined> {
  const found = await firstThatStarts(chromiumCandidates(machine.env), machine);
  if (!found && machine.env.CHROMIUM) throw badVariable('CHROMIUM', machine);
  return found;
}

/**
 * Path of a Chromium: one that is there, else Playwright's, else Debian's where we may install.
 * @throws UserError that says what to install
 */
export async function ensureChromium(note: Note, machine: Machine = thisMachine): Promise<string> {
  const found = await workingChromium(machine);
  if (found) return found;
  const downloaded = await downloadChromium(note, machine);
  if (downloaded) return downloaded;
  if (await installDebian(['chromium'], note, machine)) {
    const installed = await workingChromium(machine);
    if (installed) return installed;
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
export async function ensureFirefox(note: Note, machine: Machine = thisMachine): Promise<string> {
  const find = () => firstThatStarts(firefoxCandidates(machine.env), machine);
  const found = await find();
  if (!found && machine.env.FIREFOX) throw badVariable('FIREFOX', machine);
  if (found && (await machine.hasVulkan())) return found;
  if (await installDebian(['firefox-esr', 'mesa-vulkan-drivers'], note, machine)) {
    const installed = await find();
    if (installed) return installed;
  }
  // another driver may be elsewhere: Firefox itself will tell
  if (found) return found;
  throw new UserError(
    'No Firefox was found: install one (Debian: `apt-get install firefox-esr mesa-vulkan-drivers`), or set FIREFOX to its path.',
  );
}

const badVariable = (name: 'CHROMIUM' | 'FIREFOX', { env }: Machine): UserError =>
  new UserError(`${env[name]} (${name}) does not start; name another browser or unset ${name}.`);

/** Firefoxes that may be there, best first: the one that FIREFOX names, the system's. */
function firefoxCandidates(env: Machine['env']): string[] {
  if (env.FIREFOX) return [env.FIREFOX];
  const folders = (env.PATH ?? '').split(delimiter).filter(Boolean);
  const onPath = ['firefox', 'firefox-esr'].flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...onPath, '/Applications/Firefox.app/Contents/MacOS/firefox'];
}

/** One without its libraries is there, and does not start: the next may. */
async function firstThatStarts(candidates: string[], machine: Machine): Promise<string | undefined> {
  for (const path of candidates) if (machine.exists(path) && (await starts(path, machine))) return path;
  return undefined;
}

const starts = async (path: string, machine: Machine): Promise<boolean> =>
  (await machine.run(path, ['--version'], 60_000)) === undefined;

async function downloadChromium(note: Note, machine: Machine): Promise<string | undefined> {
  // Playwright itself retries for minutes where the host cannot be reached.
  if (!(await machine.reaches(machine.env.PLAYWRIGHT_DOWNLOAD_HOST ?? DOWNLOAD_HOST))) return undefined;
  note("Downloading Playwright's Chromium");
  const cli = join(dirname(createRequire(import.meta.url).resolve('playwright-core/package.json')), 'cli.js');
  const problem = await machine.run(process.execPath, [cli, 'install', '--no-shell', 'chromium'], 300_000);
  if (problem) note(`The download failed: ${problem}`);
  const path = chromium.executablePath();
  if (!machine.exists(path)) return undefined;
  const obstacle = await machine.run(path, ['--version'], 60_000);
  if (obstacle) note(`Playwright's Chromium does not start: ${obstacle}`);
  return obstacle ? undefined : path;
}

async function installDebian(packages: string[], note: Note, machine: Machine): Promise<boolean> {
  if (!machine.isRoot || (await machine.run('apt-get', ['--version'], 10_000))) return false;
  note(`Installing Debian's ${packages.join(' and ')}`);
  const steps: [args: string[], timeout: number][] = [
    [['update'], 300_000],
    [['install', '-y', '--no-install-recommends', ...packages], 900_000],
  ];
  let problem: string | undefined;
  for (const [args, timeout] of steps) {
    // another apt-get may be at work; an update that fails may still leave lists that do
    problem = await machine.run('apt-get', ['-o', 'DPkg::Lock::Timeout=120', ...args], timeout);
    if (problem) note(`apt-get ${args[0]} failed: ${problem}`);
  }
  return problem === undefined;
}
