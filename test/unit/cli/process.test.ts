import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { expect, test } from 'vitest';

// one mistake that the arguments show, one that the file system shows: the sentence alone must reach the terminal
test.each([
  [['train', '--lr', 'NaN'], '--lr must be a number above 0 and at most 100, or auto, not "NaN".'],
  [['inspect', '/no/such/file.pth'], '/no/such/file.pth does not exist; check the path.'],
  [['inspect', 'red\u001b[31m\u009b2J'], 'red\uFFFD[31m\uFFFD2J does not exist; check the path.'],
])('refocus %j in a process: one sentence on stderr, exit 2', (argv, sentence) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['src/cli/bin.mjs', ...argv], {
    encoding: 'utf8',
  });
  expect(stdout).toBe('');
  // the first command after a change builds, and says so
  expect(stderr.replace(/^Building .*\n/, '')).toBe(`${sentence}\n`);
  expect(status).toBe(2);
});

test('what takes nothing, as a full disk, ends a command with 2 and a sentence', () => {
  const unwritable = openSync('package.json', 'r');
  const { status, stderr } = spawnSync(process.execPath, ['src/cli/bin.mjs', '--version'], {
    stdio: ['ignore', unwritable, 'pipe'],
    encoding: 'utf8',
  });
  closeSync(unwritable);
  expect(stderr).toContain('What was printed could not be written (EBADF).\n');
  expect(status).toBe(2);
});
