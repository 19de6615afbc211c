import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { UserFile } from '../../../src/data/types';
import { DeviceLost, UserError } from '../../../src/errors';
import { writeSafetensors } from '../../../src/io/safetensors';
import { initialState } from '../../../src/model/init';
import { checkpointAfter } from '../../../src/run/checkpoint-file';
import type { RunContext, TrainEvent, TrainJob } from '../../../src/run/job';
import { Memo } from '../../../src/run/memo';
import type { Resume } from '../../../src/run/resume';
import { runTraining } from '../../../src/run/run';
import { defaultSettings, type TrainSettings } from '../../../src/train/settings';
import { type FakeGpu, fakeGpu } from '../fake-gpu';
import { type Behaviour, fakeNetwork, tinyModel } from '../fake-network';

const SIDE = 8;

// where nothing takes time every epoch ends with a checkpoint
beforeEach(() => void vi.spyOn(performance, 'now').mockReturnValue(0));
afterEach(() => void vi.restoreAllMocks());

/** A pair of IDX files of `count` grey squares of three classes. */
function idx(count: number, { name = 'train', grey = 7919 } = {}): UserFile[] {
  const file = (path: string, header: number[], content: Uint8Array<ArrayBuffer>) => ({
    path,
    blob: new Blob([new Uint8Array(new Uint32Array(header).buffer).reverse(), content]),
  });
  const pixels = Uint8Array.from({ length: count * SIDE * SIDE }, (_, i) => (i * grey) % 251);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 3);
  return [
    file(`${name}-images-idx3-ubyte`, [SIDE, SIDE, count, 0x803], pixels),
    file(`${name}-labels-idx1-ubyte`, [count, 0x801], labels),
  ];
}

const weights = (seed: number): UserFile[] => [
  { path: 'net.safetensors', blob: new Blob([writeSafetensors(initialState(tinyModel, seed))]) },
];

const job = (settings: Partial<TrainSettings> = {}, more: Partial<TrainJob> = {}): TrainJob => ({
  model: { kind: 'model', model: tinyModel, files: weights(3) },
  train: { kind: 'files', files: [...idx(24), ...idx(6, { name: 't10k' })] },
  settings: {
    ...defaultSettings(),
    lr: 0.003,
    method: 'finetune',
    epochs: 3,
    repeats: 1,
    batch: 6,
    seed: 4,
    ...settings,
  },
  ...more,
});

/** Runs a job on fake devices, a new one once the last is lost; `lossAt`: steps at which one is lost. */
async function run(
  trainJob: TrainJob,
  {
    lossAt = [],
    behaviour = {},
    name = 'a fake GPU',
    devices = 9,
    cancelAt,
    nanAt,
  }: {
    lossAt?: number[];
    behaviour?: Behaviour;
    name?: string;
    devices?: number;
    cancelAt?: number;
    /** the step whose loss is no number */
    nanAt?: number;
  } = {},
) {
  const losses = [...lossAt];
  const gpus: FakeGpu[] = [];
  const control = { cancelled: false };
  const { compute, batches } = fakeNetwork({
    ...behaviour,
    metrics(batch) {
      if (batch.program === 'evaluate') return [batch.rows * 2, (batch.parameter || 3) % 2];
      if (batch.step === losses[0]) {
        losses.shift();
        gpus.at(-1)!.lose();
      }
      if (batch.step === cancelAt) control.cancelled = true;
      if (batch.step === nanAt) return [Number.NaN, 0];
      return [batch.rows * (1 + 1 / (batch.parameter + 20)), batch.step % 2];
    },
  });
  const events: TrainEvent[] = [];
  const context: RunContext = {
    gpu: async () => {
      if (!gpus.at(-1) || gpus.at(-1)!.failure.error) {
        if (gpus.length === devices) throw new UserError('No adapter.');
        gpus.push({ ...fakeGpu(compute), name });
      }
      return gpus.at(-1)!;
    },
    memo: new Memo(),
    control,
    emit: (event) => void events.push(event),
  };
  const result = await runTraining(trainJob, context);
  const checkpoints = events.flatMap((event) => (event.type === 'checkpoint' ? [event] : []));
  const warnings = events.flatMap((event) => (event.type === 'warning' ? [event.message] : []));
  return { result, events, batches, gpus, checkpoints, warnings };
}

type Checkpoint = Extract<TrainEvent, { type: 'checkpoint' }>;
const from = (...checkpoints: Checkpoint[]): Resume => ({
  checkpoints: checkpoints.map(({ file, bytes }) => ({ path: file, blob: new Blob([bytes]) })),
});
const torn = (checkpoint: Checkpoint): Checkpoint => ({
  ...checkpoint,
  bytes: checkpoint.bytes.slice(0, -9),
});
const trained = ({ batches }: Awaited<ReturnType<typeof run>>) =>
  batches.filter(({ program }) => program === 'train').map(({ step }) => step);

describe('a run that goes on', () => {
  test('comes to the same files, from either generation', async () => {
    const whole = await run(job());
    expect(whole.checkpoints.map(({ file, step }) => `${file} ${step}`)).toEqual([
      'checkpoint.0.safetensors 4',
      'checkpoint.1.safetensors 8',
      'checkpoint.0.safetensors 12',
    ]);
    for (const checkpoint of whole.checkpoints) {
      const rest = await run(job({}, { resume: from(checkpoint) }));
      expect(rest.result.merged).toEqual(whole.result.merged);
      expect(rest.result.best).toEqual(whole.result.best);
      expect(rest.result.metrics).toEqual(whole.result.metrics);
      expect(rest.result.evals).toEqual(whole.result.evals);
      expect(rest.result.report.steps).toBe(12);
      expect(trained(rest)).toEqual([...Array(12).keys()].slice(checkpoint.step));
      const { points, evals, step } = rest.events.find((event) => event.type === 'resumed')!;
      expect([points.length, evals.length, step]).toEqual([
        checkpoint.step,
        checkpoint.step / 4,
        checkpoint.step,
      ]);
      // the newer generation is not written over
      if (checkpoint.step < 12) expect(rest.checkpoints[0].file).toBe(checkpointAfter(checkpoint.file));
    }
  });

  test('takes the newest checkpoint that is whole, and says which is not', async () => {
    const { checkpoints } = await run(job());
    const [older, newer] = checkpoints;
    const both = await run(job({}, { resume: from(newer, older) }));
    expect(trained(both)[0]).toBe(8);
    const rest = await run(job({}, { resume: from(older, torn(newer)) }));
    expect(trained(rest)[0]).toBe(4);
    expect(rest.warnings[0]).toMatch(
      /^checkpoint\.1\.safetensors is not a valid .* goes on from checkpoint\.0\.safetensors, step 4\.$/,
    );
    // which is the one to write over
    expect(rest.checkpoints[0].file).toBe('checkpoint.1.safetensors');
    await expect(run(job({}, { resume: from(torn(older), torn(newer)) }))).rejects.toThrow(
      /^No checkpoint can be gone on from: checkpoint\.0.* checkpoint\.1.* Start the run again\.$/,
    );
  });

  test('is the run that was begun, or an error that names what differs', async () => {
    const { checkpoints } = await run(job());
    const resume = from(checkpoints[0]);
    const refused = (settings: Partial<TrainSettings>, more: Partial<TrainJob> = {}) =>
      expect(run(job(settings, { resume, ...more }))).rejects;
    await refused({ lr: 0.5, batch: 3 }).toThrow(
      'The run of checkpoint.0.safetensors was begun with other settings: batch (6, not 3), lr (0.003, not 0.5).',
    );
    const images = (files: UserFile[]): Partial<TrainJob> => ({ train: { kind: 'files', files } });
    const test = idx(6, { name: 't10k' });
    await refused({}, images([...idx(21), ...test])).toThrow(
      'The training images are not those that the run of checkpoint.0.safetensors began with: they are 21 of 8 x 8 px, then 24 of 8 x 8 px.',
    );
    await refused({}, images([...idx(24, { grey: 11 }), ...test])).toThrow('they have changed since');
    await refused({}, images([...idx(24), ...idx(6, { name: 't10k', grey: 5 })])).toThrow(
      'The test images are not',
    );
    await refused({}, { model: { kind: 'model', model: tinyModel, files: weights(8) } }).toThrow(
      'The weights are not those',
    );
    await refused({ epochs: 5 }).toThrow('was to have 3 epochs: for 5 say how the learning rate goes on');
    await refused({ epochs: 2 }).toThrow('has 3 epochs, it cannot go on to 2');
    // what has no say in the numbers may be another
    expect((await run(job({ format: 'both', checkpointMinutes: 0 }, { resume }))).checkpoints).toEqual([]);
  });

  test('has checkpoints that are no weights', async () => {
    const [{ file, bytes }] = (await run(job())).checkpoints;
    const model: TrainJob['model'] = { kind: 'file', files: [{ path: file, blob: new Blob([bytes]) }] };
    await expect(run(job({}, { model }))).rejects.toThrow(
      'checkpoint.0.safetensors is a checkpoint of a run: go on with it by --resume and its folder',
    );
  });

  test('says so on another adapter', async () => {
    const { checkpoints } = await run(job());
    const { warnings, result } = await run(job({}, { resume: from(checkpoints[0]) }), { name: 'another' });
    expect(warnings).toContainEqual(
      expect.stringMatching(/^The run was begun on a fake GPU and goes on on another: /),
    );
    expect(result.report.adapter).toBe('another');
  });

  test('takes more epochs, and keeps to their learning rate once it has begun them', async () => {
    const { checkpoints } = await run(job());
    const longer = (extend: Resume['extend'], checkpoint: Checkpoint) =>
      run(job({ epochs: 5 }, { resume: { ...from(checkpoint), extend } }));
    const restarted = await longer('restart', checkpoints[2]);
    expect(trained(restarted)).toEqual([12, 13, 14, 15, 16, 17, 18, 19]);
    expect(restarted.result.metrics[12].lr).toBe(0.003);
    const stretched = await longer('stretch', checkpoints[2]);
    expect(stretched.result.metrics.slice(12).map(({ lr }) => lr)).toEqual(
      (await run(job({ epochs: 5 }))).result.metrics.slice(12).map(({ lr }) => lr),
    );
    const again = await longer('stretch', restarted.checkpoints[0]);
    expect(again.result.metrics).toEqual(restarted.result.metrics);
  });

  test('that was stopped is the whole one', async () => {
    const whole = await run(job());
    const stopped = await run(job(), { cancelAt: 5 });
    expect(stopped.result.report.ended).toBe('stopped');
    const rest = await run(job({}, { resume: from(stopped.checkpoints.at(-1)!) }));
    expect(rest.result.evals).toEqual(whole.result.evals);
    expect(rest.result.merged).toEqual(whole.result.merged);
  });
});

describe('a run that diverged', () => {
  test('has its last good epoch for checkpoints, and goes on from it at a lower rate', async () => {
    // a checkpoint within the epoch, which must not count
    const wild = await run(job({ schedule: 'cosine', warmupEpochs: 1 }), { nanAt: 6 });
    expect(wild.result.report).toMatchObject({ ended: 'diverged', steps: 4 });
    const good = wild.checkpoints.slice(-2);
    expect(good.map(({ step }) => step)).toEqual([4, 4]);
    expect(new Set(good.map(({ file }) => file)).size).toBe(2);
    const whole = await run(job({ schedule: 'cosine', warmupEpochs: 1 }));
    const rest = await run(
      job({ schedule: 'cosine', warmupEpochs: 1 }, { resume: { ...from(...good), rate: 0.0003 } }),
    );
    expect(trained(rest)).toEqual([4, 5, 6, 7, 8, 9, 10, 11]);
    const rates = ({ batches }: typeof rest) =>
      batches.filter(({ program, step }) => program === 'train' && step > 3).map(({ lr }) => lr);
    rates(rest).forEach((lr, i) => {
      expect(lr / rates(whole)[i]).toBeCloseTo(0.1, 5);
    });
    const parameters = ({ batches }: typeof rest) =>
      batches.find(({ program, step }) => program === 'train' && step === 4)!;
    expect(parameters(rest).parameter).toBe(parameters(whole).parameter);
    expect(rest.result.report).toMatchObject({ ended: 'finished', settings: { lr: 0.0003 } });
    expect(rest.result.metrics.slice(0, 4)).toEqual(whole.result.metrics.slice(0, 4));
    // a run that is gone on with once more keeps to the rate
    const again = await run(
      job({ schedule: 'cosine', warmupEpochs: 1 }, { resume: from(rest.checkpoints[0]) }),
    );
    expect(again.result.metrics).toEqual(rest.result.metrics);
  });
});

describe('a lost device', () => {
  test('is no end where another takes the run on from its checkpoint', async () => {
    const whole = await run(job());
    const rest = await run(job(), { lossAt: [6, 9] });
    expect(rest.gpus.length).toBeGreaterThanOrEqual(3);
    const lost = rest.warnings.filter((message) => message.startsWith('The GPU was lost'));
    expect(lost).toEqual([
      expect.stringMatching(
        /^The GPU was lost at step [45] of 12: training goes on from .*, on a new device\.$/,
      ),
      expect.stringMatching(
        /^The GPU was lost at step [89] of 12: training goes on from .*, on a new device\.$/,
      ),
    ]);
    expect(rest.result.report.ended).toBe('finished');
    expect(rest.result.merged).toEqual(whole.result.merged);
    expect(rest.result.metrics).toEqual(whole.result.metrics);
    expect(rest.events.filter((event) => event.type === 'resumed').map(({ step }) => step)).toEqual([4, 8]);
  });

  test('is the end where it is lost again before it came further', async () => {
    const { result, warnings } = await run(job(), { lossAt: [6, 5, 5] });
    expect(result.report).toMatchObject({ ended: 'failed', steps: 4 });
    expect(warnings.filter((message) => message.includes('goes on'))).toHaveLength(2);
  });

  test('is the end where there is no other', async () => {
    const { result, warnings } = await run(job(), { lossAt: [6], devices: 1 });
    expect(result.report).toMatchObject({ ended: 'failed', steps: 4 });
    expect(warnings).toContain('There is no new device to go on with (No adapter.).');
  });

  test('before the first checkpoint begins the run again, once', async () => {
    const whole = await run(job());
    const rest = await run(job(), { lossAt: [2] });
    expect(rest.warnings).toContainEqual(
      expect.stringMatching(
        /^The GPU was lost at step \d of 12: training goes on from the start, on a new device\.$/,
      ),
    );
    expect(rest.events.filter((event) => event.type === 'resumed')).toEqual([
      { type: 'resumed', file: undefined, step: 0, points: [], evals: [], stepTimes: [] },
    ]);
    expect(rest.result.merged).toEqual(whole.result.merged);
    expect(rest.result.metrics).toEqual(whole.result.metrics);
    await expect(run(job(), { lossAt: [2, 1] })).rejects.toThrow(DeviceLost);
  });
});
