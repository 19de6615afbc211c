/**
 * All tests, as `npm test` runs them: finds or brings the browsers, then style and types, then every suite. A missing
 * browser or adapter and a skipped test count as failures. The last line is `N passed, N failed`.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runnerImport } from 'vite';

const folder = await mkdtemp(join(tmpdir(), 'refocus-test-'));
const counts = { passed: 0, failed: 0 };
const failures = [];

function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'inherit', env: process.env });
    child.on('error', () => resolve(127));
    child.on('close', (code) => resolve(code ?? 1));
  });
}

function fail(what) {
  counts.failed++;
  failures.push(what);
}

/** A step that passes or fails as a whole. */
async function check(name, action) {
  console.log(`\n== ${name}`);
  try {
    await action();
    counts.passed++;
  } catch (error) {
    console.error(error.message);
    fail(name);
  }
}

async function command(name, file, args) {
  await check(name, async () => {
    const code = await run(file, args);
    if (code !== 0) throw new Error(`${name} ended with ${code}`);
  });
}

/**
 * A vitest project; its tests are counted one by one.
 * @param parts its files are cut into so many, each with a browser of its own
 * @param lanes in which the parts run side by side; with more parts than lanes none waits long for another
 */
async function suite(project, { parts = 1, lanes = 1 } = {}) {
  console.log(`\n== ${project}`);
  let begun = 0;
  const lane = async () => {
    while (begun < parts) await shard(project, `${++begun}/${parts}`);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

async function shard(project, part) {
  const report = join(folder, `${project}-${part.replace('/', '-of-')}.json`);
  const args = ['vitest', 'run', '--project', project, '--shard', part];
  const code = await run('npx', [
    ...args,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]);
  const name = `${project}, part ${part}`;
  if (!existsSync(report)) return fail(`${name}: vitest ended with ${code} and no report`);
  const result = JSON.parse(await readFile(report, 'utf8'));
  counts.passed += result.numPassedTests;
  const bad = [];
  for (const file of result.testResults) {
    const tests = file.assertionResults.filter(({ status }) => status !== 'passed');
    bad.push(...tests.map(({ fullName, status }) => `${fullName} (${status})`));
    if (tests.length === 0 && file.status === 'failed') bad.push(file.name);
  }
  if (result.numTotalTests === 0) bad.push('no test ran');
  if (code !== 0 && bad.length === 0) bad.push(`vitest ended with ${code}`);
  for (const what of bad) fail(`${name}: ${what}`);
}

const { module: browsers } = await runnerImport('./src/cli/hosts/browsers.ts');
await check('Chromium', async () => {
  process.env.CHROMIUM = await browsers.ensureChromium(console.log);
  console.log(process.env.CHROMIUM);
});
await check('Firefox', async () => {
  process.env.FIREFOX = await browsers.ensureFirefox(console.log);
  console.log(process.env.FIREFOX);
});
await command('style and types', 'npm', ['run', '-s', 'check']);
await command('a tiny training run', 'npm', ['run', '-s', 'tiny', '--', '--', '--train']);
await suite('unit');
// most of its time is the compiling of shaders, which a browser does on one core
await suite('gpu', { parts: 6, lanes: 2 });
await command('shaders and golden cases in Firefox', 'node', ['test/firefox.mjs']);
await suite('e2e');
await rm(folder, { recursive: true, force: true });

if (failures.length > 0) console.error(`\nFailed:\n${failures.map((what) => `  ${what}`).join('\n')}`);
console.log(`\n${counts.passed} passed, ${counts.failed} failed`);
process.exit(counts.failed === 0 ? 0 : 1);
