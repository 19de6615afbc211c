/** Where Chromium is and how it is started with WebGPU; the tests' configuration shares it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { AdapterChoice } from './adapter';

/** The page that hosts the engine, under the root of the sources and of what is built. */
export const HEADLESS_PAGE = 'src/cli/hosts/headless.html';

const programs = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge'];

const macPaths = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** Browsers that may be there, best first: the one that CHROMIUM names, Playwright's, the system's. */
export function chromiumCandidates(
  env: Readonly<Record<string, string | undefined>> = process.env,
): string[] {
  if (env.CHROMIUM) return [env.CHROMIUM];
  const folders = [...(env.PATH ?? '').split(':').filter(Boolean), '/usr/bin', '/snap/bin'];
  const onPath = programs.flatMap((program) => folders.map((folder) => join(folder, program)));
  return [chromium.executablePath(), ...onPath, ...macPaths].filter((path) => path !== '');
}

/** The first candidate that exists; `workingChromium` also sees whether it starts. */
export function findChromium(): string | undefined {
  return chromiumCandidates().find((path) => existsSync(path));
}

/** Chromium's switches; `software` draws with SwiftShader, which every Chromium carries. */
export function chromiumArgs(adapter: AdapterChoice): string[] {
  return [
    '--no-sandbox',
    '--enable-unsafe-webgpu',
    ...(adapter === 'software'
      ? ['--use-webgpu-adapter=swiftshader']
      : ['--enable-features=Vulkan', '--ignore-gpu-blocklist']),
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--no-first-run',
    '--disable-quic',
    // it takes a long compilation on a busy machine for a hang and kills the GPU's process
    '--disable-gpu-watchdog',
  ];
}
