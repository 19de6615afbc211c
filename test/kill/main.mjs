/**
 * Kills runs of the command line (SIGKILL) at random moments and while a checkpoint is being written, goes on with `--resume`,
 * and compares what comes out with an uninterrupted run, byte for byte.
 *
 *     node test/kill/main.mjs [--kills 20] [--seed 1] [-- further options of train]
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, watch } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const { values, positionals } = parseArgs({
  options: { kills: { type: 'string', default: '20' }, seed: { type: 'string', default: '1' } },
  allowPositionals: true,
});
const small = [
  '--limit',
  '40',
  '--batch',
  '8',
  '--epochs',
  '4',
  '--repeats',
  '1',
  '--seed',
  '3',
  '--checkpoint-minutes',
  '0.005',
];
const options = [...small, ...positionals];

/** Numbers below 1 that a seed gives. */
let state = Number(values.seed) >>> 0;
function random() {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}

/**
 * Runs a command; `kill` gets what ends the process at once.
 * @returns {Promise<{ code: number | null, stderr: string }>} code null: it was killed
 */
function refocus(args, kill = () => {}) {
  const child = spawn(process.execPath, [join(root, 'src/cli/bin.mjs'), ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  let isTold = false;
  child.stderr.on('data', (text) => {
    stderr += text;
    // until then there is nothing to lose
    if (isTold || !/training images|Reading images/.test(stderr)) return;
    isTold = true;
    kill(() => child.kill('SIGKILL'));
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stderr })));
}

const folder = await mkdtemp(join(tmpdir(), 'refocus-kill-'));
const whole = join(folder, 'whole');
const torn = join(folder, 'torn');
const trained = performance.now();
const { code, stderr } = await refocus(['train', '--runtime', 'node', ...options, '--out', whole]);
if (code !== 0) throw new Error(stderr);
const seconds = (performance.now() - trained) / 1000;
console.log(`The uninterrupted run took ${seconds.toFixed(1)} s.`);

const FILES = ['merged.safetensors', 'best.safetensors', 'predictions.csv', 'labels.txt'];
let kills = 0;
let inWrites = 0;
let compared = 0;
let fallbacks = 0;
while (kills < Number(values.kills)) {
  rmSync(torn, { recursive: true, force: true });
  let args = ['train', '--runtime', 'node', ...options, '--out', torn];
  for (;;) {
    const isInWrite = random() < 0.5;
    const delay = random() * seconds * 400;
    const skip = Math.floor(random() * 4);
    const ended = await refocus(args, (kill) => {
      if (kills >= Number(values.kills)) return;
      if (isInWrite) killInWrite(kill, skip);
      else setTimeout(kill, delay);
    });
    if (/damaged|not a valid/.test(ended.stderr)) fallbacks++;
    if (ended.code === 0) break;
    if (ended.code !== null) throw new Error(ended.stderr);
    kills++;
    if (isInWrite) inWrites++;
    const from = /goes on from step (\d+)/.exec(ended.stderr)?.[1] ?? 'the start';
    console.log(
      `kill ${kills}${isInWrite ? ', while a checkpoint was written' : ''}: that one had gone on from ${from}`,
    );
    if (existsSync(join(torn, 'config.json'))) args = ['train', '--runtime', 'node', '--resume', torn];
  }
  for (const name of FILES) {
    const same = readFileSync(join(whole, name)).equals(readFileSync(join(torn, name)));
    if (!same) throw new Error(`${name} differs: ${join(torn, name)}`);
  }
  const metrics = (of) => readFileSync(join(of, 'metrics.jsonl'), 'utf8');
  if (metrics(whole) !== metrics(torn)) throw new Error(`metrics.jsonl differs: ${torn}`);
  compared++;
}
console.log(
  `${kills} kills, ${inWrites} of them while a checkpoint was written; ${fallbacks} torn files met; ${compared} runs came to the same bytes.`,
);
await rm(folder, { recursive: true });

/** Ends the process as soon as the file beside a checkpoint changes, the `skip` first times left out. */
function killInWrite(kill, skip) {
  let left = skip;
  const watcher = watch(torn, (_, name) => {
    if (!name?.endsWith('.safetensors.part') || left-- > 0) return;
    watcher.close();
    kill();
  });
  watcher.unref();
}
