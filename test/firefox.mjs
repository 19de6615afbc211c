/**
 * Compiles every shader with Firefox's compiler (naga) and runs every golden case in it. Prints a line a check; ends
 * with 1 where one fails, or where Firefox gives no adapter. FIREFOX is the browser's path.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, preview, runnerImport } from 'vite';

const CHECK_TIMEOUT = 120_000;

const folder = await mkdtemp(join(tmpdir(), 'refocus-firefox-'));
const root = join(import.meta.dirname, 'firefox');
const options = { configFile: false, root, logLevel: 'warn', build: { outDir: join(folder, 'page') } };

const { module: firefox } = await runnerImport(join(root, 'launch.ts'));

async function checkAll(page) {
  console.log(`adapter: ${await page.evaluate(() => window.checks.adapter())}`);
  const names = await page.evaluate(() => window.checks.names());
  let failed = 0;
  for (const name of names) {
    const start = performance.now();
    const fault = await page.evaluate((name) => window.checks.run(name), name);
    if (fault) failed++;
    console.log(`${fault ? 'FAIL' : 'ok  '} ${name} (${Math.round(performance.now() - start)} ms) ${fault}`);
  }
  console.log(`${names.length - failed} of ${names.length} checks passed in Firefox`);
  return names.length > 0 && failed === 0;
}

let passed = false;
let server;
let browser;
try {
  await build({ ...options, build: { ...options.build, target: 'es2023', emptyOutDir: true } });
  server = await preview({ ...options, preview: { host: '127.0.0.1', port: 0 } });
  browser = await firefox.launchFirefox(folder, CHECK_TIMEOUT);
  const page = await browser.newPage();
  page.on('console', (message) => console.log(`console: ${message.text()}`));
  page.on('pageerror', (error) => console.log(`page: ${error.message}`));
  await page.goto(`http://localhost:${server.httpServer.address().port}/`);
  await page.waitForFunction(() => window.checks);
  passed = await checkAll(page);
} catch (error) {
  console.error(error.message);
} finally {
  await browser?.close();
  await server?.close();
  await rm(folder, { recursive: true, force: true });
}
process.exit(passed ? 0 : 1);
