/**
 * Runs a small experiment by the engine and by PyTorch, and tells how far apart they are. PyTorch is no dependency, so that this is
 * no test of `npm test`:
 *
 *     node test/recipe/check.mjs [--python python3] [--arms finetune,refocus] [--parts lacks,engine,processes,resume] [--out DIR] [options]
 *
 * lacks: without its images it ends with a sentence; engine: the losses of PyTorch's first steps against the engine's; processes: two of them (gloo) against one; resume: killed with
 * SIGKILL again and again against undisturbed, to the byte. Other options are those of `refocus export-recipe`. With the same DIR it goes
 * on where it was ended.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const DEFAULTS = { limit: 320, batch: 64, epochs: 4, lr: 0.002, augment: 'cifar', seeds: 1 };

const { own, rest } = readArgs(process.argv.slice(2));
const python = own.python ?? 'python3';
const out = own.out ?? mkdtempSync(join(tmpdir(), 'refocus-recipe-'));
const recipe = join(out, 'recipe');
const parts = (own.parts ?? 'lacks,engine,processes,resume').split(',');
const arms = own.arms ?? 'finetune,refocus,refocus-kaiming,joint,precondition';

const described = ['reviewers', '--arms', arms, '--no-lr-search', ...rest];
if (!existsSync(recipe)) refocus('export-recipe', ...described, '--out', recipe);
if (parts.includes('lacks')) {
  const images = join(recipe, 'train-images.npy');
  renameSync(images, `${images}.away`);
  const { stderr } = spawnSync(python, [join(recipe, 'train.py')], { encoding: 'utf8' });
  renameSync(`${images}.away`, images);
  const isTold = /^train\.py: .*train-images\.npy is missing/.test(stderr) && !stderr.includes('Traceback');
  console.log(`lacks: ${isTold ? 'told' : `NOT told: ${stderr}`}`);
}
const one = join(out, 'one');
call(python, [join(recipe, 'train.py'), '--device', 'cpu', '--out', one]);
if (parts.includes('engine')) {
  const engine = join(out, 'engine');
  const isBegun = existsSync(join(engine, 'experiment.json'));
  refocus('experiment', ...(isBegun ? [engine, '--resume'] : [...described, '--out', engine]));
  compare('engine', engine, one);
}
if (parts.includes('processes')) {
  const two = join(out, 'two');
  await together([join(recipe, 'train.py'), '--device', 'cpu', '--out', two]);
  compare('two processes', two, one);
}
if (parts.includes('resume')) {
  const killed = join(out, 'killed');
  const kills = await killAgainAndAgain([join(recipe, 'train.py'), '--device', 'cpu', '--out', killed]);
  const differing = runsOf(one).filter((run) => digest(killed, run) !== digest(one, run));
  console.log(`resume: killed ${kills} times, ${differing.length} of ${runsOf(one).length} runs differ`);
}
console.log(`Everything is in ${out}.`);

function readArgs(args) {
  const own = {};
  const given = {};
  for (let i = 0; i < args.length; i += 2) {
    const name = args[i].replace(/^--/, '');
    (['python', 'arms', 'parts', 'out'].includes(name) ? own : given)[name] = args[i + 1];
  }
  const rest = Object.entries({ ...DEFAULTS, ...given }).flatMap(([name, value]) => [
    `--${name}`,
    `${value}`,
  ]);
  return { own, rest };
}

function call(command, args) {
  const { status } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}`);
}

/** Two processes that know each other as torchrun's do. */
async function together(args) {
  const codes = [0, 1].map((rank) => {
    const own = { RANK: rank, LOCAL_RANK: rank, WORLD_SIZE: 2, MASTER_ADDR: '127.0.0.1', MASTER_PORT: 29517 };
    const child = spawn(python, args, {
      env: { ...process.env, ...own },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return new Promise((resolve) => child.once('exit', resolve));
  });
  if ((await Promise.all(codes)).some((code) => code !== 0)) throw new Error('one of two processes failed');
}

function refocus(...args) {
  call(process.execPath, [join(root, 'src', 'cli', 'bin.mjs'), ...args]);
}

function runsOf(folder) {
  return readdirSync(join(folder, 'runs'));
}

function lossesOf(folder, run) {
  const lines = readFileSync(join(folder, 'runs', run, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => JSON.parse(line)).filter((point) => point.eval === undefined);
}

function digest(folder, run) {
  const bytes = readFileSync(join(folder, 'runs', run, 'merged.safetensors'));
  return createHash('sha256').update(bytes).digest('hex');
}

/** Prints, for each run, how far its losses are from those of the other, relative, and the accuracies of both. */
function compare(name, folder, other) {
  for (const run of runsOf(folder)) {
    const [a, b] = [lossesOf(folder, run), lossesOf(other, run)];
    const errors = a.slice(0, 20).map((point, i) => Math.abs(point.loss - b[i].loss) / Math.abs(point.loss));
    const rates = a.slice(0, 20).map((point, i) => Math.abs(point.lr - b[i].lr) / point.lr);
    const [of, ofOther] = [folder, other].map((one) => {
      const { runs } = JSON.parse(readFileSync(join(one, 'results.json'), 'utf8'));
      return runs.find((result) => result.folder === `runs/${run}`).accuracy.last;
    });
    console.log(
      `${name}: ${run}: losses of ${errors.length} steps differ by ${Math.max(...errors).toExponential(1)} at most, ${errors[0].toExponential(1)} at first; rates by ${Math.max(...rates).toExponential(1)}; accuracy ${of} and ${ofOther}`,
    );
  }
}

/** Kills the script at other moments until it comes to its end. @returns how often */
async function killAgainAndAgain(args) {
  for (let kills = 0; ; kills++) {
    const child = spawn(python, [...args, '--checkpoint-minutes', '0.01'], { stdio: 'ignore' });
    const ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
    const code = await Promise.race([ended, sleep(4000 + 700 * (kills % 7)).then(() => undefined)]);
    if (code === 0) return kills;
    if (code !== undefined) throw new Error(`${args[0]} ended with ${code}`);
    child.kill('SIGKILL');
    await ended;
  }
}
