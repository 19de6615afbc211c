/**
 * Tests the tests: changes lines of the sources one at a time, in a copy, and sees whether a unit test notices.
 * `npm run mutate -- --seed 7 --count 40 --files src/io,src/train/schedule.ts`. Mutants that the compiler refuses are
 * replaced by others. A mutant survives where no test of the project `unit`, so without a GPU, fails.
 */
import { execFileSync, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { apply, draw, picker } from './mutants.mjs';

/** Seconds of a processor's time that a file of tests may take: a mutant that never ends is caught by it. */
const LIMIT_S = 60;

const ROOMS = 'src/train,src/run,src/model,src/data,src/io';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '40' },
    files: { type: 'string', default: ROOMS },
  },
});
const count = Number(values.count);

const git = (...args) => execFileSync('git', args, { encoding: 'utf8' }).split('\n').filter(Boolean);

/** A copy of the working tree, what is not committed included. */
async function copyOfTree() {
  const folder = await mkdtemp(join(tmpdir(), 'refocus-mutate-'));
  for (const file of new Set(git('ls-files', '--cached', '--others', '--exclude-standard'))) {
    if (file === 'node_modules') continue;
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await cp(file, join(folder, file)).catch((error) => {
      // deleted, but not yet in a commit
      if (error.code !== 'ENOENT') throw error;
    });
  }
  await symlink(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** Runs the tests that a file has a part in (all without one), until the first that fails. */
function runTests(cwd, file = '') {
  const args = [
    '-c',
    `ulimit -t ${LIMIT_S}; exec "$0" "$@"`,
    process.execPath,
    'test/mutate/related.mjs',
    file,
  ];
  const child = spawn('sh', args, { cwd, stdio: ['ignore', 'ignore', 'ignore', 'ipc'], detached: true });
  const ended = new Promise((resolve) => {
    let answer;
    child.on('message', (message) => {
      answer ??= message;
    });
    child.on('exit', (code) => resolve(answer ?? { failure: `the test runner ended with ${code}` }));
  });
  // its workers are in a process group of their own
  const stop = () =>
    child.exitCode === null && child.signalCode === null && process.kill(-child.pid, 'SIGKILL');
  return { ended, stop };
}

const compiles = (cwd) =>
  new Promise((resolve) => {
    spawn('npx', ['tsc', '--noEmit'], { cwd, stdio: 'ignore' }).on('close', (code) => resolve(code === 0));
  });

const short = (text, most) => {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > most ? `${line.slice(0, most - 3)}...` : line;
};

const paths = git('ls-files', ...values.files.split(',')).filter((file) => /\.tsx?$/.test(file));
const folder = await copyOfTree();
process.on('exit', () => execFileSync('rm', ['-rf', folder]));
process.on('SIGINT', () => process.exit(130));

const before = await runTests(folder).ended;
if (before.failure) {
  console.error(`The tests fail before anything is changed: ${before.failure}`);
  process.exit(2);
}
const sources = new Map();
for (const file of paths) sources.set(file, await readFile(join(folder, file), 'utf8'));

let tried = 0;
let caught = 0;
let refused = 0;
for (const mutant of draw(sources, picker(values.seed))) {
  if (tried === count) break;
  const { file, line, start, end, text } = mutant;
  const source = sources.get(file);
  await writeFile(join(folder, file), apply(source, mutant));
  const tests = runTests(folder, file);
  const [isValid, { failure }] = await Promise.all([
    compiles(folder).then((valid) => {
      if (!valid) tests.stop();
      return valid;
    }),
    tests.ended,
  ]);
  await writeFile(join(folder, file), source);
  if (!isValid) {
    refused++;
    continue;
  }
  tried++;
  if (failure) caught++;
  const change = `${short(source.slice(start, end), 32)} -> ${short(text, 32) || 'nothing'}`;
  const by = failure ? `caught by ${short(failure, 90)}` : 'SURVIVED';
  console.log(`${String(tried).padStart(3)}  ${`${file}:${line}`.padEnd(36)} ${change.padEnd(46)} ${by}`);
}
await rm(folder, { recursive: true, force: true });
console.log(
  `\nSeed ${values.seed}: ${caught} of ${tried} mutants caught; ${refused} more were refused by the compiler.`,
);
process.exitCode = caught >= 0.9 * tried ? 0 : 1;
