/// <reference types="vitest/config" />
import { playwright } from '@vitest/browser-playwright';
import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { adapterChoice } from './src/cli/hosts/adapter.ts';
import { chromiumArgs, findChromium, HEADLESS_PAGE } from './src/cli/hosts/chromium.ts';
import { contentPolicy } from './tools/content-policy.ts';
import { plainShaders } from './tools/plain-shaders.ts';

/** The tests' browser; software unless REFOCUS_ADAPTER says `gpu`, so that runs agree between machines. */
const browser = {
  executablePath: findChromium(),
  args: chromiumArgs(adapterChoice() === 'gpu' ? 'gpu' : 'software'),
};

export default defineConfig(
  async ({ mode }): Promise<ViteUserConfig> => ({
    base: './',
    publicDir: mode === 'cli' ? false : 'public',
    plugins: [
      plainShaders(),
      contentPolicy(),
      mode === 'production' && (await import('./tools/offline.ts')).offline(),
    ],
    worker: { format: 'es', plugins: () => [plainShaders()] },
    optimizeDeps: { exclude: ['@jsquash/avif', '@jsquash/jpeg', '@jsquash/webp'] },
    build:
      mode === 'cli'
        ? { ssr: 'src/cli/main.ts', outDir: 'dist/cli', target: 'node20' }
        : {
            outDir: 'dist/page',
            target: 'es2023',
            rolldownOptions: { input: { index: 'index.html', headless: HEADLESS_PAGE } },
          },
    test: {
      projects: [
        {
          extends: true,
          test: {
            name: 'unit',
            include: ['test/unit/**/*.test.ts'],
            environment: 'node',
            // what runs them takes little itself
            maxWorkers: '100%',
            testTimeout: 60_000,
          },
        },
        {
          extends: true,
          test: {
            name: 'e2e',
            include: ['test/e2e/**/*.test.ts'],
            globalSetup: 'test/e2e/build.ts',
            environment: 'node',
            testTimeout: 240_000,
            hookTimeout: 120_000,
            // what a page shows comes when it comes: a slow machine takes more than the second of the default
            expect: { poll: { timeout: 60_000 } },
            // a machine that is short of memory may give a browser no frame for half a minute; the report names what was tried again
            retry: 1,
          },
        },
        {
          extends: true,
          test: {
            name: 'gpu',
            include: ['test/gpu/**/*.test.ts'],
            testTimeout: 120_000,
            hookTimeout: 120_000,
            fileParallelism: false,
            browser: {
              enabled: true,
              headless: true,
              screenshotFailures: false,
              provider: playwright({ launchOptions: browser }),
              instances: [{ browser: 'chromium' }],
            },
          },
        },
      ],
    },
  }),
);
