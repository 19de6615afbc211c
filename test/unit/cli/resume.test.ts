import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { EngineApi, Report, TrainEvent, TrainJob } from '../../../src/api';
import { run } from '../../../src/cli/main';
import { Stopped, UserError } from '../../../src/errors';
import { fakeContext, fakeEngine, fakeReport } from './fake';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refocus-resume-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});
const out = () => join(folder, 'out');

const point = (step: number) => ({ step, epoch: step / 2, loss: 2, accuracy: 0.5, lr: 0.05 });
const checkpoint = (file: string, step: number): TrainEvent => ({
  type: 'checkpoint',
  file,
  step,
  bytes: Uint8Array.of(step, step),
});
const steps = (...numbers: number[]): TrainEvent => ({
  type: 'steps',
  points: numbers.map(point),
  imagesPerSecond: 1,
  etaSeconds: 1,
  stepMs: 1,
});

/** An engine that tells these events and ends so, or throws `failure` at the end. */
function engine(events: TrainEvent[], ended: Report['ended'] = 'finished', failure?: UserError) {
  const jobs: TrainJob[] = [];
  const fake = fakeEngine();
  const train: EngineApi['train'] = async (job, onEvent) => {
    jobs.push(job);
    for (const event of events) onEvent?.(event);
    if (failure) throw failure;
    return { ...(await fake.train(job)), report: { ...fakeReport(true), ended } };
  };
  return { jobs, api: { ...fake, train } };
}

async function train(args: string[], ...what: Parameters<typeof engine>) {
  const { jobs, api } = engine(...what);
  const context = fakeContext(api);
  const status = await run(['train', ...args], context);
  return { status, jobs, notes: context.stderr };
}

const BEGUN = [
  steps(1, 2),
  checkpoint('checkpoint.0.safetensors', 2),
  checkpoint('checkpoint.1.safetensors', 4),
];
const checkpoints = async () => (await readdir(out())).filter((name) => name.startsWith('checkpoint'));

describe('checkpoints in the folder', () => {
  test('of a run that is stopped stay, and it says how to go on', async () => {
    const { notes } = await train(['--out', out()], BEGUN, 'stopped');
    expect(notes.at(-1)).toBe(`To go on: refocus train --resume ${out()}`);
    // the first was still being written, or waited, when the second came
    expect(await checkpoints()).toContain('checkpoint.1.safetensors');
    expect([...(await readFile(join(out(), 'checkpoint.1.safetensors')))]).toEqual([4, 4]);
  });

  test('of a run that fails stay, and it says how to go on', async () => {
    const { status, notes } = await train(
      ['--out', out()],
      BEGUN,
      'finished',
      new UserError('The browser ended.'),
    );
    expect(status).toBe(2);
    expect(notes).toContain(`What was trained is kept: refocus train --resume ${out()}`);
    expect(await checkpoints()).toContain('checkpoint.1.safetensors');
  });

  test('of a run that is stopped before a step of its own stay, and that is its last word', async () => {
    const { status, notes } = await train(['--out', out()], BEGUN, 'stopped', new Stopped());
    expect(status).toBe(130);
    expect(notes.at(-1)).toBe(`Stopped. What was trained is kept: refocus train --resume ${out()}`);
    expect(notes.join(' ')).not.toContain('before anything was trained');
  });

  test('of a finished run are one, and it says what for', async () => {
    const { notes } = await train(['--out', out()], BEGUN);
    expect(await checkpoints()).toEqual(['checkpoint.1.safetensors']);
    expect(notes.at(-1)).toContain(
      `to train longer from: refocus train --resume ${out()} --epochs N --extend`,
    );
  });

  test('of an earlier run do not pass for another one’s', async () => {
    await train(['--out', out()], BEGUN, 'stopped');
    await train(['--out', out(), '--overwrite'], [steps(1)], 'stopped');
    expect(await checkpoints()).toEqual([]);
  });

  test('that cannot be written are told of, and the run goes on', async () => {
    const { status, notes } = await train(['--out', out()], [steps(1), checkpoint('no/such.safetensors', 7)]);
    expect(status).toBe(0);
    expect(notes).toContain('warning: the checkpoint of step 7 could not be written (ENOENT)');
  });
});

describe('train --resume', () => {
  const begin = (...args: string[]) =>
    train(['--out', out(), '--lr', '0.25', '--epochs', '4', ...args], BEGUN, 'stopped');

  test('has the job of the run, its paths from where it was begun, and the metrics of all its steps', async () => {
    const data = join(folder, 'a-images-idx3-ubyte');
    await writeFile(data, 'images');
    await begin('--data', relative(process.cwd(), data));
    vi.spyOn(process, 'cwd').mockReturnValue('/');
    const points = [1, 2, 3, 4].map(point);
    const evals = [2, 4].map((step) => ({ step, epoch: step / 2, loss: 1, accuracy: 0.25 }));
    const resumed: TrainEvent = {
      type: 'resumed',
      file: 'checkpoint.1.safetensors',
      step: 4,
      points,
      evals,
      stepTimes: [],
    };
    const { jobs, status, notes } = await train(['--resume', out()], [resumed, steps(5)]);
    expect(status).toBe(0);
    expect(jobs[0]).toMatchObject({
      settings: { lr: 0.25, epochs: 4 },
      train: { files: [{ path: 'a-images-idx3-ubyte' }] },
    });
    expect(jobs[0].resume?.extend).toBeUndefined();
    expect(jobs[0].resume?.checkpoints.map(({ path }) => path)).toContain('checkpoint.1.safetensors');
    expect(notes).toContain('The run goes on from step 4.');
    const lines = (await readFile(join(out(), 'metrics.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ step, eval: which }) => (which ? `${which} ${step}` : step))).toEqual([
      1,
      2,
      'epoch 2',
      3,
      4,
      'epoch 4',
      5,
    ]);
    // it came to no newer one
    expect(await checkpoints()).toEqual(['checkpoint.1.safetensors']);
  });

  test('refuses what would make another run of it', async () => {
    await begin();
    const { status, notes } = await train(['--resume', out(), '--batch', '1', '--out', 'x'], []);
    expect(status).toBe(2);
    expect(notes[0]).toMatch(/^--batch, --out cannot go with --resume: a run goes on as it was begun/);
  });

  test('of a run that diverged takes a lower rate, which it proposes', async () => {
    const { notes } = await train(['--out', out(), '--lr', '0.25'], BEGUN, 'diverged');
    expect(notes.at(-1)).toMatch(
      new RegExp(`^To go on from its last good epoch: refocus train --resume ${out()} --lr \\S+$`),
    );
    const { jobs } = await train(['--resume', out(), '--lr', '0.025'], [steps(3)], 'stopped');
    expect(jobs[0]).toMatchObject({ settings: { lr: 0.25 }, resume: { rate: 0.025 } });
    expect((await train(['--resume', out(), '--lr', 'auto'], [])).status).toBe(2);
  });

  test('is refused while another process trains into the folder', async () => {
    await begin();
    const lock = join(out(), 'run.lock');
    expect(existsSync(lock)).toBe(false);
    const refused = async (content: string) => {
      await writeFile(lock, content);
      const { status, jobs, notes } = await train(['--resume', out()], []);
      expect([status, jobs]).toEqual([2, []]);
      return notes.join();
    };
    expect(await refused(`${process.ppid} ${hostname()}\n`)).toContain(
      `Another process (${process.ppid}) is training into ${out()}`,
    );
    expect(await refused('12 elsewhere\n')).toContain('A process of elsewhere may be training');
    // of a process that was killed: no number is so high
    await writeFile(lock, `4194305 ${hostname()}\n`);
    expect((await train(['--resume', out()], [steps(3)], 'stopped')).status).toBe(130);
    expect(existsSync(lock)).toBe(false);
  });

  test('takes more epochs only with a word on the learning rate', async () => {
    await begin();
    const refused = async (...args: string[]) => {
      const { status, notes } = await train(['--resume', out(), ...args], []);
      expect(status).toBe(2);
      return notes[0];
    };
    expect(await refused('--epochs', '6')).toMatch(/^--epochs N \(above 4\) and --extend go together/);
    expect(await refused('--extend', 'restart')).toMatch(/^--epochs N \(above 4\) and --extend go together/);
    expect(await refused('--epochs', '3', '--extend', 'restart')).toBe(
      'The run has 4 epochs already: --epochs 3 must be above.',
    );
    expect(await refused('--epochs', '6', '--extend', 'on')).toBe(
      '--extend must be one of stretch, restart, not "on".',
    );
    expect((await train(['--extend', 'restart'], [])).notes[0]).toBe('--extend goes with --resume DIR.');
    const { jobs } = await train(
      ['--resume', out(), '--epochs', '6', '--extend', 'restart'],
      [steps(3)],
      'stopped',
    );
    expect(jobs[0]).toMatchObject({ settings: { epochs: 6 }, resume: { extend: 'restart' } });
    // killed before it has a checkpoint of its own, it is still that longer run
    const again = await train(['--resume', out()], [], 'stopped');
    expect(again.jobs[0]).toMatchObject({ settings: { epochs: 6 }, resume: { extend: 'restart' } });
  });

  test('of a finished run says so, and how to train longer', async () => {
    await train(['--out', out(), '--epochs', '4'], BEGUN);
    const { status, jobs, notes } = await train(['--resume', out()], []);
    expect(status).toBe(0);
    expect(jobs).toEqual([]);
    expect(notes[0]).toContain(`--resume ${out()} --epochs 5 --extend stretch`);
    const longer = await train(['--resume', out(), '--epochs', '5', '--extend', 'stretch'], [steps(9)]);
    expect(longer.jobs).toHaveLength(1);
  });

  test('begins again where there is no checkpoint yet, and never over results', async () => {
    await train(['--out', out()], [steps(1)], 'finished', new UserError('The browser ended.'));
    const { jobs, notes } = await train(['--resume', out()], [steps(1)]);
    expect(jobs[0].resume).toBeUndefined();
    expect(notes[0]).toBe(`${out()} has no checkpoint yet: the run begins again.`);
    const { status, notes: refusal } = await train(
      ['--resume', out(), '--epochs', '9', '--extend', 'stretch'],
      [],
    );
    expect(status).toBe(2);
    expect(refusal[0]).toMatch(/holds no checkpoint to go on from/);
    expect(existsSync(join(out(), 'merged.safetensors'))).toBe(true);
  });

  test('names what is not there any more', async () => {
    expect((await train(['--resume', folder], [])).notes[0]).toBe(
      `${folder} holds no run (no config.json): name the folder of one.`,
    );
    const data = join(folder, 'a-images-idx3-ubyte');
    await writeFile(data, 'images');
    await begin('--data', data);
    await rm(data);
    const { status, notes } = await train(['--resume', out()], []);
    expect(status).toBe(2);
    expect(notes[0]).toContain(`The run of ${out()} needs what it was begun with.`);
    expect(notes[0]).toContain(data);
  });
});
