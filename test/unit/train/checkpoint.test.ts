import { afterEach, describe, expect, test, vi } from 'vitest';
import { readSafetensors, writeSafetensors } from '../../../src/io/safetensors';
import { Session } from '../../../src/runtime/session';
import { decodeCheckpoint, encodeCheckpoint, type TrainingState } from '../../../src/train/checkpoint';
import type { Control, Observer } from '../../../src/train/observer';
import { extendedSchedule, learningRate, scheduleOf } from '../../../src/train/schedule';
import type { RunSettings } from '../../../src/train/settings';
import { Trainer } from '../../../src/train/trainer';
import { runSettings } from '../../settings';
import { type FakeGpu, fakeGpu } from '../fake-gpu';
import { type Behaviour, fakeNetwork, tinyTraining } from '../fake-network';

afterEach(() => void vi.restoreAllMocks());

/** Runs a trainer where each step takes 150 ms; every checkpoint goes through its file. */
async function run(
  settings: Partial<RunSettings>,
  {
    from,
    control = { cancelled: false },
    onStep = () => {},
  }: { from?: TrainingState; control?: Control; onStep?: (step: number, gpu: FakeGpu) => void } = {},
) {
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const metrics: Behaviour['metrics'] = ({ program, step, rows, parameter }) => {
    if (program === 'accumulate') return [rows * 3, rows];
    if (program === 'train') {
      now += 150;
      onStep(step, gpu);
      return [rows * (3 + Math.sin(parameter)), rows - (step % 2)];
    }
    return [rows * 2, evaluations++ % 3];
  };
  let evaluations = from?.evals.length ?? 0;
  const { compute, batches } = fakeNetwork({ metrics });
  // the factors of parameter groups, as they were written last
  const tables = new Map<string, unknown>();
  const { write } = Session.prototype;
  vi.spyOn(Session.prototype, 'write').mockImplementation(function (this: Session<string>, ...args) {
    if (/group/.test(args[0])) tables.set(args[0], args[1]);
    return write.apply(this, args);
  });
  const gpu = fakeGpu(compute);
  const states: TrainingState[] = [];
  const observer: Observer = {
    steps() {},
    evaluated() {},
    warning() {},
    async checkpoint(state) {
      const { state: read, record } = await decodeCheckpoint(
        await encodeCheckpoint(state, { of: 'us' }),
        'c',
      );
      expect(record).toEqual({ of: 'us' });
      states.push(read);
    },
  };
  const trainer = await Trainer.create(gpu, tinyTraining(settings), observer, from);
  await trainer.run(control);
  const { best, last, ...rest } = trainer.outcome();
  const numbers = (kept: typeof best) =>
    kept !== 'base' && { point: kept.point, ...Object.fromEntries(kept.snapshot.buffers) };
  vi.mocked(Session.prototype.write).mockRestore();
  return { states, batches, tables, outcome: { ...rest, best: numbers(best), last: numbers(last) } };
}

const OFTEN = { checkpointMinutes: 0.001 };

describe('a run that goes on', () => {
  test.each([
    ['SGD', {}, []],
    ['AdamW', { optimizer: 'adamw' as const }, ['second moment']],
    ['averages', { ema: 0.9 }, ['average parameters', 'average state']],
    ['a head that trains alone first', { headEpochs: 1 }, []],
    ['a head that trains alone to the end', { headEpochs: 3 }, []],
    ['patience', { patience: 2, epochs: 9 }, []],
    ['rounds of refocusing', { method: 'refocus', rounds: 3 } as const, []],
    ['preconditioned gradients', { method: 'precondition' } as const, []],
    [
      'branches',
      { method: 'branches', branches: 'dbb', ema: 0.9 } as const,
      ['average parameters', 'average state'],
    ],
    ['micro-batches in several passes', { microBatch: 2, repeats: 2, balance: 'sampler' as const }, []],
  ])('takes the steps of the whole one, with %s', async (_, change, more) => {
    const settings = { ...OFTEN, ...change };
    const whole = await run(settings);
    expect(whole.tables.size > 0).toBe('headEpochs' in change);
    // within epochs too: after the first step, and a while after that
    expect(whole.states.filter(({ step }) => step % 6 > 0).length).toBeGreaterThan(2);
    expect(whole.states.at(-1)?.step).toBe(whole.outcome.steps);
    for (const state of whole.states) {
      expect([...state.now.keys()]).toEqual(['parameters', 'state', 'momentum', ...more]);
      const rest = await run(settings, { from: state });
      // where the whole run trains one part
      if (whole.states.at(-1)?.phase.start === 0) expect(rest.tables).toEqual(whole.tables);
      const end = rest.states.at(-1) ?? state;
      expect({ ...end, stepTimes: [] }).toEqual({ ...whole.states.at(-1), stepTimes: [] });
      expect(rest.batches).toEqual(whole.batches.slice(whole.batches.length - rest.batches.length));
      expect(rest.batches.filter(({ program }) => program === 'train')).toHaveLength(
        whole.outcome.steps - state.step,
      );
      expect({ ...rest.outcome, stepMs: 0 }).toEqual({ ...whole.outcome, stepMs: 0 });
    }
  });

  test('is kept where it is stopped, before the evaluation that a whole one does not make', async () => {
    const whole = await run({});
    const control = { cancelled: false };
    const onStep = (step: number) => {
      if (step === 8) control.cancelled = true;
    };
    const stopped = await run({}, { control, onStep });
    expect(stopped.outcome).toMatchObject({ ended: 'stopped', steps: 9 });
    const state = stopped.states.at(-1)!;
    expect(state).toMatchObject({ step: 9, evals: [{ step: 6 }] });
    const rest = await run({}, { from: state });
    expect({ ...rest.outcome, stepMs: 0 }).toEqual({ ...whole.outcome, stepMs: 0 });
  });

  test('makes no checkpoint where the setting says none', async () => {
    expect((await run({ checkpointMinutes: 0 })).states).toEqual([]);
  });

  test('that is stopped before its first step has come to nothing new', async () => {
    const { states } = await run(OFTEN);
    const within = states.find(({ step }) => step % 6 > 0);
    await expect(run({}, { from: within, control: { cancelled: true } })).rejects.toThrow('Stopped');
  });
});

describe('the file of a checkpoint', () => {
  const file = async () => {
    const { states } = await run({ epochs: 1 });
    return encodeCheckpoint(states.at(-1)!, { of: 'us' }, { step: '6' });
  };

  test('holds what several networks share once', async () => {
    const { tensors, metadata } = readSafetensors(await file(), 'c');
    expect([...tensors.keys()].sort()).toEqual(['now.momentum', 'now.parameters', 'now.state', 'progress']);
    expect(metadata.get('step')).toBe('6');
  });

  test('keeps the sign of zero', async () => {
    const { states } = await run({ epochs: 1 });
    const state = states.at(-1)!;
    const zeros = (value: number) => new Map([['parameters', Float32Array.of(value, 0)]]);
    const best = { point: state.evals[0], arenas: zeros(-0) };
    const read = await decodeCheckpoint(await encodeCheckpoint({ ...state, now: zeros(0), best }, {}), 'c');
    expect(Object.is(read.state.best?.arenas.get('parameters')?.[0], -0)).toBe(true);
  });

  test('is refused wherever it is torn or changed', async () => {
    const bytes = await file();
    for (let length = 0; length < bytes.length; length += 97)
      await expect(decodeCheckpoint(bytes.slice(0, length), 'run/c')).rejects.toThrow(/^run\/c /);
    for (let at = 0; at < bytes.length; at += 53) {
      const changed = bytes.slice();
      changed[at] ^= 4;
      const read = await decodeCheckpoint(changed, 'run/c').catch((error: Error) => error.message);
      // a label may have changed: it is for who looks, and no part of the run
      if (typeof read === 'string') expect(read).toMatch(/^run\/c /);
      else expect(read.state).toEqual((await decodeCheckpoint(bytes, 'c')).state);
    }
  });

  test('is refused by a version that does not know its format', async () => {
    const { tensors } = readSafetensors(await file(), 'c');
    const text = new TextDecoder().decode(tensors.get('progress')!.data as Uint8Array);
    expect(text).toContain('"format":1,');
    await expect(
      decodeCheckpoint(await resealed(tensors, text.replace('"format":1,', '"format":9,')), 'c'),
    ).rejects.toThrow('c is a checkpoint of format 9, this version of Refocus reads 1');
    await expect(
      decodeCheckpoint(await resealed(tensors, text.replace('"step":6', '"step":-1')), 'c'),
    ).rejects.toThrow('c is no checkpoint of a run (step).');
  });

  test('is no file of weights', async () => {
    const weights = writeSafetensors(new Map([['w', { shape: [1], data: Float32Array.of(1) }]]));
    await expect(decodeCheckpoint(weights, 'w.safetensors')).rejects.toThrow(
      'w.safetensors is no checkpoint of a run.',
    );
  });
});

/** The file with another text in it and the right checksum, computed here. */
async function resealed(tensors: ReturnType<typeof readSafetensors>['tensors'], text: string) {
  const { createHash } = await import('node:crypto');
  const hash = (data: Uint8Array | string) => createHash('sha256').update(data).digest('hex');
  const data = new TextEncoder().encode(text);
  const changed = new Map([...tensors, ['progress', { dtype: 'U8' as const, shape: [data.length], data }]]);
  const lines = [...changed].map(
    ([name, { data }]) => `${hash(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))}  ${name}\n`,
  );
  return writeSafetensors(changed, new Map([['sha256', hash(lines.sort().join(''))]]));
}

describe('the schedule of a run that becomes longer', () => {
  const settings = runSettings({ lr: 1, schedule: 'cosine', epochs: 8, headEpochs: 0, warmupEpochs: 1 });

  test('is that of a run which was to be so long, or starts afresh over what is left', () => {
    const stretched = extendedSchedule(settings, 10, { step: 40, how: 'stretch' });
    const restarted = extendedSchedule(settings, 10, { step: 40, how: 'restart' });
    const whole = scheduleOf(settings, 10);
    const half = scheduleOf({ ...settings, epochs: 4, warmupEpochs: 0 }, 10);
    for (let step = 40; step < 80; step++) {
      expect(learningRate(stretched, step)).toBe(learningRate(whole, step));
      expect(learningRate(restarted, step)).toBe(learningRate(half, step - 40));
    }
    expect(learningRate(restarted, 40)).toBe(1);
  });

  test('lets the head train alone as long as it was to', () => {
    const head = { ...settings, headEpochs: 2 };
    expect(extendedSchedule(head, 10, { step: 20, how: 'restart' })).toEqual(scheduleOf(head, 10));
  });
});
