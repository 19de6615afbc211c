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

/** A vitest project; its tests are counted one by one. */
async function suite(project) {
  console.log(`\n== ${project}`);
  const report = join(folder, `${project}.json`);
  const args = ['vitest', 'run', '--project', project, '--reporter=default', '--reporter=json'];
  const code = await run('npx', [...args, `--outputFile.json=${report}`]);
  if (!existsSync(report)) return fail(`${project}: vitest ended with ${code} and no report`);
  const result = JSON.parse(await readFile(report, 'utf8'));
  counts.passed += result.numPassedTests;
  for (const file of result.testResults) {
    const bad = file.assertionResults.filter(({ status }) => status !== 'passed');
    for (const test of bad) fail(`${project}: ${test.fullName} (${test.status})`);
    if (bad.length === 0 && file.status === 'failed') fail(`${project}: ${file.name}`);
  }
  if (result.numTotalTests === 0) fail(`${project}: no test ran`);
  if (code !== 0 && !failures.some((what) => what.startsWith(`${project}:`)))
    fail(`${project}: vitest ended with ${code}`);
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
await suite('gpu');
await command('shaders and golden cases in Firefox', 'node', ['test/firefox.mjs']);
await suite('e2e');
await rm(folder, { recursive: true, force: true });

if (failures.length > 0) console.error(`\nFailed:\n${failures.map((what) => `  ${what}`).join('\n')}`);
console.log(`\n${counts.passed} passed, ${counts.failed} failed`);
process.exit(counts.failed === 0 ? 0 : 1);
